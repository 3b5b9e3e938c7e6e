//! What the serving thread of a process does: asleep in the engine until somebody of another host asks for something.
//!
//! It also sees to it that what this PE's own threads have posted goes within a millisecond, if they do not call the library: from
//! the first request on until all is known to be done it looks every millisecond, sends, and polls for answers if nobody else does.

use std::time::{Duration, Instant};

use super::Far;
use super::server::Around;
use crate::process::private::{AtomicBool, Ordering};
use crate::transport::wire::Lane;

/// How long a batch waits for others.
const TICK: Duration = Duration::from_millis(1);
/// How long it sleeps while nothing happens.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

impl Far {
    /// Serves until `stop` is set and [`stop_serving`](Self::stop_serving) called.
    pub(crate) fn serve(&self, stop: &AtomicBool) {
        let mut last = Instant::now();
        while !stop.load(Ordering::Acquire) {
            if self.serve_once() > 0 && last.elapsed() < TICK {
                continue;
            }
            let watched = self.watched.load(Ordering::Acquire);
            if watched && last.elapsed() >= TICK {
                self.tick();
                last = Instant::now();
                continue;
            }
            self.wire.sleep(Lane::Requests, if watched { TICK } else { LONGEST_SLEEP });
            if !watched {
                last = Instant::now();
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

    /// Does what has been asked for; how many events there were. One thread at a time.
    pub(super) fn serve_once(&self) -> usize {
        let mut server = self.server.lock();
        let around = Around {
            wire: &*self.wire,
            memory: &*self.memory,
            hosts: &self.hosts,
            secret: self.secret,
            copied: self.copied,
            #[cfg(test)]
            mutation: self.mutation,
        };
        let n = self.wire.poll(Lane::Requests, &mut |event| server.tell(&around, event));
        let lost = server.after_poll(&*self.wire);
        drop(server);
        if !lost.is_empty() {
            for (pe, why) in lost {
                self.answers.lose(self.hosts.host(pe), pe, why);
            }
            self.turn.tell();
            self.wire.wake(Lane::Replies);
        }
        n
    }

    /// A millisecond is over.
    pub(super) fn tick(&self) {
        self.watched.store(false, Ordering::Release);
        if self.is_under_way() {
            self.watched.store(true, Ordering::Release);
            self.flush_all(true);
            self.poll_if_free();
        }
    }

    /// See [`Transport::close`](crate::transport::Transport::close).
    pub(super) fn forget_memory(&self) {
        self.flush_all(false);
        // Nothing is being done for others meanwhile.
        let _server = self.server.lock();
        self.memory.gone();
    }
}
