//! One atomic operation on a word of shared memory: from its address to the processor's own instruction.
//!
//! What there is to do is the type's own knowledge ([`AmoSwap::apply`]), on a reference to an atomic, which is safe; here
//! the address becomes that reference.
//!
//! Invariant **COPY-A1**: the word is mapped, aligned to its size, and changed by nobody but atomically as long as the
//! operation lasts; what a plain put makes of it meanwhile is unspecified, as in the standard.

use crate::types::amo::AmoOp;
use crate::types::elem::{AmoSwap, Loads};

/// One of the operations that the type has; what was there.
///
/// # Safety
/// COPY-A1.
#[inline(always)]
pub(crate) unsafe fn amo<T: AmoSwap>(at: *mut T, op: AmoOp<T>) -> T {
    // SAFETY: COPY-A1, of which the caller made sure.
    T::apply(unsafe { cell(at) }, op)
}

/// Reads it; what was written before the value is visible afterwards.
///
/// # Safety
/// COPY-A1; of this word only that it can be read.
#[inline]
pub(crate) unsafe fn amo_load<T: Loads>(at: *const T) -> T {
    // SAFETY: COPY-A1, of which the caller made sure; it is not written.
    T::load(unsafe { cell(at) })
}

/// # Safety
/// COPY-A1 for as long as the reference is used.
#[inline(always)]
unsafe fn cell<'w, T: Loads>(at: *const T) -> &'w T::Atomic {
    const { assert!(size_of::<T>() == size_of::<T::Atomic>() && size_of::<T>() == align_of::<T::Atomic>()) };
    // SAFETY: COPY-A1: mapped, aligned to its size, and so to its atomic, which is as large, and whose bits may be any.
    unsafe { &*at.cast() }
}
