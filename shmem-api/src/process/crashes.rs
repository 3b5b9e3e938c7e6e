//! Signals that end a process with a core dump: somebody looks first, and then the signal goes on.
//!
//! ```text
//!   signal ──► handler: looks
//!                 ├─ there was a handler before ──► it, with the same arguments, on the same stack and mask
//!                 └─ there was none ──────────────► the default action, with the same signal once more: the core is
//!                                                   of where it came from, and says why
//! ```
//!
//! Invariants: **CRASH-S1** what was before is written only while the handler is nowhere: not installed, and not called by one
//! that replaced it. In the handler: SIGNALS-H1.
#![allow(unsafe_code)]

use super::private::{AtomicBool, AtomicI32, AtomicUsize, Ordering::*};
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::OnceLock;

/// All whose default action dumps core.
const SIGNALS: [c_int; 10] = [
    libc::SIGQUIT,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGSEGV,
    libc::SIGXCPU,
    libc::SIGXFSZ,
    libc::SIGSYS,
];

/// Who looks. The argument: there is no handler that might go on.
static LOOK: OnceLock<fn(bool)> = OnceLock::new();

/// What a signal did before. Its mask, and how it runs, is the handler's, too.
struct Before {
    /// The handler may be called.
    ours: AtomicBool,
    handler: AtomicUsize,
    flags: AtomicI32,
}

static BEFORE: [Before; 32] = [const {
    Before { ours: AtomicBool::new(false), handler: AtomicUsize::new(0), flags: AtomicI32::new(0) }
}; 32];

fn before(signal: c_int) -> &'static Before {
    &BEFORE[signal as usize % BEFORE.len()]
}

type Handler = unsafe extern "C-unwind" fn(c_int, *mut libc::siginfo_t, *mut c_void);

fn ours() -> usize {
    let handler: Handler = fatal;
    handler as *const () as usize
}

/// From here on, until [`unwatch`], `look` is called first. Only one can ever be.
///
/// # Safety
/// SIGNALS-H1, for `look`; it may be called by several threads at once.
pub(crate) unsafe fn watch(look: fn(last: bool)) {
    LOOK.get_or_init(|| look);
    SIGNALS.into_iter().for_each(install);
}

/// From here on `look` is not called, unless by a handler of the program's that has taken the place of ours.
pub(crate) fn unwatch() {
    SIGNALS.into_iter().for_each(put_back);
}

fn action(signal: c_int) -> libc::sigaction {
    let mut now = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: asks only.
    unsafe { libc::sigaction(signal, std::ptr::null(), now.as_mut_ptr()) };
    // SAFETY: all zero is an action; written by the call.
    unsafe { now.assume_init() }
}

fn set_action(signal: c_int, action: &libc::sigaction) {
    // SAFETY: SIGNALS-P1: an action that was there before; or `fatal`, which does what a handler may (SIGNALS-H1).
    unsafe { libc::sigaction(signal, action, std::ptr::null_mut()) };
}

fn install(signal: c_int) {
    let (before, now) = (before(signal), action(signal));
    // CRASH-S1. Who ignores a signal does not die of it.
    if before.ours.load(Acquire) || now.sa_sigaction == libc::SIG_IGN {
        return;
    }
    before.handler.store(now.sa_sigaction, Relaxed);
    before.flags.store(now.sa_flags, Relaxed);
    before.ours.store(true, Release);
    arm(signal, now);
}

/// In place of `now`: with its mask, on its stack; on the alternate one, if there is one, where it is none.
fn arm(signal: c_int, now: libc::sigaction) {
    let flags = match now.sa_sigaction {
        libc::SIG_DFL => libc::SA_ONSTACK,
        // What this one does, it has to do itself.
        _ => now.sa_flags & !libc::SA_RESETHAND,
    };
    set_action(signal, &libc::sigaction { sa_sigaction: ours(), sa_flags: flags | libc::SA_SIGINFO, ..now });
}

/// Takes the handler away. One that the program has put over it stays, and may call it.
fn put_back(signal: c_int) {
    let (before, now) = (before(signal), action(signal));
    if now.sa_sigaction == ours() {
        let (handler, flags) = (before.handler.load(Relaxed), before.flags.load(Relaxed));
        set_action(signal, &libc::sigaction { sa_sigaction: handler, sa_flags: flags, ..now });
        before.ours.store(false, Release);
    }
}

/// Whether this runs on an alternate stack, which may be as small as 8 KiB.
fn on_alternate_stack() -> bool {
    let mut stack = MaybeUninit::<libc::stack_t>::zeroed();
    // SAFETY: asks only.
    unsafe { libc::sigaltstack(std::ptr::null(), stack.as_mut_ptr()) };
    // SAFETY: all zero is a stack; written by the call.
    unsafe { stack.assume_init() }.ss_flags & libc::SS_ONSTACK != 0
}

unsafe extern "C-unwind" fn fatal(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let before = before(signal);
    let (handler, flags) = (before.handler.load(Relaxed), before.flags.load(Relaxed));
    if let Some(look) = LOOK.get() {
        look(handler == libc::SIG_DFL);
    }
    if handler == libc::SIG_DFL {
        return once_more(signal, info);
    }
    if flags & libc::SA_RESETHAND != 0 {
        set_action(signal, &libc::sigaction { sa_sigaction: libc::SIG_DFL, ..action(signal) });
        before.ours.store(false, Release);
    }
    // Rust's own says that the stack has overflowed, and aborts: no room for a second handler there.
    let aborts = on_alternate_stack() && action(libc::SIGABRT).sa_sigaction == ours();
    if aborts {
        put_back(libc::SIGABRT);
    }
    if flags & libc::SA_SIGINFO != 0 {
        // SAFETY: an action with this flag is such a function.
        let handler = unsafe { std::mem::transmute::<usize, Handler>(handler) };
        // SAFETY: with what the kernel has passed for it.
        unsafe { handler(signal, info, context) };
    } else {
        // SAFETY: an action without it is such a function.
        let handler = unsafe { std::mem::transmute::<usize, unsafe extern "C-unwind" fn(c_int)>(handler) };
        // SAFETY: as above.
        unsafe { handler(signal) };
    }
    if aborts {
        install(libc::SIGABRT);
    }
}

/// The default action: this thread gets the same signal when the handler returns, where it got it before. Also if this
/// was called by a handler that has replaced it.
fn once_more(signal: c_int, info: *mut libc::siginfo_t) {
    set_action(signal, &libc::sigaction { sa_sigaction: libc::SIG_DFL, ..action(signal) });
    let (pid, thread) =
        (rustix::process::getpid().as_raw_nonzero(), rustix::thread::gettid().as_raw_nonzero());
    let call = libc::SYS_rt_tgsigqueueinfo;
    // SAFETY: what the kernel has passed, to ourselves.
    let sent = unsafe { libc::syscall(call, pid.get(), thread.get(), signal, info) };
    if sent != 0 {
        // SAFETY: always sound.
        unsafe { libc::raise(signal) };
    }
}
