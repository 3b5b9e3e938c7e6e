//! What a reduction does with two elements: the operators, and which types have them.
//!
//! ```text
//!   trait Bitwise   every integer                 And Or Xor
//!   trait Ordered   + f32 f64 LongDouble          Min Max
//!   trait Arith     + Complex<f32>, Complex<f64>  Sum Prod
//! ```
//!
//! The standard lists some of these types per operator, not all; what C may call is decided by the tables of
//! `types`. Integers wrap, as C's unsigned ones do: whatever the values are, no PE panics in the middle of a
//! collective. A minimum or maximum with a NaN in it is one of the values, which one is not said.
//! Complex products are the plain formula.
//!
//! An operator is a type, so that each reduction is compiled for it, and a loop over two slices becomes vector
//! instructions.

use crate::types::c_types::{Complex, LongDouble};
use crate::types::elem::Elem;
use crate::types::word::word;

mod sealed {
    pub trait Sealed {}
    /// Of one type of elements: without it, a program could implement [`Operator`](super::Operator) of a type of its own,
    /// and its code would run in the middle of a collective.
    pub trait Combines<T> {}
}

/// Types with bitwise operators: every integer of 8 to 64 bits.
pub trait Bitwise: Elem + sealed::Sealed {
    #[doc(hidden)]
    fn and(self, other: Self) -> Self;
    #[doc(hidden)]
    fn or(self, other: Self) -> Self;
    #[doc(hidden)]
    fn xor(self, other: Self) -> Self;
}

/// Types with an order: integers, floating-point numbers and `long double`.
pub trait Ordered: Elem + sealed::Sealed {
    #[doc(hidden)]
    fn less(self, other: Self) -> bool;
}

/// Types that can be added and multiplied: those that have an order, and complex numbers.
pub trait Arith: Elem + sealed::Sealed {
    /// The number 0: what an exclusive scan gives the first PE.
    const ZERO: Self;
    #[doc(hidden)]
    fn plus(self, other: Self) -> Self;
    #[doc(hidden)]
    fn times(self, other: Self) -> Self;
}

/// What is done with two elements: associative, and commutative.
pub trait Operator<T: Elem>: sealed::Combines<T> + 'static {
    /// Its name in up to eight letters, as a word PEs can compare.
    #[doc(hidden)]
    const NAME: u64;
    /// What the two make.
    fn apply(a: T, b: T) -> T;
}

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident on $bound:ident = |$a:ident, $b:ident| $body:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl<T: $bound> sealed::Combines<T> for $name {}

        impl<T: $bound> Operator<T> for $name {
            const NAME: u64 = word(stringify!($name));

            #[inline(always)]
            fn apply($a: T, $b: T) -> T {
                $body
            }
        }
    )*};
}

operators! {
    /// Bitwise and.
    And on Bitwise = |a, b| a.and(b);
    /// Bitwise or.
    Or on Bitwise = |a, b| a.or(b);
    /// Bitwise exclusive or.
    Xor on Bitwise = |a, b| a.xor(b);
    /// The smaller one.
    Min on Ordered = |a, b| if b.less(a) { b } else { a };
    /// The larger one.
    Max on Ordered = |a, b| if a.less(b) { b } else { a };
    /// The sum.
    Sum on Arith = |a, b| a.plus(b);
    /// The product.
    Prod on Arith = |a, b| a.times(b);
}

macro_rules! integers {
    ($($int:ty)*) => {$(
        impl sealed::Sealed for $int {}
        impl Bitwise for $int {
            #[inline(always)]
            fn and(self, other: Self) -> Self {
                self & other
            }
            #[inline(always)]
            fn or(self, other: Self) -> Self {
                self | other
            }
            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                self ^ other
            }
        }
        impl Ordered for $int {
            #[inline(always)]
            fn less(self, other: Self) -> bool {
                self < other
            }
        }
        impl Arith for $int {
            const ZERO: Self = 0;
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn times(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
        }
    )*};
}
integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

macro_rules! floats {
    ($($float:ty)*) => {$(
        impl sealed::Sealed for $float {}
        impl Ordered for $float {
            #[inline(always)]
            fn less(self, other: Self) -> bool {
                self < other
            }
        }
        impl Arith for $float {
            const ZERO: Self = 0.0;
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
            #[inline(always)]
            fn times(self, other: Self) -> Self {
                self * other
            }
        }
        impl sealed::Sealed for Complex<$float> {}
        impl Arith for Complex<$float> {
            const ZERO: Self = Complex::new(0.0, 0.0);
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
            #[inline(always)]
            fn times(self, other: Self) -> Self {
                self * other
            }
        }
    )*};
}
floats!(f32 f64);

impl sealed::Sealed for LongDouble {}

impl Ordered for LongDouble {
    #[inline]
    fn less(self, other: Self) -> bool {
        LongDouble::less(self, other)
    }
}

impl Arith for LongDouble {
    const ZERO: Self = LongDouble::ZERO;
    #[inline]
    fn plus(self, other: Self) -> Self {
        LongDouble::plus(self, other)
    }
    #[inline]
    fn times(self, other: Self) -> Self {
        LongDouble::times(self, other)
    }
}

/// One operator's [`fold`] of one type.
pub(crate) type Fold<T> = fn(acc: &mut [T], with: &[T]);

/// Folds `with` into `acc`, element by element.
#[inline]
pub(crate) fn fold<T: Elem, O: Operator<T>>(acc: &mut [T], with: &[T]) {
    for (a, b) in acc.iter_mut().zip(with) {
        *a = O::apply(*a, *b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::word::letters;

    #[test]
    fn an_operators_name_is_a_word() {
        assert_eq!(letters(<Sum as Operator<u8>>::NAME), "sum");
        assert_ne!(<Max as Operator<u8>>::NAME, <Min as Operator<u8>>::NAME);
    }

    #[test]
    fn integers_wrap() {
        assert_eq!(Sum::apply(i32::MAX, 1), i32::MIN);
        assert_eq!(Prod::apply(i64::MAX, 2), -2);
        assert_eq!(Sum::apply(255u8, 2), 1);
    }

    #[test]
    fn each_operator_does_what_its_name_says() {
        let mut acc = [6i16, -3, 0];
        fold::<_, And>(&mut acc, &[3, -1, 5]);
        assert_eq!(acc, [2, -3, 0]);
        fold::<_, Or>(&mut acc, &[1, 0, 5]);
        assert_eq!(acc, [3, -3, 5]);
        fold::<_, Xor>(&mut acc, &[1, -3, 5]);
        assert_eq!(acc, [2, 0, 0]);
        fold::<_, Max>(&mut acc, &[1, 4, -9]);
        assert_eq!(acc, [2, 4, 0]);
        fold::<_, Min>(&mut acc, &[1, 9, -9]);
        assert_eq!(acc, [1, 4, -9]);
        fold::<_, Prod>(&mut acc, &[7, 2, 3]);
        assert_eq!(acc, [7, 8, -27]);
        let i = Complex::new(0.0f32, 1.0);
        assert_eq!(Prod::apply(i, i), Complex::new(-1.0, 0.0));
        assert_eq!(Min::apply(-0.5f64, -1.0), -1.0);
    }
}
