//! The objects of a collective call, and the only accesses to them that its algorithm has.
//!
//! ```text
//!   raw::coll    C's pointers, and what the caller promises ─┐                ┌ OwnDest, OwnSource         this PE's
//!                                                            ├ Dest, Source ──┤
//!   api::sym     borrows of objects that are local ──────────┘     Group      └ MemberDest, MemberSource   a member's
//! ```
//!
//! An object is vouched for once, where it is made. From there on a piece of it is as long as was checked; what is copied
//! goes to or from a piece, a [`Chunk`] or a slice; and whose memory it is in which stage of a call, the [`Group`] sees to.
//! Addresses are checked where a piece is made of them: CALL-V2.
//!
//! Invariants: **COLL-K5** while a [`Dest`] or a [`Source`] lives, this PE's elements are there: of a dest the call's alone,
//! of a source such that nobody writes them; but a source may be the call's dest. Members find their own, as long, at the same
//! symmetric address: that they compare, or the caller has promised it (COLL-K1). **COLL-K6** a [`MemberDest`] or a [`MemberSource`] is a piece of an object of the same call on a member
//! that is in the call until this PE has closed it, or that has promised its dest before (COLL-K1); it lies inside of what was
//! checked.
//!
//! [`Group`]: crate::coll::group::Group
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ptr;

use crate::call::transfer::mapped::fits;
use crate::call::{Call, bytes};
use crate::coll::pieces::{CHUNK, Chunk, extent, overlap};
use crate::memory::copy;
use crate::node::signature::Position;
use crate::transport::Target;
use crate::types::elem::Elem;

/// What a collective writes: an array of this PE's, at the same symmetric address on every member.
pub struct Dest<'o, T> {
    at: *mut T,
    pub(super) len: usize,
    /// Where it is, as the members compare it.
    pub(super) position: u64,
    /// COLL-K1 holds before any meeting.
    pub(super) ready: bool,
    borrowed: PhantomData<&'o mut [T]>,
}

/// What a collective reads. At the same symmetric address on every member, if it has a position.
pub struct Source<'o, T> {
    at: *const T,
    len: usize,
    /// Where it is, as the members compare it; `Position::NONE` if they do not.
    pub(super) position: u64,
    borrowed: PhantomData<&'o [T]>,
}

impl<'o, T: Elem> Dest<'o, T> {
    /// `len` elements at `at`, which is where `position` says.
    ///
    /// # Safety
    /// COLL-K5 for `'o`, if `at` is symmetric memory, which is checked; of a collect for as many elements of `len` as all
    /// sources have together. If `ready`, COLL-K1, too: members may write theirs before they have met.
    #[inline]
    pub(crate) unsafe fn new(at: *mut T, len: usize, position: u64, ready: bool) -> Self {
        Dest { at, len, position, ready, borrowed: PhantomData }
    }

    /// No object.
    pub(crate) fn none() -> Self {
        Dest { at: ptr::null_mut(), len: 0, position: Position::NONE, ready: false, borrowed: PhantomData }
    }

    /// How many elements it has.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Its first elements.
    pub(crate) fn first(self, n: usize) -> Self {
        assert!(n <= self.len, "COLL-K5: {n} elements of {}", self.len);
        Dest { len: n, ..self }
    }

    /// The same object as a source.
    pub(crate) fn in_place(&self) -> Source<'o, T> {
        Source { at: self.at, len: self.len, position: self.position, borrowed: PhantomData }
    }

    /// This PE's own.
    #[inline]
    pub(super) fn own(&self, call: Call) -> OwnDest<'o, T> {
        let at = call.own_target(self.at.cast(), bytes::<T>(self.len)).cast();
        OwnDest { at, len: self.len, borrowed: PhantomData }
    }

    /// `n` elements from the `at`th of `pe`'s. All of the object is checked, so that one that ends too early is named
    /// whoever's piece does not fit.
    ///
    /// # Safety
    /// COLL-K6 for as long as the piece lives.
    #[inline]
    pub(super) unsafe fn of<'m>(&self, call: Call, pe: i32, at: usize, n: usize) -> MemberDest<'m, T> {
        let target = piece::<T>(call, (self.at, self.len), pe, at, n);
        MemberDest { target, n, borrowed: PhantomData }
    }
}

impl<'o, T: Elem> Dest<'o, T> {
    /// As [`of`](Self::of), to be read.
    ///
    /// # Safety
    /// As there.
    #[inline]
    pub(super) unsafe fn written<'m>(&self, call: Call, pe: i32, at: usize, n: usize) -> MemberSource<'m, T> {
        let target = piece::<T>(call, (self.at, self.len), pe, at, n);
        MemberSource { target, n, borrowed: PhantomData }
    }
}

impl<'o, T: Elem> Source<'o, T> {
    /// `len` elements at `at`, which is where `position` says, or `Position::NONE` if this PE alone reads them.
    ///
    /// # Safety
    /// COLL-K5 for `'o`, if `at` is symmetric memory, which is checked.
    #[inline]
    pub(crate) unsafe fn new(at: *const T, len: usize, position: u64) -> Self {
        Source { at, len, position, borrowed: PhantomData }
    }

    /// No object.
    pub(crate) fn none() -> Self {
        Source { at: ptr::null(), len: 0, position: Position::NONE, borrowed: PhantomData }
    }

    /// How many elements it has.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The same, which the members need not have at the same address: this PE alone reads it.
    pub(crate) fn of_this_pe(self) -> Self {
        Source { position: Position::NONE, ..self }
    }

    /// Where this PE's is, for [`of_at`](Self::of_at).
    #[inline]
    pub(super) fn place(&self, call: Call) -> u64 {
        call.position(self.own(call).at, self.len)
    }

    /// This PE's own.
    #[inline]
    pub(super) fn own(&self, call: Call) -> OwnSource<'o, T> {
        let at = call.own_target(self.at.cast(), bytes::<T>(self.len)).cast_const().cast();
        OwnSource { at, len: self.len, borrowed: PhantomData }
    }

    /// `n` elements from the `at`th of `pe`'s; see [`Dest::of`].
    ///
    /// # Safety
    /// COLL-K6 for as long as the piece lives.
    #[inline]
    pub(super) unsafe fn of<'m>(&self, call: Call, pe: i32, at: usize, n: usize) -> MemberSource<'m, T> {
        let target = piece::<T>(call, (self.at, self.len), pe, at, n);
        MemberSource { target, n, borrowed: PhantomData }
    }

    /// As [`of`](Self::of), of a source that is elsewhere there.
    ///
    /// # Safety
    /// As there.
    #[inline]
    pub(super) unsafe fn of_at<'m>(
        &self,
        call: Call,
        (pe, position): (i32, u64),
        at: usize,
        n: usize,
    ) -> MemberSource<'m, T> {
        let there = call.own_address(position).cast();
        let target = piece::<T>(call, (there, self.len), pe, at, n);
        MemberSource { target, n, borrowed: PhantomData }
    }
}

/// Where `n` elements from the `at`th of an object are on a PE: inside of the object, which is checked.
#[inline]
fn piece<T>(call: Call, (object, len): (*const T, usize), pe: i32, at: usize, n: usize) -> Target {
    let whole = call.target(object.cast(), bytes::<T>(len), pe).target();
    assert!(fits(at, n, len), "COLL-K6: {n} elements from {at} of {len}");
    whole.plus(bytes::<T>(at))
}

/// A dest of this PE's, checked.
#[derive(Clone, Copy)]
pub(crate) struct OwnDest<'o, T> {
    at: *mut T,
    len: usize,
    borrowed: PhantomData<&'o mut [T]>,
}

/// A source of this PE's, checked.
#[derive(Clone, Copy)]
pub(crate) struct OwnSource<'o, T> {
    at: *const T,
    len: usize,
    borrowed: PhantomData<&'o [T]>,
}

impl<T: Elem> OwnDest<'_, T> {
    /// `n` elements from the `at`th.
    #[inline]
    pub(crate) fn part(self, at: usize, n: usize) -> Self {
        assert!(fits(at, n, self.len), "COLL-K5: {n} elements from {at} of {}", self.len);
        OwnDest { at: self.at.wrapping_add(at), len: n, ..self }
    }

    /// Writes elements from the `at`th on.
    #[inline]
    pub(crate) fn put(self, at: usize, from: &[T]) {
        let to = self.part(at, from.len());
        // SAFETY: COLL-K5: these elements are this PE's and the call's alone, so no slice is made of them.
        unsafe { copy::put(to.at, from.as_ptr(), from.len()) }
    }

    /// Reads the elements from the `at`th on into a chunk, which must hold them.
    pub(crate) fn get(self, at: usize, n: usize, chunk: &mut Chunk) -> &mut [T] {
        let from = Target::Mapped(self.part(at, n).at.cast());
        MemberSource { target: from, n, borrowed: PhantomData }.get(chunk)
    }

    /// Writes all of it.
    #[inline]
    pub(crate) fn put_own(self, from: OwnSource<'_, T>) {
        // SAFETY: COLL-K5: these elements are the call's alone.
        unsafe { put_object(Target::Mapped(self.at.cast()), self.len, from) }
    }
}

impl<T: Elem> OwnSource<'_, T> {
    /// `n` elements from the `at`th.
    #[inline]
    pub(crate) fn part(self, at: usize, n: usize) -> Self {
        assert!(fits(at, n, self.len), "COLL-K5: {n} elements from {at} of {}", self.len);
        OwnSource { at: self.at.wrapping_add(at), len: n, ..self }
    }

    /// Copies them to the first of some words; how many these are.
    #[inline]
    pub(super) fn to_words(self, words: &mut [u64]) -> usize {
        let n = bytes::<T>(self.len).div_ceil(8);
        let words = &mut words[..n];
        // SAFETY: COLL-K5: nobody writes them; there are words enough, as just seen.
        unsafe { copy::get(words.as_mut_ptr().cast::<T>(), self.at, self.len) };
        n
    }
}

impl Chunk {
    /// Holds these elements.
    pub(crate) fn hold<T: Elem>(&mut self, elements: &[T]) -> &mut [T] {
        let from = OwnSource { at: elements.as_ptr(), len: elements.len(), borrowed: PhantomData };
        let target = Target::Mapped(from.at.cast_mut().cast());
        MemberSource { target, n: from.len, borrowed: PhantomData }.get(self)
    }
}

/// A piece of a member's dest, while its elements may be written.
pub(crate) struct MemberDest<'m, T> {
    target: Target,
    n: usize,
    borrowed: PhantomData<&'m mut [T]>,
}

/// A piece of a member's source, while its elements may be read.
pub(crate) struct MemberSource<'m, T> {
    target: Target,
    n: usize,
    borrowed: PhantomData<&'m [T]>,
}

impl<T: Elem> MemberDest<'_, T> {
    /// Writes all of it.
    #[inline]
    pub(crate) fn put(self, from: &[T]) {
        assert_eq!(from.len(), self.n, "COLL-K6: a piece is as long as what is put there");
        // SAFETY: COLL-K6; COLL-K5: what is private, as a slice is, overlaps no object.
        unsafe { self.target.put(from.as_ptr(), self.n) }
    }

    /// Writes all of it, from an object that it may overlap, if it is this PE's, too.
    #[inline]
    pub(crate) fn put_own(self, from: OwnSource<'_, T>) {
        // SAFETY: COLL-K6.
        unsafe { put_object(self.target, self.n, from) }
    }

    /// Writes `n` elements of it, `dst` elements from one to the next, which are `sst` apart in `from`.
    #[inline]
    pub(crate) fn put_strided(self, from: OwnSource<'_, T>, [dst, sst]: [usize; 2], n: usize) {
        let extents = [dst, sst].map(|stride| extent(n, stride));
        assert!(n > 0 && dst > 0 && sst > 0, "COLL-K6: there are elements and strides");
        assert_eq!(extents, [self.n, from.len], "COLL-K6: a piece is as long as its elements reach");
        let [to_len, from_len] = extents.map(bytes::<T>);
        match self.target {
            Target::Mapped(to) if overlap((to.addr(), to_len), (from.at.addr(), from_len)) => {
                for i in 0..n {
                    // SAFETY: COLL-K5: an element of this PE's source.
                    let element = unsafe { copy::load(from.at.wrapping_add(i * sst)) };
                    // SAFETY: COLL-K6: an element of the piece.
                    unsafe { copy::store(to.cast::<T>().wrapping_add(i * dst), element) };
                }
            }
            // SAFETY: COLL-K6, and COLL-K5 of the source, as far as the strides reach; they do not overlap.
            to => unsafe { to.put_blocks(from.at, [dst, sst], 1, n) },
        }
    }
}

impl<T: Elem> MemberSource<'_, T> {
    /// Reads it into a chunk, which must hold it.
    #[inline]
    pub(crate) fn get(self, chunk: &mut Chunk) -> &mut [T] {
        const { assert!(align_of::<T>() <= 64 && size_of::<T>() <= CHUNK) };
        assert!(self.n <= Chunk::holds::<T>());
        let to = chunk.0.as_mut_ptr().cast::<T>();
        // SAFETY: COLL-K6; the chunk is as large as just asserted, and private.
        unsafe { self.target.get(to, self.n) };
        // SAFETY: `n` elements have just been written there, aligned, and any bytes are a valid T.
        unsafe { std::slice::from_raw_parts_mut(to, self.n) }
    }

    /// Reads it into a private place that is as long.
    pub(crate) fn get_into(self, to: &mut [T]) {
        assert_eq!(to.len(), self.n, "COLL-K6: a piece is as long as the place it is read into");
        // SAFETY: COLL-K6; the place is as long, and private.
        unsafe { self.target.get(to.as_mut_ptr(), self.n) }
    }

    /// Reads it into an object that is as long, and that it may overlap, if it is this PE's, too.
    #[inline]
    pub(crate) fn get_own(self, to: OwnDest<'_, T>) {
        assert_eq!(to.len, self.n, "COLL-K6: a piece is as long as the place it is read into");
        let n = bytes::<T>(self.n);
        match self.target {
            Target::Mapped(from) if overlap((to.at.addr(), n), (from.addr(), n)) => {
                // SAFETY: COLL-K5: both are this PE's, and in this call.
                unsafe { copy::carry(to.at.cast(), from, n) }
            }
            // SAFETY: COLL-K6, and COLL-K5 of the dest; they do not overlap, as just seen or since one is far.
            from => unsafe { from.get(to.at, self.n) },
        }
    }
}

/// Copies a source to `n` elements at `to`, which it may overlap, if they are this PE's, too.
///
/// # Safety
/// They may be written, by COLL-K5 or COLL-K6.
#[inline]
unsafe fn put_object<T: Elem>(to: Target, n: usize, from: OwnSource<'_, T>) {
    assert_eq!(n, from.len, "COLL-K6: a piece is as long as what is put there");
    let len = bytes::<T>(n);
    match to {
        Target::Mapped(to) if overlap((to.addr(), len), (from.at.addr(), len)) => {
            // SAFETY: by contract; COLL-K5: what overlaps this PE's source is this PE's, and in this call.
            unsafe { copy::carry(to, from.at.cast(), len) }
        }
        // SAFETY: by contract, and COLL-K5 of the source; they do not overlap, as just seen or since one is far.
        to => unsafe { to.put(from.at, n) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What overlaps comes as if all had been read before any was written.
    #[test]
    fn an_own_dest_may_overlap_its_source() {
        for (to, from) in [(0, 3), (3, 0), (2, 2), (0, 8), (8, 0)] {
            let mut memory: Vec<u64> = (0..16).collect();
            let mut expected = memory.clone();
            expected.copy_within(from..from + 8, to);
            let start = memory.as_mut_ptr();
            let dest = OwnDest { at: start.wrapping_add(to), len: 8, borrowed: PhantomData };
            let source =
                OwnSource { at: start.wrapping_add(from).cast_const(), len: 8, borrowed: PhantomData };
            dest.put_own(source);
            assert_eq!(memory, expected, "{from} to {to}");
        }
    }

    #[test]
    fn no_piece_is_longer_than_its_object() {
        let mut memory = [0u64; 4];
        let dest = OwnDest { at: memory.as_mut_ptr(), len: 4, borrowed: PhantomData };
        dest.part(1, 3).put(0, &[1, 2, 3]);
        assert_eq!(memory, [0, 1, 2, 3]);
        for (at, n) in [(0, 5), (4, 1), (5, 0), (usize::MAX, 2), (1, usize::MAX)] {
            assert!(std::panic::catch_unwind(|| dest.part(at, n)).is_err(), "{at} {n}");
        }
    }
}
