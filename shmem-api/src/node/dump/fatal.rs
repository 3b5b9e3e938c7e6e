//! Signals that end a process with a core dump: what was touched of the heap goes in before the signal goes on.
//!
//! A handler of before (`process::crashes`) may well go on with the program, at every fault. So it is not made to wait for more
//! than a hundredth of the time: what was touched since the last look may be missing then.
//!
//! Invariants: **FATAL-S1** whoever looks at the segment of a crash is [`alone`], and so is who changes which it is. **FATAL-S2**
//! here: system calls and atomics (SIGNALS-H1).

use crate::process::private::{AtomicBool, AtomicU64, Ordering::*};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::node::segment::Segment;
use crate::process::signals::NoSignals;

/// How long one that crashes waits for another that does.
const LONGEST: Duration = Duration::from_secs(30);
/// The least time between two looks, in times of what the first has taken.
const REST: u32 = 100;

/// Somebody looks at the heap, or changes which it is.
static BUSY: AtomicBool = AtomicBool::new(false);
/// When to look again, in nanoseconds of the clock.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// In a child of fork: whoever was at it is not here.
pub(crate) fn in_child() {
    BUSY.store(false, Release);
}

fn clock() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    (now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64)
}

/// One at a time, and no signal comes in between; not at all if another is at it for too long.
pub(crate) fn alone(what: impl FnOnce()) -> bool {
    let _held = NoSignals::new();
    let end = clock().saturating_add(LONGEST.as_nanos() as u64);
    let mut mine = !BUSY.swap(true, Acquire);
    while !mine && clock() < end {
        std::thread::yield_now();
        mine = !BUSY.swap(true, Acquire);
    }
    if mine {
        what();
        BUSY.store(false, Release);
    }
    mine
}

/// What was touched is in, of the segment that there is. `last`: there is no handler that might go on.
pub(crate) fn look<'s>(last: bool, segment: impl FnOnce() -> Option<&'s Segment>) {
    alone(|| {
        let start = clock();
        let due = last || start >= NEXT.load(Relaxed);
        if let Some(segment) = due.then(segment).flatten() {
            segment.admit_touched();
            let end = clock();
            NEXT.store(end + (end - start) * u64::from(REST), Relaxed);
        }
    });
}
