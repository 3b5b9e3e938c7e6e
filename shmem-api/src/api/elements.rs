//! This PE's elements of an object, as an ordinary slice: where bytes of a segment become a Rust reference, and nowhere else.
//!
//! ```text
//!   SymSlice, SymPart, OwnSlice ── who is told when it goes
//!            └─ Elements ── offset, base, len ──► &[T], &mut [T]; objects of collectives
//! ```
//!
//! Invariants: **SYM-S7** the offset of a live object is unique, since its block is freed only after every
//! PE has dropped it; **SYM-Y1** `base` points to this PE's own `len` elements, aligned, initialised,
//! mapped as long as the engine is borrowed, and outside a phase that shares the object nobody else accesses them: so
//! `Elements` are as a `&mut [T]`, which claims nothing before it is looked at.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use memheap::place::{Near, Reach};
use memheap::{Align, Bytes, Offset};

use crate::coll::object::{Dest, Source};
use crate::engine::Engine;
use crate::error::Error;
use crate::heap::{Fresh, Request};
use crate::types::call_site::CallSite;
use crate::types::elem::{Elem, check_layout};
use crate::types::object::ObjectType;

/// The elements. Whoever has them gives their block back when they go.
pub(super) struct Elements<'e, T: Elem> {
    /// Where they are in a segment.
    at: Offset,
    base: NonNull<T>,
    len: usize,
    of: PhantomData<&'e mut [T]>,
}

// SAFETY: SYM-Y1: like a `&mut [T]`.
unsafe impl<T: Elem> Send for Elements<'_, T> {}
// SAFETY: SYM-Y1: shared ones give out `&[T]` only.
unsafe impl<T: Elem> Sync for Elements<'_, T> {}

impl<'e, T: Elem> Elements<'e, T> {
    /// Collective: those of a new symmetric object, all zero.
    pub(super) fn symmetric(
        engine: &'e Engine,
        len: usize,
        what: ObjectType,
        (reach, near): (Reach, Near),
        site: CallSite,
    ) -> Result<Elements<'e, T>, Error> {
        const { check_layout::<T>() };
        // More bytes than there can be are asked for like any others, so that the PEs can still disagree.
        let size = Bytes(len.saturating_mul(size_of::<T>()) as u64);
        // A share comes before anybody's put, and every PE has zeroed its own by then.
        let request =
            Request { call: "alloc", size, align: align::<T>(), what, reach, near, zeroed: false, site };
        let block = engine.alloc(request)?;
        // SAFETY: MODULE-M1: a new block for `len` elements at the alignment of `T` (where the heap lies at one), which nobody
        // else knows of before it is shared; of size 0, none.
        Ok(unsafe { Elements::of_block(engine, block, len) })
    }

    /// Local: those of a new array in this PE's own space, all zero. If it has none, nothing is taken.
    pub(super) fn own(engine: &'e Engine, len: usize, near: Near) -> Result<Elements<'e, T>, Error> {
        const { check_layout::<T>() };
        let size = size_of::<T>();
        let bytes = len.checked_mul(size).ok_or(Error::TooLong { pe: engine.me, len, size })?;
        let block = match bytes {
            0 => Fresh { at: Offset(0), used: Bytes(0) },
            _ => engine.alloc_local(Bytes(bytes as u64), align::<T>(), near)?,
        };
        // SAFETY: MODULE-M1: a new block for `len` elements at the alignment of `T` in this PE's own space, which no other PE
        // addresses; of size 0, none.
        Ok(unsafe { Elements::of_block(engine, block, len) })
    }

    /// # Safety
    /// A new block of this engine's heap for `len` elements, aligned for them, that only the caller knows of and gives back
    /// after the elements have gone; none if they are of no bytes.
    unsafe fn of_block(engine: &'e Engine, block: Fresh, len: usize) -> Elements<'e, T> {
        if len == 0 {
            return Elements { at: block.at, base: NonNull::dangling(), len, of: PhantomData };
        }
        // Zeroes are a valid `T`, and what is not `used` is zero.
        engine.clear(block.at, block.used);
        let base = NonNull::new(engine.address(block.at).cast()).unwrap_or(NonNull::dangling());
        Elements { at: block.at, base, len, of: PhantomData }
    }

    /// Where they are. No reference is made to them.
    pub(super) fn base(&self) -> *mut T {
        self.base.as_ptr()
    }

    /// The same ones, borrowed.
    pub(super) fn borrowed(&mut self) -> Elements<'_, T> {
        Elements { of: PhantomData, ..*self }
    }

    /// Those before number `mid`, and the others.
    ///
    /// # Panics
    /// If `mid > len`.
    pub(super) fn split(self, mid: usize) -> [Elements<'e, T>; 2] {
        assert!(mid <= self.len, "cannot split {} elements at {mid}", self.len);
        // SAFETY: SYM-Y1: within the elements, or one past their end.
        let second = unsafe { self.base.add(mid) };
        let at = Offset(self.at.0 + (mid * size_of::<T>()) as u64);
        let parts = [(self.at, self.base, mid), (at, second, self.len - mid)];
        parts.map(|(at, base, len)| Elements { at, base, len, of: PhantomData })
    }

    /// Where they are in the segment: of a symmetric object the same on every PE.
    #[inline]
    pub(super) fn at(&self) -> Offset {
        self.at
    }

    /// How many they are. No reference is made to them.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.len
    }

    /// What a collective writes, while they are borrowed for that.
    pub(super) fn as_dest(&mut self) -> Dest<'_, T> {
        // SAFETY: COLL-K5, by SYM-Y1 and since `&mut self` excludes everybody else; not ready before a meeting.
        unsafe { Dest::new(self.base.as_ptr(), self.len, self.at.0, false) }
    }

    /// What a collective reads, while they are borrowed for that.
    pub(super) fn as_source(&self) -> Source<'_, T> {
        // SAFETY: COLL-K5, by SYM-Y1, and since `&self` excludes whoever would write.
        unsafe { Source::new(self.base.as_ptr(), self.len, self.at.0) }
    }
}

impl<T: Elem> Deref for Elements<'_, T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: SYM-Y1: the object is local, since sharing it borrows it mutably (or read-only, when nobody can write);
        // `&self` excludes a local writer.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.len) }
    }
}

impl<T: Elem> DerefMut for Elements<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: SYM-Y1, and `&mut self` excludes everybody else.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.len) }
    }
}

/// At which blocks for `T` are asked for.
fn align<T>() -> Align {
    Align::new(align_of::<T>() as u64).unwrap_or(Align::DEFAULT).max(Align::DEFAULT)
}
