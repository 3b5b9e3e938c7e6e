//! A stretch of code without signal handlers of the program's.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// Signals of the calling thread wait while this lives.
pub(crate) struct NoSignals(libc::sigset_t);

impl NoSignals {
    /// All of them.
    pub(crate) fn new() -> NoSignals {
        NoSignals::but(&[])
    }

    /// Those that the thread does not cause itself.
    pub(crate) fn but_faults() -> NoSignals {
        NoSignals::but(&[libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP])
    }

    fn but(these: &[libc::c_int]) -> NoSignals {
        let mut set = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: fills the set it is given.
        unsafe { libc::sigfillset(set.as_mut_ptr()) };
        for &signal in these {
            // SAFETY: the set is filled in.
            unsafe { libc::sigdelset(set.as_mut_ptr(), signal) };
        }
        // SAFETY: the set is filled in; the mask before is written. What is blocked already stays so.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), before.as_mut_ptr()) };
        // SAFETY: written by the call above, which cannot fail for a valid `how`.
        NoSignals(unsafe { before.assume_init() })
    }
}

impl Drop for NoSignals {
    fn drop(&mut self) {
        // SAFETY: the mask that was there before.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
    }
}
