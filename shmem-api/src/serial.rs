//! A value that one thread uses at a time: by a lock where the program may call from several threads
//! at once, by a promise where it may not.
//!
//! Invariant **X1**: while the closure of [`Serial::with`] runs, no other access to the value exists.
//! At `Multiple` the mutex sees to it. Below, the thread level does: the library is called by one
//! thread at a time, which the safe API proves (`World<Single>` is neither `Send` nor `Sync`) and the
//! raw API demands; a call back into the same value is caught by `busy`. The level may rise while the
//! library is up, but only while no thread is inside (`is_in_use`).
#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};

use parking_lot::Mutex;

use crate::exit::child;
use crate::level;

pub(crate) struct Serial<T> {
    lock: Mutex<()>,
    busy: Cell<bool>,
    value: UnsafeCell<T>,
}

// SAFETY: X1: accesses do not overlap, whichever thread makes them; `busy` is touched within them only.
unsafe impl<T: Send> Sync for Serial<T> {}

impl<T> Serial<T> {
    pub(crate) fn new(value: T) -> Serial<T> {
        Serial { lock: Mutex::new(()), busy: Cell::new(false), value: UnsafeCell::new(value) }
    }

    /// Whether somebody is using the value, by the caller's account or another thread's.
    pub(crate) fn is_in_use(&self) -> bool {
        match level::multiple() {
            true => self.lock.is_locked(),
            // The thread level makes this thread the only one.
            false => self.busy.get(),
        }
    }

    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // Another thread of its parent may be inside, for ever.
        if child::is_marked() {
            child::refuse("a collective or a heap call");
        }
        let guard = level::multiple().then(|| self.lock.lock());
        assert!(!self.busy.replace(true), "a collective call was made from within another");
        let reset = Reset(&self.busy);
        // SAFETY: X1: the lock or the thread level excludes other threads, `busy` this one.
        let result = f(unsafe { &mut *self.value.get() });
        drop(reset);
        drop(guard);
        result
    }
}

struct Reset<'a>(&'a Cell<bool>);

impl Drop for Reset<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
