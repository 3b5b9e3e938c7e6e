//! Those who write static data while it is being moved: they wait, and write when it is there.
//!
//! ```text
//!   thread that wakes:   store ──► fault (the page is protected) ──► handler: waits ──► the same store, again
//!   the one that moves:  protect ──────────── map the file ──────────── WINDOW = 0 ─────┘
//! ```
//!
//! Invariants: **STOP-W1** everything here that is a static is written before the copy or after the mapping. **STOP-W2** the
//! handler of before comes back only when no thread can be on its way to this one; else this one stays, and steps
//! aside for the first fault that is not for it.
#![allow(unsafe_code)]

use crate::process::private::{AtomicU32, AtomicUsize, Ordering};
use std::cell::Cell;

use crate::process::signals::{Before, Fault, SeesToFaults, catch_faults, let_faults_go};
use crate::statics::span::Part;

/// Whether writers wait.
static WINDOW: AtomicU32 = AtomicU32::new(0);
/// The least address that was protected, and the one behind the greatest. What lies between the spans is not written.
static LO: AtomicUsize = AtomicUsize::new(usize::MAX);
static HI: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Faults of this thread when there was nothing to wait for.
    static LATE: Cell<u32> = const { Cell::new(0) };
}

/// What a fault did before. Written by [`Stop::new`] only, of which there is one at a time, before the copy.
static BEFORE: Before = Before::new();

struct Writers;

/// Writers wait as long as it lives, and until it is told that they may go on.
pub(super) struct Stop {
    installed: bool,
    over: bool,
}

impl Stop {
    pub(super) fn new(parts: &[Part]) -> Stop {
        LO.store(parts.iter().map(|part| part.range.lo).min().unwrap_or(usize::MAX), Ordering::Relaxed);
        HI.store(parts.iter().map(|part| part.range.hi).max().unwrap_or(0), Ordering::Relaxed);
        WINDOW.store(1, Ordering::Release);
        Stop { installed: catch_faults::<Writers>(), over: false }
    }

    /// The data is where it is to be, or where it was. `all_asleep`: nobody has run since before the protection.
    pub(super) fn go_on(&mut self, all_asleep: bool) {
        WINDOW.store(0, Ordering::Release);
        self.over = true;
        // STOP-W2.
        if self.installed && all_asleep {
            let_faults_go::<Writers>();
        }
    }
}

impl Drop for Stop {
    /// Where the copy failed: nothing has been protected.
    fn drop(&mut self) {
        if !self.over {
            self.go_on(true);
        }
    }
}

// SAFETY: SIGNALS-H1: atomics, a thread-local of the plainest kind, and giving the processor up.
unsafe impl SeesToFaults for Writers {
    fn before() -> &'static Before {
        &BEFORE
    }

    /// It stores to no static (STOP-W1): that page may be protected, too.
    fn see_to(fault: Fault) -> bool {
        const SEGV_ACCERR: i32 = 2;
        let inside = (LO.load(Ordering::Relaxed)..HI.load(Ordering::Relaxed)).contains(&fault.at);
        // Of one that comes when all is over, the store succeeds now; if it does not, the fault is another's.
        let late = WINDOW.load(Ordering::Acquire) == 0 && LATE.replace(LATE.get() + 1) > 100;
        if !inside || fault.code != SEGV_ACCERR || late {
            return false;
        }
        while WINDOW.load(Ordering::Acquire) != 0 {
            std::thread::yield_now();
        }
        true
    }
}
