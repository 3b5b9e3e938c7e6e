//! What the serving thread of a process does: asleep in the engine until somebody of another host asks for something.
//!
//! Where requests come one soon after the other, as from a PE that waits for each, it polls a little longer before it sleeps: to be woken
//! takes longer than to do what is asked.
//!
//! A thread that waits, and has a core for it, looks for requests itself: a thread that is to be woken for each would take twice as long.
//! The serving thread then naps, and sees after [`NAP`] whether that thread still looks.
//!
//! It also sees to it that what this PE's own threads have posted goes within a millisecond, if they do not call the library: from
//! the first request on until all is known to be done it looks every millisecond, sends, and polls for answers if nobody else does. And
//! every half second it looks whether the other hosts are still there (`links`).

use std::time::{Duration, Instant};

use memheap::PeId;
use parking_lot::MutexGuard;

use super::Far;
use super::links::LOOK;
use super::server::{Around, Server};
use crate::process::private::{AtomicBool, Ordering};
use crate::transport::wire::Lane;

/// How long a batch waits for others.
const TICK: Duration = Duration::from_millis(1);
/// How long the serving thread leaves requests to a thread that waits, and looks often: at least so often in that time.
const NAP: Duration = Duration::from_micros(100);
const OFTEN: u64 = 8;
/// A request that comes within this after another is followed by a third, it is taken, as soon.
const SOON: Duration = Duration::from_micros(50);
/// So long a large payload that has begun to come is polled for.
const COMING: Duration = Duration::from_millis(1);

/// What has been done for others.
pub(super) struct Served {
    /// How many events there were.
    pub(super) events: usize,
    /// A payload is coming.
    receives: bool,
}

/// What the serving thread expects.
struct Requests {
    /// When the last ones were served, and whether they came soon after those before.
    last: Instant,
    often: bool,
}

impl Requests {
    /// So much has been served, and it is `now`: whether more is to be polled for.
    fn are_expected(&mut self, served: &Served, now: Instant) -> bool {
        let since = now - self.last;
        if served.events > 0 {
            (self.last, self.often) = (now, since < SOON);
            return true;
        }
        match served.receives {
            true => since < COMING,
            false => self.often && since < SOON,
        }
    }
}

impl Far {
    /// Serves until `stop` is set and [`stop_serving`](Self::stop_serving) called.
    pub(crate) fn serve(&self, stop: &AtomicBool) {
        let (mut ticked, mut looked, mut looks) = (Instant::now(), Instant::now(), 0);
        let mut requests = Requests { last: ticked, often: false };
        while !stop.load(Ordering::Acquire) {
            let (served, now) = (self.serve_once(), Instant::now());
            let (since_tick, since_look) = (now - ticked, now - looked);
            if since_look >= LOOK {
                self.look(since_look);
                looked = now;
                continue;
            }
            let watched = self.watched.load(Ordering::Acquire);
            if watched && since_tick >= TICK {
                self.tick();
                ticked = now;
                continue;
            }
            if !watched {
                ticked = now;
            }
            let expected = requests.are_expected(&served, now) && (self.spins > 0 || served.events > 0);
            if expected {
                continue;
            }
            let until_look = LOOK - since_look;
            let before = std::mem::replace(&mut looks, self.looks.load(Ordering::Relaxed));
            match looks - before > OFTEN {
                true => std::thread::sleep(NAP),
                false => {
                    self.wire.sleep(Lane::Requests, if watched { TICK.min(until_look) } else { until_look })
                }
            }
            if !watched {
                ticked = Instant::now();
            }
        }
    }

    /// Wakes the serving thread, so that it sees that it is to stop.
    pub(crate) fn stop_serving(&self) {
        self.wire.wake(Lane::Requests);
    }

    /// At process exit, when nobody serves or calls any more: the connections end.
    pub(crate) fn disconnect(&self) {
        self.wire.close();
    }

    /// Does what has been asked for. One thread at a time.
    pub(super) fn serve_once(&self) -> Served {
        self.serve_with(self.server.lock())
    }

    /// By a thread that waits: does what has been asked for, if nobody else does.
    pub(super) fn serve_meanwhile(&self) {
        if self.spins > 0 {
            self.looks.fetch_add(1, Ordering::Relaxed);
            if let Some(server) = self.server.try_lock() {
                _ = self.serve_with(server);
            }
        }
    }

    fn serve_with(&self, mut server: MutexGuard<'_, Server>) -> Served {
        let around = Around {
            wire: &*self.wire,
            memory: &*self.memory,
            hosts: &self.hosts,
            secret: self.secret,
            copied: self.copied,
            #[cfg(test)]
            mutation: self.mutation,
        };
        let events = self.wire.poll(Lane::Requests, &mut |event| server.tell(&around, event));
        let lost = server.after_poll(&*self.wire);
        let receives = server.is_receiving();
        drop(server);
        lost.into_iter().for_each(|(pe, why)| self.lose(pe, why));
        Served { events, receives }
    }

    /// A process is lost: whoever waits for its host hears of it.
    pub(super) fn lose(&self, pe: PeId, why: String) {
        self.answers.lose(self.hosts.host(pe), pe, why);
        self.turn.tell();
        self.wire.wake(Lane::Replies);
    }

    /// A millisecond is over.
    pub(super) fn tick(&self) {
        self.watched.store(false, Ordering::Release);
        if self.is_under_way() || self.is_beating() {
            self.watched.store(true, Ordering::Release);
            self.flush_all(true);
            self.poll_if_free();
        }
    }

    /// See [`Transport::close`](crate::transport::Transport::close).
    pub(super) fn forget_memory(&self) {
        self.unwatch_links();
        self.flush_all(false);
        // Nothing is being done for others meanwhile.
        let _server = self.server.lock();
        self.memory.gone();
    }
}
