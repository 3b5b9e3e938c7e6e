//! What may lie in symmetric memory, and what may be changed there atomically.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicI32, AtomicI64, AtomicIsize, AtomicU32, AtomicU64, AtomicUsize, Ordering};

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

mod sealed {
    pub trait Sealed {}
}

/// An integer that PEs can change atomically in each other's memory.
///
/// Atomicity holds between the atomic operations (and waits) of this library on the same object; a
/// plain put to it meanwhile may be lost or torn.
pub trait AmoInt: Elem + PartialOrd + sealed::Sealed {
    #[doc(hidden)]
    unsafe fn amo_load(at: *mut Self, order: Ordering) -> Self;
    #[doc(hidden)]
    unsafe fn amo_store(at: *mut Self, value: Self, order: Ordering);
    #[doc(hidden)]
    unsafe fn amo_swap(at: *mut Self, value: Self) -> Self;
    #[doc(hidden)]
    unsafe fn amo_add(at: *mut Self, value: Self) -> Self;
    #[doc(hidden)]
    unsafe fn amo_compare_swap(at: *mut Self, expected: Self, new: Self) -> Self;
}

macro_rules! amo_int {
    ($($int:ty = $atomic:ty),*) => {$(
        impl sealed::Sealed for $int {}
        // The callers' contract: `at` is aligned, mapped, and accessed atomically by everybody.
        impl AmoInt for $int {
            #[inline]
            unsafe fn amo_load(at: *mut Self, order: Ordering) -> Self {
                // SAFETY: by contract.
                unsafe { <$atomic>::from_ptr(at) }.load(order)
            }
            #[inline]
            unsafe fn amo_store(at: *mut Self, value: Self, order: Ordering) {
                // SAFETY: by contract.
                unsafe { <$atomic>::from_ptr(at) }.store(value, order)
            }
            #[inline]
            unsafe fn amo_swap(at: *mut Self, value: Self) -> Self {
                // SAFETY: by contract.
                unsafe { <$atomic>::from_ptr(at) }.swap(value, Ordering::AcqRel)
            }
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
    )*};
}

amo_int!(
    i32 = AtomicI32,
    i64 = AtomicI64,
    u32 = AtomicU32,
    u64 = AtomicU64,
    isize = AtomicIsize,
    usize = AtomicUsize
);
