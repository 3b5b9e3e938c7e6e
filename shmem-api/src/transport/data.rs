//! What is done to a target: here, inlined, if it is mapped; else by the job's transport, out of line.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use bytemuck::Pod;

use super::{FarBlocks, FarTarget, Target, of};
use crate::memory::copy;

impl Target {
    /// Copies `n` elements there.
    ///
    /// # Safety
    /// `from` is readable and the target writable for them (TRANSPORT-T1), and they do not overlap.
    #[inline(always)]
    pub(crate) unsafe fn put<T: Pod>(self, from: *const T, n: usize) {
        match self {
            // SAFETY: by contract.
            Target::Mapped(to) => unsafe { copy::put(to.cast(), from, n) },
            // SAFETY: by contract.
            Target::Far(to) => unsafe { far_put(to, from.cast(), n * size_of::<T>()) },
        }
    }

    /// Copies `n` elements from there.
    ///
    /// # Safety
    /// As for [`put`](Self::put), the other way round.
    #[inline(always)]
    pub(crate) unsafe fn get<T: Pod>(self, to: *mut T, n: usize) {
        match self {
            // SAFETY: by contract.
            Target::Mapped(from) => unsafe { copy::get(to, from.cast(), n) },
            // SAFETY: by contract.
            Target::Far(from) => unsafe { far_get(to.cast(), from, n * size_of::<T>()) },
        }
    }

    /// Stores one element there.
    ///
    /// # Safety
    /// As for [`put`](Self::put).
    #[inline(always)]
    pub(crate) unsafe fn store<T: Pod>(self, value: T) {
        match self {
            // SAFETY: by contract.
            Target::Mapped(to) => unsafe { copy::store(to.cast(), value) },
            // SAFETY: by contract; `value` is ours.
            Target::Far(to) => unsafe { far_put(to, (&raw const value).cast(), size_of::<T>()) },
        }
    }

    /// Loads one element from there.
    ///
    /// # Safety
    /// As for [`get`](Self::get).
    #[inline(always)]
    pub(crate) unsafe fn load<T: Pod>(self) -> T {
        match self {
            // SAFETY: by contract.
            Target::Mapped(from) => unsafe { copy::load(from.cast()) },
            // SAFETY: by contract.
            Target::Far(from) => unsafe { far_load(from) },
        }
    }

    /// Copies `n` blocks of `len` elements there, whose starts are `strides` elements apart, at the target and at the source.
    ///
    /// # Safety
    /// As for [`copy::blocks`].
    #[inline(always)]
    pub(crate) unsafe fn put_blocks<T: Pod>(self, from: *const T, strides: [usize; 2], len: usize, n: usize) {
        match self {
            // SAFETY: by contract.
            Target::Mapped(to) => unsafe { copy::blocks::<T, true>(to, from.cast(), strides, len, n) },
            Target::Far(to) => {
                // SAFETY: by contract.
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
            // SAFETY: by contract.
            Target::Mapped(from) => unsafe { copy::blocks::<T, false>(to.cast(), from, strides, len, n) },
            Target::Far(from) => {
                // SAFETY: by contract.
                unsafe { of(from).get_blocks(to.cast(), from, in_bytes::<T>(strides, len, n)) }
            }
        }
    }
}

fn in_bytes<T>(strides: [usize; 2], len: usize, n: usize) -> FarBlocks {
    let size = size_of::<T>();
    FarBlocks { strides: strides.map(|stride| stride * size), len: len * size, n }
}

/// # Safety
/// As for [`Target::put`].
#[cold]
#[inline(never)]
unsafe fn far_put(to: FarTarget, from: *const u8, n: usize) {
    // SAFETY: by the same contract.
    unsafe { of(to).put(to, from, n) }
}

/// # Safety
/// As for [`Target::get`].
#[cold]
#[inline(never)]
unsafe fn far_get(to: *mut u8, from: FarTarget, n: usize) {
    // SAFETY: by the same contract.
    unsafe { of(from).get(to, from, n) }
}

/// # Safety
/// As for [`Target::get`] of one element.
#[cold]
#[inline(never)]
unsafe fn far_load<T: Pod>(from: FarTarget) -> T {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: by contract; `value` is ours and as large.
    unsafe { far_get(value.as_mut_ptr().cast(), from, size_of::<T>()) };
    // SAFETY: all bytes of it have been written, and any bytes are a valid T.
    unsafe { value.assume_init() }
}
