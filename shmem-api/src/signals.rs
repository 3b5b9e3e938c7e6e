//! Signals of this process: holding them off for a while, and which of them the program catches.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// All signals of the calling thread wait while this lives; those of threads started meanwhile, for as long as these live.
pub(crate) struct NoSignals(libc::sigset_t);

impl NoSignals {
    pub(crate) fn new() -> NoSignals {
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: fills the set it is given.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        // SAFETY: `all` is filled in; the mask before is written.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
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

/// The signals that have a handler, number n as bit n - 1, if that can be seen.
pub(crate) fn caught() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_wait_while_they_are_held_off() {
        let blocked = || {
            let mut now = MaybeUninit::uninit();
            // SAFETY: asks only.
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), now.as_mut_ptr()) };
            // SAFETY: written by the call above; the set is a valid one.
            unsafe { libc::sigismember(now.as_ptr(), libc::SIGUSR2) == 1 }
        };
        assert!(!blocked());
        let held = NoSignals::new();
        assert!(blocked());
        drop(held);
        assert!(!blocked());
    }
}
