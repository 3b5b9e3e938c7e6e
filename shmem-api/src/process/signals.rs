//! Signals of this process: holding them off for a while, which of them the program catches, and handlers of ours. (Those of
//! signals that end the process are in `crashes`.)
//!
//! Invariants: **SIGNALS-H1** a handler of ours makes system calls and uses atomics and its stack, nothing else (no allocation, no
//! lock), and stays in memory as long as the process. **SIGNALS-P1** what is put back is what was found there, for the same signal:
//! a program that unloads a handler's code takes the handler away before.
#![allow(unsafe_code)]

use super::private::{AtomicI32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;

use crate::process::system::keeping_errno;

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
    action(signal as c_int).sa_sigaction
}

/// What a signal does now: all zero if there is no such signal.
fn action(signal: c_int) -> libc::sigaction {
    let mut now = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: asks only.
    unsafe { libc::sigaction(signal, std::ptr::null(), now.as_mut_ptr()) };
    // SAFETY: all zero is an action; written by the call.
    unsafe { now.assume_init() }
}

/// Whether it does that now.
///
/// # Safety
/// SIGNALS-H1, for its handler.
unsafe fn set_action(signal: c_int, action: &libc::sigaction) -> bool {
    // SAFETY: the kernel copies the action.
    unsafe { libc::sigaction(signal, action, std::ptr::null_mut()) == 0 }
}

/// What rings at the end of a child.
static RUNG: OnceLock<OwnedFd> = OnceLock::new();

extern "C" fn ring(_: c_int) {
    keeping_errno(|| {
        // If a pipe is full, it has been rung.
        let _ = RUNG.get().map(|rung| rustix::io::write(rung, &[0]));
    });
}

/// At the end of each child a byte is written to `rung`, a pipe that does not block; once per process. A `SIGCHLD` that was
/// ignored, which would let the kernel forget how children end, no longer is.
pub(crate) fn ring_at_children(rung: OwnedFd) -> io::Result<()> {
    RUNG.set(rung).map_err(|_| io::Error::other("something rings already"))?;
    // SAFETY: zeroes are a value of it: no flags, no signals blocked meanwhile.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = ring as extern "C" fn(c_int) as libc::sighandler_t;
    action.sa_flags = libc::SA_NOCLDSTOP | libc::SA_RESTART;
    // SAFETY: SIGNALS-H1: `ring` makes a system call.
    match unsafe { set_action(libc::SIGCHLD, &action) } {
        true => Ok(()),
        false => Err(io::Error::last_os_error()),
    }
}

/// What a signal did before a handler of ours came.
pub(crate) struct Before {
    handler: AtomicUsize,
    flags: AtomicI32,
    mask: [AtomicU64; MASK],
}

/// Words of a set of signals.
const MASK: usize = size_of::<libc::sigset_t>() / size_of::<u64>();

impl Before {
    pub(crate) const fn new() -> Before {
        let (handler, flags) = (AtomicUsize::new(libc::SIG_DFL), AtomicI32::new(0));
        Before { handler, flags, mask: [const { AtomicU64::new(0) }; MASK] }
    }

    fn note(&self, now: &libc::sigaction) {
        // SAFETY: a set is an array of words.
        let mask = unsafe { std::mem::transmute::<libc::sigset_t, [u64; MASK]>(now.sa_mask) };
        self.mask.iter().zip(mask).for_each(|(word, now)| word.store(now, Relaxed));
        self.flags.store(now.sa_flags, Relaxed);
        self.handler.store(now.sa_sigaction, Relaxed);
    }

    fn put_back(&self, signal: c_int) {
        let mask: [u64; MASK] = std::array::from_fn(|i| self.mask[i].load(Relaxed));
        // SAFETY: a set is an array of words.
        let sa_mask = unsafe { std::mem::transmute::<[u64; MASK], libc::sigset_t>(mask) };
        let (sa_sigaction, sa_flags) = (self.handler.load(Relaxed), self.flags.load(Relaxed));
        let before = libc::sigaction { sa_sigaction, sa_flags, sa_mask, ..action(signal) };
        // SAFETY: SIGNALS-P1.
        unsafe { set_action(signal, &before) };
    }
}

/// A store or a load that hit what it must not: where, and the kernel's code for why.
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) code: i32,
}

/// Somebody who sees to faults (`SIGSEGV`).
///
/// # Safety
/// SIGNALS-H1, for `see_to`.
pub(crate) unsafe trait SeesToFaults {
    /// A place of its own, for what a fault did before.
    fn before() -> &'static Before;

    /// Whether the same instruction is to go on. Else the handler of before comes back, and the instruction faults again, as if
    /// this one had never been here.
    fn see_to(fault: Fault) -> bool;
}

/// From here on `W` sees to faults. Whether it does.
pub(crate) fn catch_faults<W: SeesToFaults>() -> bool {
    let now = action(libc::SIGSEGV);
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = fault::<W>;
    let sa_sigaction = handler as *const () as usize;
    if now.sa_sigaction == sa_sigaction {
        return true;
    }
    W::before().note(&now);
    let ours = libc::sigaction { sa_sigaction, sa_flags: libc::SA_SIGINFO | libc::SA_ONSTACK, ..now };
    // SAFETY: SIGNALS-H1, as `W` says; what was before is atomics.
    unsafe { set_action(libc::SIGSEGV, &ours) }
}

/// The handler of before comes back.
pub(crate) fn let_faults_go<W: SeesToFaults>() {
    W::before().put_back(libc::SIGSEGV);
}

#[inline(never)]
extern "C" fn fault<W: SeesToFaults>(_: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel passes a description.
    let info = unsafe { &*info };
    // SAFETY: for this signal it has an address.
    let at = unsafe { info.si_addr() } as usize;
    if !W::see_to(Fault { at, code: info.si_code }) {
        let_faults_go::<W>();
    }
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
