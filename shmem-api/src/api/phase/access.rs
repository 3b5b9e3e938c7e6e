//! What is done to the elements of a shared object: the one file of the phases in which they are touched.
//!
//! Every method here is safe for whatever arguments it is given: the PE, the range, and for blocks the strides are checked
//! before anything is done (PHASE-P2), and the slices are the caller's own.
//!
//! Invariants: **PHASE-P2** a place that [`Remote`] gives out lies inside the object on that PE, aligned and alive as long
//! as the handle is (PHASE-P1, or NODE-C1 for a static), for as many elements as were asked for. **PHASE-P3** a shared object
//! is never behind a Rust reference that somebody writes through or that is written under, so it overlaps no slice that a
//! caller has; whoever touches it does so by relaxed atomics, opaque copies or atomic operations (`memory`), and what a
//! bulk copy makes of an element that is changed meanwhile is any value of its type.
#![allow(unsafe_code)]

use std::ops::Range;

use crate::api::phase::remote::Remote;
use crate::call::transfer::mapped::notify;
use crate::memory::copy;
use crate::types::amo::AmoOp;
use crate::types::elem::{AmoSwap, Elem, Waitable};
use crate::types::thread_level::Level;

impl<T: Elem, L: Level> Remote<'_, T, L> {
    /// Copies `src` to elements `at ..` of the object on `pe`. Returns when `src` may be used again; the
    /// data is there for others after [`quiet`](crate::api::phase::Phase::quiet) or a barrier (OpenSHMEM 1.6, `shmem_put`).
    ///
    /// # Panics
    /// If there is no PE `pe` or the range leaves the object.
    #[inline]
    pub fn put(&self, pe: usize, at: usize, src: &[T]) {
        let to = self.target("put", pe, at, src.len());
        // SAFETY: PHASE-P2 for the target; `src` is readable, and PHASE-P3: it does not overlap.
        unsafe { to.put(src.as_ptr(), src.len()) }
    }

    /// Copies elements `at ..` of the object on `pe` into `dst`, and returns when they are there
    /// (OpenSHMEM 1.6, `shmem_get`).
    ///
    /// # Panics
    /// As [`put`](Self::put).
    #[inline]
    pub fn get(&self, pe: usize, at: usize, dst: &mut [T]) {
        let from = self.target("get", pe, at, dst.len());
        // SAFETY: PHASE-P2 for the source; `dst` is writable, and PHASE-P3: it does not overlap.
        unsafe { from.get(dst.as_mut_ptr(), dst.len()) }
    }

    /// The elements of `range` on `pe`, in a new vector.
    ///
    /// # Panics
    /// As [`put`](Self::put).
    pub fn get_vec(&self, pe: usize, range: Range<usize>) -> Vec<T> {
        // Checked before memory is taken for it.
        self.target("get_vec", pe, range.start, range.len());
        let mut elements = vec![T::zeroed(); range.len()];
        self.get(pe, range.start, &mut elements);
        elements
    }

    /// Puts one element (OpenSHMEM 1.6, `shmem_p`). Not torn if its size is its alignment and at most 8.
    ///
    /// # Panics
    /// As [`put`](Self::put).
    #[inline]
    pub fn put_one(&self, pe: usize, at: usize, value: T) {
        let to = self.target("put_one", pe, at, 1);
        // SAFETY: PHASE-P2.
        unsafe { to.store(value) }
    }

    /// Gets one element (OpenSHMEM 1.6, `shmem_g`).
    ///
    /// # Panics
    /// As [`put`](Self::put).
    #[inline]
    pub fn get_one(&self, pe: usize, at: usize) -> T {
        let from = self.target("get_one", pe, at, 1);
        // SAFETY: PHASE-P2.
        unsafe { from.load() }
    }

    /// Reads an element of this PE's own part.
    ///
    /// # Panics
    /// If there is no such element.
    #[inline]
    pub fn read(&self, at: usize) -> T {
        let from = self.own_place("read", at, 1);
        // SAFETY: PHASE-P2.
        unsafe { copy::load(from) }
    }

    /// Writes an element of this PE's own part.
    ///
    /// # Panics
    /// If there is no such element.
    #[inline]
    pub fn write(&self, at: usize, value: T) {
        let to = self.own_place("write", at, 1);
        // SAFETY: PHASE-P2.
        unsafe { copy::store(to, value) }
    }

    /// Element `at` of this PE's own part, as it is now, for whoever waits for it.
    #[inline]
    pub(crate) fn look(&self, call: &'static str, at: usize) -> T
    where
        T: Waitable,
    {
        let mine = self.own_place(call, at, 1);
        // SAFETY: PHASE-P2: a word of this type, aligned; PHASE-P3: who changes it does so atomically.
        unsafe { copy::amo_load(mine) }
    }

    /// One operation on an element, and its PE woken if it sleeps in a wait; what was there.
    #[inline]
    pub(crate) fn change(&self, call: &'static str, pe: usize, at: usize, op: AmoOp<T>) -> T
    where
        T: AmoSwap,
    {
        // SAFETY: PHASE-P2: a word of this type, aligned; PHASE-P3: who changes it does so atomically.
        let old = unsafe { self.target(call, pe, at, 1).amo(op) };
        if !matches!(op, AmoOp::Load) {
            notify(self.members().at(pe as u32).0);
        }
        old
    }

    /// As [`change`](Self::change), where nobody wants to know what was there.
    #[inline]
    pub(crate) fn post(&self, call: &'static str, pe: usize, at: usize, op: AmoOp<T>)
    where
        T: AmoSwap,
    {
        // SAFETY: PHASE-P2: a word of this type, aligned; PHASE-P3: who changes it does so atomically.
        unsafe { self.target(call, pe, at, 1).amo_post(op) };
        notify(self.members().at(pe as u32).0);
    }

    /// Copies as many whole blocks as lie in `src` to the object on `pe`, from element `at` on. The strides are those of
    /// the object and of the slice.
    #[inline]
    pub(super) fn put_blocks(
        &self,
        call: &'static str,
        pe: usize,
        at: usize,
        strides: [usize; 2],
        src: &[T],
        block: usize,
    ) {
        let n = self.blocks_in(call, src.len(), strides[1], block);
        let to = self.target(call, pe, at, self.extent(call, strides[0], block, n));
        if n > 0 {
            // SAFETY: PHASE-P2: `target` checked from the first to the last block; `blocks_in` counted those that lie in
            // `src`, which PHASE-P3 keeps apart. There is a block with an element in it, and no stride is less than it.
            unsafe { to.put_blocks(src.as_ptr(), apart(strides, block, n), block, n) }
        }
    }

    /// Copies as many whole blocks as lie in `dst` from the object on `pe`, from element `at` on. The strides are those of
    /// the slice and of the object.
    #[inline]
    pub(super) fn get_blocks(
        &self,
        call: &'static str,
        pe: usize,
        at: usize,
        strides: [usize; 2],
        dst: &mut [T],
        block: usize,
    ) {
        let n = self.blocks_in(call, dst.len(), strides[0], block);
        let from = self.target(call, pe, at, self.extent(call, strides[1], block, n));
        if n > 0 {
            // SAFETY: PHASE-P2: `target` checked from the first to the last block; `blocks_in` counted those that lie in
            // `dst`, which PHASE-P3 keeps apart. There is a block with an element in it, and no stride is less than it.
            unsafe { from.get_blocks(dst.as_mut_ptr(), apart(strides, block, n), block, n) }
        }
    }

    /// How many blocks lie in a slice of `len` elements; none if a block has no element.
    #[inline]
    fn blocks_in(&self, call: &str, len: usize, stride: usize, block: usize) -> usize {
        if stride < block.max(1) {
            self.too_close(call, stride, block);
        }
        if block == 0 || len < block { 0 } else { (len - block) / stride + 1 }
    }

    /// How many elements there are from the first of `n` blocks to the end of the last.
    #[inline]
    fn extent(&self, call: &str, stride: usize, block: usize, n: usize) -> usize {
        if stride < block.max(1) {
            self.too_close(call, stride, block);
        }
        // More elements than there can be are out of range like any others.
        match n {
            0 => 0,
            _ => (n - 1).saturating_mul(stride).saturating_add(block),
        }
    }
}

/// How far apart `n` blocks are. One block is apart from nothing, and its strides may be more elements than there are
/// bytes.
#[inline]
fn apart(strides: [usize; 2], block: usize, n: usize) -> [usize; 2] {
    if n == 1 { [block; 2] } else { strides }
}
