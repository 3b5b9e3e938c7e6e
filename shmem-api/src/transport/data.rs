//! What is done to a target: here, inlined, if it is mapped; else by the job's transport, out of line.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use bytemuck::Pod;
use memheap::PeId;

use super::{FarBlocks, FarTarget, Stream, Target, of};
use crate::memory::copy;
use crate::types::amo::AmoOp;
use crate::types::elem::AmoSwap;

impl Target {
    /// Copies `n` elements there.
    ///
    /// # Safety
    /// `from` is readable and the target writable for them (TRANSPORT-T1), and they do not overlap.
    #[inline(always)]
    pub(crate) unsafe fn put<T: Pod>(self, from: *const T, n: usize) {
        match self {
            // SAFETY: TRANSPORT-T1, and TRANSPORT-T3 for this end.
            Target::Mapped(to) => unsafe { copy::put(to.cast(), from, n) },
            // SAFETY: TRANSPORT-T1, and TRANSPORT-T3 for this end.
            Target::Far(FarTarget { pe, at, stream }) => unsafe {
                far_put(pe, at, stream, from.cast(), n * size_of::<T>())
            },
        }
    }

    /// Copies `n` elements from there.
    ///
    /// # Safety
    /// As for [`put`](Self::put), the other way round.
    #[inline(always)]
    pub(crate) unsafe fn get<T: Pod>(self, to: *mut T, n: usize) {
        match self {
            // SAFETY: TRANSPORT-T1, and TRANSPORT-T3 for this end.
            Target::Mapped(from) => unsafe { copy::get(to, from.cast(), n) },
            // SAFETY: TRANSPORT-T1, and TRANSPORT-T3 for this end.
            Target::Far(FarTarget { pe, at, stream }) => unsafe {
                far_get(to.cast(), pe, at, stream, n * size_of::<T>())
            },
        }
    }

    /// Stores one element there.
    ///
    /// # Safety
    /// As for [`put`](Self::put).
    #[inline(always)]
    pub(crate) unsafe fn store<T: Pod>(self, value: T) {
        match self {
            // SAFETY: TRANSPORT-T1.
            Target::Mapped(to) => unsafe { copy::store(to.cast(), value) },
            // SAFETY: TRANSPORT-T1.
            Target::Far(FarTarget { pe, at, stream }) => unsafe { far_store(pe, at, stream, value) },
        }
    }

    /// Loads one element from there.
    ///
    /// # Safety
    /// As for [`get`](Self::get).
    #[inline(always)]
    pub(crate) unsafe fn load<T: Pod>(self) -> T {
        match self {
            // SAFETY: TRANSPORT-T1.
            Target::Mapped(from) => unsafe { copy::load(from.cast()) },
            // SAFETY: TRANSPORT-T1.
            Target::Far(FarTarget { pe, at, stream }) => unsafe { far_load(pe, at, stream) },
        }
    }

    /// One atomic operation on the word there; what was there.
    ///
    /// # Safety
    /// A word of this type, which is aligned, and of which all changes are atomic.
    #[inline(always)]
    pub(crate) unsafe fn amo<T: AmoSwap>(self, op: AmoOp<T>) -> T {
        match self {
            // SAFETY: TRANSPORT-T1 for the place; COPY-A1: our caller vouches for a word of this type, aligned and changed atomically only.
            Target::Mapped(at) => unsafe { copy::amo(at.cast(), op) },
            Target::Far(FarTarget { pe, at, stream }) => far_amo(pe, at, stream, op),
        }
    }

    /// As [`amo`](Self::amo), where nobody wants to know what was there: a far word changes later, as by a put.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn amo_post<T: AmoSwap>(self, op: AmoOp<T>) {
        match self {
            // SAFETY: TRANSPORT-T1 for the place; COPY-A1, as for `amo`.
            Target::Mapped(at) => _ = unsafe { copy::amo(at.cast(), op) },
            Target::Far(FarTarget { pe, at, stream }) => far_amo_post(pe, at, stream, op),
        }
    }

    /// Copies `n` blocks of `len` elements there, whose starts are `strides` elements apart, at the target and at the source.
    ///
    /// # Safety
    /// As for [`copy::blocks`].
    #[inline(always)]
    pub(crate) unsafe fn put_blocks<T: Pod>(self, from: *const T, strides: [usize; 2], len: usize, n: usize) {
        match self {
            // SAFETY: TRANSPORT-T1, and TRANSPORT-T3 for this end.
            Target::Mapped(to) => unsafe { copy::blocks::<T, true>(to, from.cast(), strides, len, n) },
            Target::Far(to) => {
                // SAFETY: TRANSPORT-T1, and TRANSPORT-T3 for this end.
                unsafe { of(to).put_blocks(to, from.cast(), in_bytes::<T>(strides, len, n)) }
            }
        }
    }

    /// Copies `n` blocks of `len` elements from there, as [`put_blocks`](Self::put_blocks).
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn get_blocks<T: Pod>(self, to: *mut T, strides: [usize; 2], len: usize, n: usize) {
        match self {
            // SAFETY: TRANSPORT-T1, and TRANSPORT-T3 for this end.
            Target::Mapped(from) => unsafe { copy::blocks::<T, false>(to.cast(), from, strides, len, n) },
            Target::Far(from) => {
                // SAFETY: TRANSPORT-T1, and TRANSPORT-T3 for this end.
                unsafe { of(from).get_blocks(to.cast(), from, in_bytes::<T>(strides, len, n)) }
            }
        }
    }
}

fn in_bytes<T>(strides: [usize; 2], len: usize, n: usize) -> FarBlocks {
    let size = size_of::<T>();
    FarBlocks { strides: strides.map(|stride| stride * size), len: len * size, n }
}

// In parts, which stay in registers: whole, a target would be in memory, and every transfer would write it there first.

/// # Safety
/// As for [`Target::put`].
#[cold]
#[inline(never)]
unsafe fn far_put(pe: PeId, at: u64, stream: Stream, from: *const u8, n: usize) {
    let to = FarTarget { pe, at, stream };
    // SAFETY: TRANSPORT-T1, and TRANSPORT-T3 for this end.
    unsafe { of(to).put(to, from, n) }
}

/// # Safety
/// As for [`Target::get`].
#[cold]
#[inline(never)]
unsafe fn far_get(to: *mut u8, pe: PeId, at: u64, stream: Stream, n: usize) {
    let from = FarTarget { pe, at, stream };
    // SAFETY: TRANSPORT-T1, and TRANSPORT-T3 for this end.
    unsafe { of(from).get(to, from, n) }
}

/// # Safety
/// As for [`Target::put`] of one element.
#[cold]
#[inline(never)]
unsafe fn far_store<T: Pod>(pe: PeId, at: u64, stream: Stream, value: T) {
    // SAFETY: TRANSPORT-T1; `value` is ours.
    unsafe { far_put(pe, at, stream, (&raw const value).cast(), size_of::<T>()) }
}

/// # Safety
/// As for [`Target::get`] of one element.
#[cold]
#[inline(never)]
unsafe fn far_load<T: Pod>(pe: PeId, at: u64, stream: Stream) -> T {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: TRANSPORT-T1; `value` is ours and as large.
    unsafe { far_get(value.as_mut_ptr().cast(), pe, at, stream, size_of::<T>()) };
    // SAFETY: all bytes of it have been written, and any bytes are a valid T.
    unsafe { value.assume_init() }
}

#[cold]
#[inline(never)]
fn far_amo_post<T: AmoSwap>(pe: PeId, at: u64, stream: Stream, op: AmoOp<T>) {
    let word = FarTarget { pe, at, stream };
    of(word).amo_post(word, size_of::<T>(), op.map(T::to_bits64));
}

#[cold]
#[inline(never)]
fn far_amo<T: AmoSwap>(pe: PeId, at: u64, stream: Stream, op: AmoOp<T>) -> T {
    let word = FarTarget { pe, at, stream };
    T::from_bits64(of(word).amo(word, size_of::<T>(), op.map(T::to_bits64)))
}
