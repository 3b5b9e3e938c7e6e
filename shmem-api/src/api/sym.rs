//! Symmetric objects as Rust values, in their *local* phase.
//!
//! A [`SymSlice`] is this PE's part of an object that every PE has at the same offset. While it is
//! local, nobody else can touch it, and it is an ordinary slice; to let the others at it, share it
//! (see [`crate::api::phase`]).
//!
//! Invariants: **SYM-S7** the offset of a live object is unique, since its block is freed only after every
//! PE has dropped it; **SYM-Y1** `base` points to this PE's own `len` elements, aligned, initialised,
//! mapped for `'w`, and outside a phase that shares the object no other PE accesses them.
#![allow(unsafe_code)]

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use memheap::{Bytes, Offset};

use crate::coll::object::{Dest, Source};
use crate::heap::DropQueue;
use crate::process::child;
use crate::types::elem::Elem;

/// A symmetric array: `len` elements on every PE, at the same offset of its heap.
///
/// Dropping it is not collective: the memory is given back at the next collective heap call after
/// every PE has dropped its part.
pub struct SymSlice<'w, T: Elem> {
    pub(crate) at: Offset,
    base: NonNull<T>,
    pub(crate) len: usize,
    queue: &'w DropQueue,
    owned: PhantomData<&'w mut T>,
}

/// One symmetric value: a [`SymSlice`] of length one that derefs to its element.
pub struct SymBox<'w, T: Elem>(pub(crate) SymSlice<'w, T>);

/// A part of a symmetric array, borrowed from it, which can be shared while the rest stays local.
/// See [`SymSlice::parts_mut`].
pub struct SymPart<'p, T: Elem> {
    pub(crate) at: Offset,
    base: NonNull<T>,
    pub(crate) len: usize,
    borrowed: PhantomData<&'p mut [T]>,
}

// SAFETY: SYM-Y1: like a `&mut [T]` plus a queue that is `Sync`.
unsafe impl<T: Elem> Send for SymSlice<'_, T> {}
// SAFETY: SYM-Y1: a shared `SymSlice` gives out `&[T]` only.
unsafe impl<T: Elem> Sync for SymSlice<'_, T> {}
// SAFETY: SYM-Y1: like a `&mut [T]`.
unsafe impl<T: Elem> Send for SymPart<'_, T> {}
// SAFETY: SYM-Y1: a shared `SymPart` gives out `&[T]` only.
unsafe impl<T: Elem> Sync for SymPart<'_, T> {}

impl<'w, T: Elem> SymSlice<'w, T> {
    /// # Safety
    /// SYM-Y1 holds for `base` and `len`, and the block at `at` is this object's alone.
    pub(crate) unsafe fn new(at: Offset, base: NonNull<T>, len: usize, queue: &'w DropQueue) -> Self {
        SymSlice { at, base, len, queue, owned: PhantomData }
    }

    /// Splits the array at element `mid`, so that one part can be shared while the other stays an
    /// ordinary slice. Not collective; to share a part, every PE must split alike.
    ///
    /// # Panics
    /// If `mid > len`.
    pub fn parts_mut(&mut self, mid: usize) -> (SymPart<'_, T>, SymPart<'_, T>) {
        SymPart { at: self.at, base: self.base, len: self.len, borrowed: PhantomData }.split(mid)
    }

    /// Where this PE's elements are. No reference is made to them.
    pub(crate) fn base(&self) -> *mut T {
        self.base.as_ptr()
    }

    /// The offset of the array in the symmetric heap, in bytes: the same on every PE.
    pub fn offset(&self) -> u64 {
        self.at.0
    }
}

impl<'p, T: Elem> SymPart<'p, T> {
    /// Splits the part at its element `mid`.
    ///
    /// # Panics
    /// If `mid > len`.
    pub fn split(self, mid: usize) -> (SymPart<'p, T>, SymPart<'p, T>) {
        assert!(mid <= self.len, "cannot split {} elements at {mid}", self.len);
        // SAFETY: within the array, or one past its end.
        let second = unsafe { self.base.add(mid) };
        let at = Offset(self.at.0 + (mid * size_of::<T>()) as u64);
        (
            SymPart { at: self.at, base: self.base, len: mid, borrowed: PhantomData },
            SymPart { at, base: second, len: self.len - mid, borrowed: PhantomData },
        )
    }
}

impl<T: Elem> Drop for SymSlice<'_, T> {
    fn drop(&mut self) {
        if self.len > 0 && !child::is_marked() {
            self.queue.push(self.at);
        }
    }
}

macro_rules! local_slice {
    ($($name:ident),*) => {$(
        impl<T: Elem> $name<'_, T> {
            /// Its length in bytes, without looking at an element: also for when it is shared.
            pub(crate) fn bytes(&self) -> Bytes {
                Bytes((self.len * size_of::<T>()) as u64)
            }

            /// What a collective writes, while it is borrowed for that.
            pub(crate) fn as_dest(&mut self) -> Dest<'_, T> {
                // SAFETY: COLL-K5, by SYM-Y1 and since `&mut self` excludes everybody else; not ready before a meeting.
                unsafe { Dest::new(self.base.as_ptr(), self.len, self.at.0, false) }
            }

            /// What a collective reads, while it is borrowed for that.
            pub(crate) fn as_source(&self) -> Source<'_, T> {
                // SAFETY: COLL-K5, by SYM-Y1, and since `&self` excludes whoever would write.
                unsafe { Source::new(self.base.as_ptr(), self.len, self.at.0) }
            }
        }
        impl<T: Elem> Deref for $name<'_, T> {
            type Target = [T];
            #[inline]
            fn deref(&self) -> &[T] {
                // SAFETY: SYM-Y1: the object is local, since sharing it borrows it mutably (or read-only,
                // when nobody can write); `&self` excludes a local writer.
                unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.len) }
            }
        }
        impl<T: Elem> DerefMut for $name<'_, T> {
            #[inline]
            fn deref_mut(&mut self) -> &mut [T] {
                // SAFETY: SYM-Y1, and `&mut self` excludes everybody else.
                unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.len) }
            }
        }
        impl<T: Elem + fmt::Debug> fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} at {} ", stringify!($name), self.at)?;
                f.debug_list().entries(self.iter()).finish()
            }
        }
    )*};
}

local_slice!(SymSlice, SymPart);

impl<T: Elem> Deref for SymBox<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.0[0]
    }
}

impl<T: Elem> DerefMut for SymBox<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0[0]
    }
}

impl<T: Elem + fmt::Debug> fmt::Debug for SymBox<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SymBox at {} {:?}", self.0.at, **self)
    }
}
