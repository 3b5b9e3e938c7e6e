//! What may lie in symmetric memory, and what may be changed there atomically.
#![allow(clippy::disallowed_types)]

use std::sync::atomic::{
    AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};

use crate::types::amo::AmoOp;

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
        /// The atomic of its size, whose bits are its own.
        type Atomic;
        /// Reads it; what was written before the value is visible afterwards.
        fn load(word: &Self::Atomic) -> Self;
    }
}
pub(crate) use sealed::Loads;

/// What a PE can wait for in its own memory: the integers of the atomics, and for programs older than
/// OpenSHMEM 1.5 `i16` and `u16`.
pub trait Waitable: Elem + PartialOrd + sealed::Loads {}

/// What can be read, set and swapped atomically in any PE's memory (the standard's extended AMO types).
///
/// Atomicity holds between the atomic operations (and waits) of this library on the same object; a
/// plain put to it meanwhile may be lost or torn.
pub trait AmoSwap: Elem + PartialOrd + sealed::Loads {
    /// Its bits, as a transport has them.
    #[doc(hidden)]
    fn to_bits64(self) -> u64;
    #[doc(hidden)]
    fn from_bits64(bits: u64) -> Self;
    /// One of the operations that this type has; what was there.
    #[doc(hidden)]
    fn apply(word: &Self::Atomic, op: AmoOp<Self>) -> Self;
}

/// An integer that can be added to and compared atomically in any PE's memory (the standard AMO types).
pub trait AmoInt: AmoSwap + Waitable {
    /// The number that an increment adds.
    #[doc(hidden)]
    const ONE: Self;
}

/// An integer whose bits can be changed atomically in any PE's memory (the bitwise AMO types).
pub trait AmoBit: AmoInt {}

/// Reads by the atomic of the same width; `$from` makes the value of its bits.
macro_rules! loads {
    ($($ty:ty = $atomic:ty, $from:expr;)*) => {$(
        impl sealed::Loads for $ty {
            type Atomic = $atomic;
            #[inline]
            fn load(word: &$atomic) -> Self {
                $from(word.load(Ordering::Acquire))
            }
        }
    )*};
}

// To set is an exchange, not a store: a store waits in the store buffer, where the look for sleepers that comes
// next (`wait::notify`) would overtake it and could miss a PE that goes to sleep just then.

macro_rules! amo_int {
    ($($int:ty = $atomic:ty;)*) => {$(
        loads!($int = $atomic, std::convert::identity;);
        impl AmoSwap for $int {
            #[inline]
            fn to_bits64(self) -> u64 {
                self as u64
            }
            #[inline]
            fn from_bits64(bits: u64) -> Self {
                bits as $int
            }
            #[inline(always)]
            fn apply(word: &$atomic, op: AmoOp<Self>) -> Self {
                match op {
                    AmoOp::Load => word.load(Ordering::Acquire),
                    AmoOp::Set(v) | AmoOp::Swap(v) => word.swap(v, Ordering::AcqRel),
                    AmoOp::CompareSwap(expected, new) => {
                        match word.compare_exchange(expected, new, Ordering::AcqRel, Ordering::Acquire) {
                            Ok(old) | Err(old) => old,
                        }
                    }
                    AmoOp::Add(v) => word.fetch_add(v, Ordering::AcqRel),
                    AmoOp::And(v) => word.fetch_and(v, Ordering::AcqRel),
                    AmoOp::Or(v) => word.fetch_or(v, Ordering::AcqRel),
                    AmoOp::Xor(v) => word.fetch_xor(v, Ordering::AcqRel),
                }
            }
        }
        impl Waitable for $int {}
        impl AmoInt for $int {
            const ONE: Self = 1;
        }
        impl AmoBit for $int {}
    )*};
}

/// Of which the routines take [`AmoSwap`] and no more.
macro_rules! amo_float {
    ($($float:ty = $atomic:ty;)*) => {$(
        loads!($float = $atomic, <$float>::from_bits;);
        impl AmoSwap for $float {
            #[inline]
            fn to_bits64(self) -> u64 {
                self.to_bits().into()
            }
            #[inline]
            fn from_bits64(bits: u64) -> Self {
                <$float>::from_bits(bits as _)
            }
            #[inline(always)]
            fn apply(word: &$atomic, op: AmoOp<Self>) -> Self {
                <$float>::from_bits(match op {
                    AmoOp::Load => word.load(Ordering::Acquire),
                    AmoOp::Set(v) | AmoOp::Swap(v) => word.swap(v.to_bits(), Ordering::AcqRel),
                    _ => unreachable!("floats are loaded, set and swapped only"),
                })
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

amo_float! {
    f32 = AtomicU32;
    f64 = AtomicU64;
}

loads! {
    i16 = AtomicI16, std::convert::identity;
    u16 = AtomicU16, std::convert::identity;
}
impl Waitable for i16 {}
impl Waitable for u16 {}
