//! A part of the runtime's own memory of a PE, wherever that PE is: a struct of atomics in its segment.
//!
//! Of a far PE, a word is found by where the same word is in this PE's own segment: they are laid out alike.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use memheap::PeId;

use super::{FarTarget, Stream, of};
use crate::sync::primitives::{AtomicU32, AtomicU64, Ordering};
use crate::types::amo::AmoOp;

/// A struct that may be copied byte by byte while others change it.
///
/// # Safety
/// It is made of atomics only, without padding that matters, and any bytes are a valid one.
pub(crate) unsafe trait Words {}

// SAFETY: an atomic.
unsafe impl Words for AtomicU32 {}
// SAFETY: an atomic.
unsafe impl Words for AtomicU64 {}
// SAFETY: as its elements.
unsafe impl<T: Words, const N: usize> Words for [T; N] {}

/// A `T` in the segment of a PE.
pub(crate) enum Part<'m, T> {
    Mapped(&'m T),
    Far(FarPart<'m, T>),
}

/// A `T` in a segment that is not mapped here.
pub(crate) struct FarPart<'m, T> {
    pub(crate) pe: PeId,
    /// The same one in this PE's own segment.
    pub(crate) mirror: &'m T,
    /// Where that segment begins.
    pub(crate) base: usize,
}

impl<T> Clone for FarPart<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for FarPart<'_, T> {}
impl<T> Clone for Part<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Part<'_, T> {}

impl<T> FarPart<'_, T> {
    fn target<U>(&self, word: &U) -> FarTarget {
        let at = std::ptr::from_ref(word).addr() - self.base;
        FarTarget { pe: self.pe, at: at as u64, stream: Stream::DEFAULT }
    }

    #[cold]
    #[inline(never)]
    fn amo<U>(&self, word: &U, op: AmoOp<u64>) -> u64 {
        let target = self.target(word);
        of(target).amo(target, size_of::<U>(), op)
    }

    /// Ordered and completed as a put.
    #[cold]
    #[inline(never)]
    fn post<U>(&self, word: &U, op: AmoOp<u64>) {
        let target = self.target(word);
        of(target).amo_post(target, size_of::<U>(), op);
    }
}

impl<'m, T> Part<'m, T> {
    /// It, if it is mapped here.
    #[inline]
    pub(crate) fn mapped(&self) -> Option<&'m T> {
        match self {
            Part::Mapped(it) => Some(it),
            Part::Far(_) => None,
        }
    }

    #[inline]
    pub(crate) fn is_far(&self) -> bool {
        self.mapped().is_none()
    }

    /// A part of it.
    #[inline]
    pub(crate) fn field<U>(&self, field: impl FnOnce(&'m T) -> &'m U) -> Part<'m, U> {
        match *self {
            Part::Mapped(it) => Part::Mapped(field(it)),
            Part::Far(FarPart { pe, mirror, base }) => Part::Far(FarPart { pe, mirror: field(mirror), base }),
        }
    }
}

/// Loads acquire, stores release, and the others do both, whatever order a mapped word is asked for.
macro_rules! word {
    ($atomic:ty, $value:ty) => {
        impl Part<'_, $atomic> {
            #[inline]
            pub(crate) fn load(&self, order: Ordering) -> $value {
                match self {
                    Part::Mapped(word) => word.load(order),
                    Part::Far(far) => far.amo(far.mirror, AmoOp::Load) as $value,
                }
            }

            #[inline]
            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                match self {
                    Part::Mapped(word) => word.swap(value, order),
                    Part::Far(far) => far.amo(far.mirror, AmoOp::Swap(u64::from(value))) as $value,
                }
            }

            #[inline]
            pub(crate) fn compare_exchange(
                &self,
                expected: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                match self {
                    Part::Mapped(word) => word.compare_exchange(expected, new, success, failure),
                    Part::Far(far) => {
                        let op = AmoOp::CompareSwap(u64::from(expected), u64::from(new));
                        let was = far.amo(far.mirror, op) as $value;
                        if was == expected { Ok(was) } else { Err(was) }
                    }
                }
            }
        }
    };
}
word!(AtomicU32, u32);
word!(AtomicU64, u64);

impl Part<'_, AtomicU64> {
    #[inline]
    pub(crate) fn store(&self, value: u64, order: Ordering) {
        match self {
            Part::Mapped(word) => word.store(value, order),
            Part::Far(far) => far.post(far.mirror, AmoOp::Set(value)),
        }
    }
}

impl Part<'_, AtomicU32> {
    #[inline]
    pub(crate) fn fetch_add(&self, value: u32, order: Ordering) -> u32 {
        match self {
            Part::Mapped(word) => word.fetch_add(value, order),
            Part::Far(far) => far.amo(far.mirror, AmoOp::Add(u64::from(value))) as u32,
        }
    }

    /// Ordered and completed as a put.
    #[inline]
    pub(crate) fn or(&self, value: u32, order: Ordering) {
        match self {
            Part::Mapped(word) => _ = word.fetch_or(value, order),
            Part::Far(far) => far.post(far.mirror, AmoOp::Or(u64::from(value))),
        }
    }
}

impl<T: Words> Part<'_, T> {
    /// Shows it to `look`: itself, or a copy. What a word says of others has been seen by then (it was loaded before).
    #[inline]
    pub(crate) fn look<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        match self {
            Part::Mapped(it) => look(it),
            Part::Far(far) => {
                let mut copy = MaybeUninit::<T>::uninit();
                let from = far.target(far.mirror);
                // SAFETY: TRANSPORT-T1: the mirror lies in the runtime's part, as does what it stands for; the copy is as large.
                unsafe { of(from).get(copy.as_mut_ptr().cast(), from, size_of::<T>()) };
                // SAFETY: `Words`: any bytes are a valid one, and all have been written.
                look(unsafe { copy.assume_init_ref() })
            }
        }
    }

    /// Has `lay` write all of it: itself, or a copy that is then put there, before what is put to that PE later.
    pub(crate) fn lay(&self, lay: impl FnOnce(&T)) {
        match self {
            Part::Mapped(it) => lay(it),
            Part::Far(far) => {
                // SAFETY: `Words`: zeroes are a valid one.
                let copy = unsafe { MaybeUninit::<T>::zeroed().assume_init() };
                lay(&copy);
                let to = far.target(far.mirror);
                // SAFETY: TRANSPORT-T1: the mirror lies in the runtime's part, as does what it stands for; the copy is as large.
                unsafe { of(to).put(to, std::ptr::from_ref(&copy).cast(), size_of::<T>()) };
                of(to).fence(to.stream);
            }
        }
    }
}
