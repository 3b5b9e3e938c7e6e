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

use std::time::{Duration, Instant};

use memheap::PeId;
use rustix::thread::futex;

use crate::exit;

use std::sync::atomic::{AtomicU32, Ordering};

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
    Rings,
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
    /// For `pes` PEs on this host.
    pub(crate) fn new(pes: u32, report: Option<Duration>) -> Policy {
        // Counts the affinity mask and the control group's CPU limit.
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
        let (spins, yields) = if pes <= cores { (SPINS, YIELDS) } else { (0, YIELDS_CROWDED) };
        Policy { spins, yields, report }
    }

    /// Waits until `ready`. Sleeps on `bell`, counted in `asleep`, so that a ringer knows of sleepers.
    /// `between` is called between sleeps.
    pub(crate) fn wait(
        &self,
        bell: &AtomicU32,
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
        let longest = if waker == Waker::Rings { LONGEST_SLEEP } else { SILENT_SLEEP };
        let mut step = FIRST_SLEEP;
        loop {
            // SeqCst: see `ring`: either this look sees the news, or the ringer sees the sleeper.
            asleep.fetch_add(1, Ordering::SeqCst);
            let seen = bell.load(Ordering::SeqCst);
            let done = ready();
            if !done {
                sleep(bell, seen, step);
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
                exit::say(&format!("PE {pe}: waiting for {:.0} s in {}", waited.as_secs_f64(), place()));
                next = Some(at + period);
            }
        }
    }
}

/// After news: wakes whoever sleeps on `bell`. Where the news was a locked instruction or a fence came
/// after it, nobody is missed; after a plain store, a PE that goes to sleep at that very moment may be,
/// and looks again by itself within a millisecond.
pub(crate) fn ring(bell: &AtomicU32, asleep: &AtomicU32) {
    if asleep.load(Ordering::SeqCst) != 0 {
        bell.fetch_add(1, Ordering::SeqCst);
        wake_all(bell);
    }
}

/// Wakes everybody asleep on `bell`, in every process.
pub(crate) fn wake_all(bell: &AtomicU32) {
    // It can only fail for an address that is not mapped.
    let _ = futex::wake(bell, futex::Flags::empty(), i32::MAX as u32);
}

fn sleep(bell: &AtomicU32, seen: u32, at_most: Duration) {
    let timeout = futex::Timespec { tv_sec: 0, tv_nsec: at_most.subsec_nanos().into() };
    // A wake, a changed word, the end of the time and a signal are all reasons to look again.
    let _ = futex::wait(bell, futex::Flags::empty(), seen, Some(&timeout));
}
