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
use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;

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

/// What a fault did before.
struct Before(UnsafeCell<MaybeUninit<libc::sigaction>>);
// SAFETY: written by `Stop::new` only, of which there is one at a time, while no handler that reads it is installed,
// or by the same value.
unsafe impl Sync for Before {}
static BEFORE: Before = Before(UnsafeCell::new(MaybeUninit::zeroed()));

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
        Stop { installed: install(), over: false }
    }

    /// The data is where it is to be, or where it was. `all_asleep`: nobody has run since before the protection.
    pub(super) fn go_on(&mut self, all_asleep: bool) {
        WINDOW.store(0, Ordering::Release);
        self.over = true;
        // STOP-W2.
        if self.installed && all_asleep {
            step_aside();
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

/// Whether the handler was not there before.
fn install() -> bool {
    let mut now = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: asks only.
    unsafe { libc::sigaction(libc::SIGSEGV, std::ptr::null(), now.as_mut_ptr()) };
    // SAFETY: all zero is an action; written by the call.
    let now = unsafe { now.assume_init() };
    let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = fault;
    let handler = handler as *const () as usize;
    if now.sa_sigaction == handler {
        // It has stayed since the last attempt.
        return true;
    }
    // SAFETY: nobody reads it: the handler is not installed.
    unsafe { (*BEFORE.0.get()).write(now) };
    let ours =
        libc::sigaction { sa_sigaction: handler, sa_flags: libc::SA_SIGINFO | libc::SA_ONSTACK, ..now };
    // SAFETY: the handler calls what may be called in one.
    unsafe { libc::sigaction(libc::SIGSEGV, &raw const ours, std::ptr::null_mut()) == 0 }
}

fn step_aside() {
    // SAFETY: the action that was there before the handler.
    unsafe { libc::sigaction(libc::SIGSEGV, BEFORE.0.get().cast(), std::ptr::null_mut()) };
}

/// It stores to no static (STOP-W1): that page may be protected, too.
extern "C" fn fault(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    const SEGV_ACCERR: libc::c_int = 2;
    // SAFETY: the kernel passes a description.
    let info = unsafe { &*info };
    // SAFETY: for this signal it has an address.
    let at = unsafe { info.si_addr() } as usize;
    let inside = (LO.load(Ordering::Relaxed)..HI.load(Ordering::Relaxed)).contains(&at);
    // Of one that comes when all is over, the store succeeds now; if it does not, the fault is another's.
    let late = WINDOW.load(Ordering::Acquire) == 0 && LATE.replace(LATE.get() + 1) > 100;
    if !inside || info.si_code != SEGV_ACCERR || late {
        // As if this had never been here: the same instruction faults again.
        return step_aside();
    }
    while WINDOW.load(Ordering::Acquire) != 0 {
        std::thread::yield_now();
    }
}
