//! A value that one thread uses at a time: by a lock where the program may call from several threads
//! at once, by a promise where it may not.
//!
//! ```text
//!   at Multiple   another thread waits for the lock; the thread that has it, and calls again, is found out
//!   below         nobody waits: whoever finds the value in use is another thread that must not be there, or this
//!                 one again, in a signal handler or a component
//! ```
//!
//! Invariant **SERIAL-X1**: while the closure of [`Serial::with`] runs, no other access to the value exists.
//! At `Multiple` the mutex sees to it, against other threads. Below, the thread level does: the library is called by one
//! thread at a time, which the safe API proves (`World<Single>` is neither `Send` nor `Sync`) and the
//! raw API demands. A call from within another on the same value is caught by `in_use`, always; a second thread that
//! breaks its promise, unless both come within the same few nanoseconds. Either ends the job with one line. The
//! level may rise while the library is up, but only while no thread is inside (`is_in_use`).
#![allow(unsafe_code)]

use std::cell::UnsafeCell;

use parking_lot::ReentrantMutex;

use crate::exit::end::end_job;
use crate::node::Node;
use crate::process::child;
use crate::process::private::{AtomicBool, Ordering};
use crate::process::say::say;
use crate::process::status::{PANICKED, leave_now};
use crate::types::thread_level;

pub(crate) struct Serial<T> {
    /// Reentrant, so that a thread that has it finds out that it has.
    lock: ReentrantMutex<()>,
    in_use: AtomicBool,
    /// What the value is, for the line.
    what: &'static str,
    value: UnsafeCell<T>,
}

// SAFETY: SERIAL-X1: accesses do not overlap, whichever thread makes them.
unsafe impl<T: Send> Sync for Serial<T> {}

impl<T> Serial<T> {
    pub(crate) fn new(what: &'static str, value: T) -> Serial<T> {
        let (lock, in_use) = (ReentrantMutex::new(()), AtomicBool::new(false));
        Serial { lock, in_use, what, value: UnsafeCell::new(value) }
    }

    /// The value, which nobody is using.
    pub(crate) fn into_inner(self) -> T {
        self.value.into_inner()
    }

    /// Whether somebody is using the value, by the caller's account or another thread's.
    pub(crate) fn is_in_use(&self) -> bool {
        match thread_level::multiple() {
            true => self.lock.is_locked(),
            // The thread level makes this thread the only one.
            false => self.in_use.load(Ordering::Relaxed),
        }
    }

    /// Uses the value in `call`, as the program or the other PEs know it.
    #[inline]
    pub(crate) fn with<R>(&self, call: impl std::fmt::Display, f: impl FnOnce(&mut T) -> R) -> R {
        // Another thread of its parent may be inside, for ever.
        if child::is_marked() {
            child::refuse(&call.to_string());
        }
        let guard = thread_level::multiple().then(|| self.lock.lock());
        // No exchange: below `Multiple` it would only narrow the window for those who break their promise.
        if self.in_use.load(Ordering::Relaxed) {
            self.refuse(&call);
        }
        self.in_use.store(true, Ordering::Relaxed);
        let reset = Reset(&self.in_use);
        // SAFETY: SERIAL-X1: the lock or the thread level excludes other threads, `in_use` this one.
        let result = f(unsafe { &mut *self.value.get() });
        drop(reset);
        drop(guard);
        result
    }

    #[cold]
    #[inline(never)]
    fn refuse(&self, call: &dyn std::fmt::Display) -> ! {
        let (have, what) = (thread_level::in_force(), self.what);
        let who = match thread_level::multiple() {
            true => "by a signal handler or a component: neither may",
            false => {
                "by another thread, a signal handler or a component: let one call end before the next, or ask for \
                 SHMEM_THREAD_MULTIPLE, which lets threads in"
            }
        };
        let line = format!(
            "{call}: called at thread level {have:?} while another call that uses {what} is under way on this PE, {who}; \
             ending the job"
        );
        Node::with_current(|node| -> () { end_job(node, PANICKED, &format!("PE {}: {line}", node.me)) });
        say(&line);
        leave_now(PANICKED)
    }
}

struct Reset<'a>(&'a AtomicBool);

impl Drop for Reset<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
