//! Waiting: spin briefly, then yield, then sleep. Nothing spins without end.
//!
//! ```text
//!   spins (a thousand if every PE has a core, none if not) ─► a few yields ─► futex sleeps, each with an end
//! ```
//!
//! More PEs than cores is ordinary, so a waiter gives its core away early. A sleep always has an end,
//! for three reasons: a plain put wakes nobody, so a waiter that plain puts may satisfy looks again by
//! itself, in growing steps; an ended job is noticed; and a long wait is reported where
//! `SHMEM_HANG_REPORT` asks for it.
//!
//! ```text
//!   waiter                                   whoever has news
//!   asleep += 1                              change the variable (atomically)
//!   full fence                               full fence (the atomic is one)
//!   read the event; look at the variable      asleep != 0?
//!   sleep, unless the event has changed         event += 1; wake
//! ```
//!
//! Invariants: **WAIT-B1** of the two full fences one comes first: either the waiter's look sees the news, or the
//! notifier sees the waiter. **WAIT-B2** a waiter that read the event before it was notified does not sleep any more, and
//! one that read it after sees the news.

pub(crate) mod cores;
#[cfg(all(test, loom))]
mod models;

use std::time::{Duration, Instant};

use memheap::PeId;

use crate::process::say::say;
use crate::sync::fences;
use crate::sync::primitives::{AtomicU32, Ordering, futex};

/// How to wait, given how many PEs share how many cores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    spins: u32,
    yields: u32,
    report: Option<Duration>,
}

/// Who wakes the waiter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Waker {
    /// Whoever satisfies the wait also rings.
    Notifies,
    /// A plain put may satisfy the wait, and does not ring.
    MayBeSilent,
}

const YIELDS: u32 = 20;
const YIELDS_CROWDED: u32 = 3;
const SPINS: u32 = 1000;
const FIRST_SLEEP: Duration = Duration::from_micros(50);
const SILENT_SLEEP: Duration = Duration::from_millis(1);
const LONGEST_SLEEP: Duration = Duration::from_millis(100);

impl Policy {
    /// The same on every PE of a host, but for the reports: where PEs share cores, or do not.
    pub(crate) fn new(crowded: bool, report: Option<Duration>) -> Policy {
        let (spins, yields) = if crowded { (0, YIELDS_CROWDED) } else { (SPINS, YIELDS) };
        Policy { spins, yields, report }
    }

    /// Whether there are more PEs than cores, so that waiting PEs sleep as a matter of course.
    #[inline]
    pub(crate) fn crowded(&self) -> bool {
        self.spins == 0
    }

    /// That of the models: it neither spins nor yields, which would only be more orders of the same steps.
    #[cfg(all(test, loom))]
    pub(crate) const SLEEPS: Policy = Policy { spins: 0, yields: 0, report: None };

    /// Waits until `ready`. Sleeps on `event`, counted in `asleep`, so that a notifier knows of sleepers.
    /// `between` is called between sleeps.
    pub(crate) fn wait(
        &self,
        event: &AtomicU32,
        asleep: &AtomicU32,
        waker: Waker,
        ready: impl Fn() -> bool,
        mut between: impl FnMut(Duration),
    ) {
        for _ in 0..=self.spins {
            if ready() {
                return;
            }
            std::hint::spin_loop();
        }
        for _ in 0..self.yields {
            std::thread::yield_now();
            if ready() {
                return;
            }
        }
        let start = Instant::now();
        let longest = if waker == Waker::Notifies { LONGEST_SLEEP } else { SILENT_SLEEP };
        let mut step = FIRST_SLEEP;
        loop {
            // WAIT-B1: count, full fence, look. WAIT-B2: the event is read before the look.
            asleep.fetch_add(1, Ordering::Relaxed);
            fences::fence_after_amo();
            let seen = event.load(Ordering::Acquire);
            let done = ready();
            if !done {
                futex::wait(event, seen, step);
            }
            asleep.fetch_sub(1, Ordering::Relaxed);
            if done || ready() {
                return;
            }
            step = (step * 2).min(longest);
            between(start.elapsed());
        }
    }

    /// Prints where this PE waits, once per reporting period. Call it between sleeps.
    pub(crate) fn report<'p>(&self, pe: PeId, place: impl Fn() -> String + 'p) -> impl FnMut(Duration) + 'p {
        let period = self.report;
        let mut next = period;
        move |waited| {
            if let (Some(at), Some(period)) = (next, period)
                && waited >= at
            {
                say(&format!("PE {pe}: waiting for {:.0} s in {}", waited.as_secs_f64(), place()));
                next = Some(at + period);
            }
        }
    }
}

/// After news that was an atomic read-modify-write, or that a full fence follows: wakes whoever sleeps on `event`.
/// After a plain store, a PE that goes to sleep at that very moment may be missed, and looks again by itself
/// within a millisecond.
#[inline]
pub(crate) fn notify(event: &AtomicU32, asleep: &AtomicU32) {
    // WAIT-B1: the news, full fence, look.
    fences::fence_after_amo();
    if asleep.load(Ordering::Relaxed) != 0 {
        wake(event);
    }
}

#[cold]
#[inline(never)]
fn wake(event: &AtomicU32) {
    // WAIT-B2: Release: who reads this count sees the news.
    event.fetch_add(1, Ordering::Release);
    wake_all(event);
}

/// Wakes everybody asleep on `event`, in every process.
pub(crate) fn wake_all(event: &AtomicU32) {
    futex::wake_all(event);
}
