//! What may lie in symmetric memory, and what may be changed there atomically.
#![allow(unsafe_code)]

use std::sync::atomic::{
    AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};

/// A type that may lie in symmetric memory: plain data, valid whatever its bytes are, without padding
/// or pointers. Other PEs write it as raw bytes, so nothing else would be sound.
///
/// Implemented for every [`bytemuck::Pod`] type that is `Send + Sync`. `bool`, `char` and enums are
/// not among them: use an integer, or a Pod newtype. An element of no bytes is refused when an object of
/// it is allocated:
///
/// ```compile_fail,E0080
/// # fn main() -> Result<(), shmem_api::Error> {
/// let world = shmem_api::World::init()?;
/// let nothing = world.alloc::<[u64; 0]>(4)?;
/// # Ok(()) }
/// ```
pub trait Elem: bytemuck::Pod + Send + Sync {}

impl<T: bytemuck::Pod + Send + Sync> Elem for T {}

/// What the layout of an element must be; checked when an object of it is allocated, at compile time.
pub(crate) const fn check_layout<T>() {
    assert!(size_of::<T>() > 0, "an element has at least one byte");
    assert!(align_of::<T>() <= 4096, "an element is aligned to a page at most");
}

pub(crate) mod sealed {
    /// A word that is read atomically.
    pub trait Loads: Copy {
        /// Reads it; what was written before the value is visible afterwards.
        ///
        /// # Safety
        /// `at` is aligned, readable, and written atomically by everybody meanwhile.
        unsafe fn amo_load(at: *const Self) -> Self;
    }
}

/// What a PE can wait for in its own memory: the integers of the atomics, and for programs older than
/// OpenSHMEM 1.5 `i16` and `u16`.
pub trait Waitable: Elem + PartialOrd + sealed::Loads {}

/// What can be read, set and swapped atomically in any PE's memory (the standard's extended AMO types).
///
/// Atomicity holds between the atomic operations (and waits) of this library on the same object; a
/// plain put to it meanwhile may be lost or torn.
pub trait AmoSwap: Elem + PartialOrd + sealed::Loads {
    #[doc(hidden)]
    unsafe fn amo_swap(at: *mut Self, value: Self) -> Self;

    // An exchange, not a store: a store waits in the store buffer, where the look for sleepers that comes
    // next (`wait::notify`) would overtake it and could miss a PE that goes to sleep just then.
    #[doc(hidden)]
    #[inline]
    unsafe fn amo_set(at: *mut Self, value: Self) {
        // SAFETY: by the same contract.
        unsafe { Self::amo_swap(at, value) };
    }
}

/// An integer that can be added to and compared atomically in any PE's memory (the standard AMO types).
pub trait AmoInt: AmoSwap + Waitable {
    /// The number that an increment adds.
    #[doc(hidden)]
    const ONE: Self;
    #[doc(hidden)]
    unsafe fn amo_add(at: *mut Self, value: Self) -> Self;
    #[doc(hidden)]
    unsafe fn amo_compare_swap(at: *mut Self, expected: Self, new: Self) -> Self;
}

/// An integer whose bits can be changed atomically in any PE's memory (the bitwise AMO types).
pub trait AmoBit: AmoInt {
    #[doc(hidden)]
    unsafe fn amo_and(at: *mut Self, value: Self) -> Self;
    #[doc(hidden)]
    unsafe fn amo_or(at: *mut Self, value: Self) -> Self;
    #[doc(hidden)]
    unsafe fn amo_xor(at: *mut Self, value: Self) -> Self;
}

// In all of it, the callers' contract: `at` is aligned, mapped, and accessed atomically by everybody.

/// Reads by the atomic of the same width; `$from` makes the value of its bits.
macro_rules! loads {
    ($($ty:ty = $atomic:ty, $from:expr;)*) => {$(
        impl sealed::Loads for $ty {
            #[inline]
            unsafe fn amo_load(at: *const Self) -> Self {
                // SAFETY: by contract; the atomic is as wide and as aligned as the value.
                let cell = unsafe { <$atomic>::from_ptr(at.cast_mut().cast()) };
                $from(cell.load(Ordering::Acquire))
            }
        }
    )*};
}

macro_rules! amo_swap {
    ($($ty:ty = $atomic:ty, $to:expr, $from:expr;)*) => {$(
        loads!($ty = $atomic, $from;);
        impl AmoSwap for $ty {
            #[inline]
            unsafe fn amo_swap(at: *mut Self, value: Self) -> Self {
                // SAFETY: by contract; the atomic is as wide and as aligned as the value.
                let cell = unsafe { <$atomic>::from_ptr(at.cast()) };
                $from(cell.swap($to(value), Ordering::AcqRel))
            }
        }
    )*};
}

macro_rules! amo_int {
    ($($int:ty = $atomic:ty;)*) => {$(
        amo_swap!($int = $atomic, std::convert::identity, std::convert::identity;);
        impl Waitable for $int {}
        impl AmoInt for $int {
            const ONE: Self = 1;
            #[inline]
            unsafe fn amo_add(at: *mut Self, value: Self) -> Self {
                // SAFETY: by contract.
                unsafe { <$atomic>::from_ptr(at) }.fetch_add(value, Ordering::AcqRel)
            }
            #[inline]
            unsafe fn amo_compare_swap(at: *mut Self, expected: Self, new: Self) -> Self {
                // SAFETY: by contract.
                let cell = unsafe { <$atomic>::from_ptr(at) };
                match cell.compare_exchange(expected, new, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(old) | Err(old) => old,
                }
            }
        }
        impl AmoBit for $int {
            #[inline]
            unsafe fn amo_and(at: *mut Self, value: Self) -> Self {
                // SAFETY: by contract.
                unsafe { <$atomic>::from_ptr(at) }.fetch_and(value, Ordering::AcqRel)
            }
            #[inline]
            unsafe fn amo_or(at: *mut Self, value: Self) -> Self {
                // SAFETY: by contract.
                unsafe { <$atomic>::from_ptr(at) }.fetch_or(value, Ordering::AcqRel)
            }
            #[inline]
            unsafe fn amo_xor(at: *mut Self, value: Self) -> Self {
                // SAFETY: by contract.
                unsafe { <$atomic>::from_ptr(at) }.fetch_xor(value, Ordering::AcqRel)
            }
        }
    )*};
}

amo_int! {
    i32 = AtomicI32;
    i64 = AtomicI64;
    u32 = AtomicU32;
    u64 = AtomicU64;
    isize = AtomicIsize;
    usize = AtomicUsize;
}

amo_swap! {
    f32 = AtomicU32, f32::to_bits, f32::from_bits;
    f64 = AtomicU64, f64::to_bits, f64::from_bits;
}

loads! {
    i16 = AtomicI16, std::convert::identity;
    u16 = AtomicU16, std::convert::identity;
}
impl Waitable for i16 {}
impl Waitable for u16 {}
