//! Signals of this process: holding them off for a while, and which of them the program catches.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// Signals of the calling thread wait while this lives; those of threads started meanwhile, for as long as these live.
pub(crate) struct NoSignals(libc::sigset_t);

impl NoSignals {
    /// All of them.
    pub(crate) fn new() -> NoSignals {
        NoSignals::but(&[])
    }

    /// Those that a thread does not cause itself.
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

/// The signals that have a handler, number n as bit n - 1, if that can be seen.
pub(crate) fn caught() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

/// Where the handler of a signal is; 0 or 1 if it has none.
pub(crate) fn handler(signal: u32) -> usize {
    let mut now = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: asks only.
    unsafe { libc::sigaction(signal as libc::c_int, std::ptr::null(), now.as_mut_ptr()) };
    // SAFETY: all zero is an action; written by the call, if there is such a signal.
    unsafe { now.assume_init() }.sa_sigaction
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
            [libc::SIGUSR2, libc::SIGSEGV]
                .map(|signal| unsafe { libc::sigismember(now.as_ptr(), signal) == 1 })
        };
        assert_eq!(blocked(), [false, false]);
        let held = NoSignals::but_faults();
        assert_eq!(blocked(), [true, false]);
        let all = NoSignals::new();
        assert_eq!(blocked(), [true, true]);
        drop(all);
        assert_eq!(blocked(), [true, false]);
        drop(held);
        assert_eq!(blocked(), [false, false]);
    }
}
