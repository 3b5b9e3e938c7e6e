//! Links that several PEs change at once: objects of pointers, and the atomics on them.
//!
//! ```text
//!   head │ ptr │ ◄── compare_swap: only who saw the old pointer puts a new one
//! ```
//!
//! A pointer is a word, so these are the atomics of words.

use crate::api::global_ptr::GlobalPtr;
use crate::api::phase::Remote;
use crate::types::elem::Elem;
use crate::types::thread_level::Level;

impl<'s, T: Elem, L: Level> Remote<'s, GlobalPtr<T>, L> {
    /// The same object as the words its pointers are, for waits and other atomics: a pointer is a
    /// transparent wrapper of a word, and any word is a pointer.
    #[inline]
    pub fn words(&self) -> Remote<'s, u64, L> {
        self.cast()
    }
}

/// All panic as [`Remote::put`] does.
impl<T: Elem, L: Level> Remote<'_, GlobalPtr<T>, L> {
    /// Atomically puts `new` if `expected` is there; returns what was there.
    #[inline]
    pub fn compare_swap(
        &self,
        pe: usize,
        at: usize,
        expected: GlobalPtr<T>,
        new: GlobalPtr<T>,
    ) -> GlobalPtr<T> {
        GlobalPtr::from_bits(self.words().compare_swap(pe, at, expected.to_bits(), new.to_bits()))
    }

    /// Atomically puts `value` and returns what was there.
    #[inline]
    pub fn swap(&self, pe: usize, at: usize, value: GlobalPtr<T>) -> GlobalPtr<T> {
        GlobalPtr::from_bits(self.words().swap(pe, at, value.to_bits()))
    }

    /// Atomically reads; what was put before the pointer is visible afterwards.
    #[inline]
    pub fn fetch(&self, pe: usize, at: usize) -> GlobalPtr<T> {
        GlobalPtr::from_bits(self.words().fetch(pe, at))
    }

    /// Atomically writes.
    #[inline]
    pub fn set(&self, pe: usize, at: usize, value: GlobalPtr<T>) {
        self.words().set(pe, at, value.to_bits());
    }
}
