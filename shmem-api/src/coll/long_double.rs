//! Arithmetic of C's `long double`, which Rust does not have.
//!
//! ```text
//!   byte 0 ................ 7   8, 9             10 .. 15
//!        | significand (64 b) | sign, exponent |  padding  |      value = significand * 2^(exponent - 16383 - 63)
//! ```
//!
//! On x86-64 the x87 unit does it: operands are loaded from memory, the result is stored, and the register
//! stack is empty before and after. On other processors, and under Miri, which runs no assembly, numbers
//! go through `f64`: 53 bits of precision instead of 64. (C's `long double` has another layout on most of
//! those, so no C program reaches that path; a Rust program may.)
#![allow(unsafe_code)]

use crate::types::c_types::LongDouble;

const BIAS: i32 = 16383;

#[cfg(all(target_arch = "x86_64", not(miri)))]
macro_rules! x87 {
    ($a:expr, $b:expr, $op:literal) => {{
        let mut result = LongDouble([0; 16]);
        // SAFETY: it reads ten bytes at each of two places and writes ten at a third, all ours; every register
        // of the x87 stack is declared changed, so the stack is empty before, and it is again after.
        unsafe {
            std::arch::asm!(
                "fld tbyte ptr [{a}]", "fld tbyte ptr [{b}]", $op, "fstp tbyte ptr [{to}]",
                a = in(reg) $a.0.as_ptr(), b = in(reg) $b.0.as_ptr(), to = in(reg) result.0.as_mut_ptr(),
                out("st(0)") _, out("st(1)") _, out("st(2)") _, out("st(3)") _,
                out("st(4)") _, out("st(5)") _, out("st(6)") _, out("st(7)") _,
                options(nostack),
            );
        }
        result
    }};
}

impl LongDouble {
    /// The number 0.
    pub const ZERO: LongDouble = LongDouble([0; 16]);

    /// The sum, rounded to 64 bits of precision.
    #[inline]
    pub(crate) fn plus(self, other: LongDouble) -> LongDouble {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        return x87!(self, other, "faddp");
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        LongDouble::from(f64::from(self) + f64::from(other))
    }

    /// The product, rounded to 64 bits of precision.
    #[inline]
    pub(crate) fn times(self, other: LongDouble) -> LongDouble {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        return x87!(self, other, "fmulp");
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        LongDouble::from(f64::from(self) * f64::from(other))
    }

    /// Whether this number is less than the other; it is not if one of them is no number.
    #[inline]
    pub(crate) fn less(self, other: LongDouble) -> bool {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            let less: u8;
            // SAFETY: it reads ten bytes at each of two places of ours; as for the stack, see `x87`.
            unsafe {
                std::arch::asm!(
                    "fld tbyte ptr [{a}]", "fld tbyte ptr [{b}]",
                    "fucomip st, st(1)", "fstp st(0)", "seta {less}",
                    a = in(reg) self.0.as_ptr(), b = in(reg) other.0.as_ptr(), less = out(reg_byte) less,
                    out("st(0)") _, out("st(1)") _, out("st(2)") _, out("st(3)") _,
                    out("st(4)") _, out("st(5)") _, out("st(6)") _, out("st(7)") _,
                    options(nostack, readonly),
                );
            }
            less != 0
        }
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        {
            f64::from(self) < f64::from(other)
        }
    }

    fn of_parts(negative: bool, exponent: i32, significand: u64) -> LongDouble {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&significand.to_le_bytes());
        bytes[8..10].copy_from_slice(&(exponent as u16 | u16::from(negative) << 15).to_le_bytes());
        LongDouble(bytes)
    }
}

/// Exact.
impl From<f64> for LongDouble {
    fn from(x: f64) -> LongDouble {
        let bits = x.to_bits();
        let (negative, exponent) = (bits >> 63 == 1, (bits >> 52 & 0x7ff) as i32);
        let fraction = bits & ((1 << 52) - 1);
        match (exponent, fraction) {
            (0, 0) => LongDouble::of_parts(negative, 0, 0),
            // A subnormal f64 is a normal number here.
            (0, _) => {
                let up = fraction.leading_zeros();
                LongDouble::of_parts(negative, BIAS - 1022 + 11 - up as i32, fraction << up)
            }
            (0x7ff, _) => LongDouble::of_parts(negative, 0x7fff, 1 << 63 | fraction << 11),
            _ => LongDouble::of_parts(negative, exponent - 1023 + BIAS, 1 << 63 | fraction << 11),
        }
    }
}

/// Rounded to the nearest; twice where the result is subnormal.
impl From<LongDouble> for f64 {
    fn from(x: LongDouble) -> f64 {
        let significand = u64::from_le_bytes(std::array::from_fn(|i| x.0[i]));
        let top = u16::from_le_bytes([x.0[8], x.0[9]]);
        let exponent = i32::from(top & 0x7fff);
        let size = match exponent {
            0x7fff if significand << 1 == 0 => f64::INFINITY,
            0x7fff => f64::NAN,
            _ => {
                // In two steps, each of which an f64 can hold.
                let power = (exponent - BIAS - 63).clamp(-2000, 2000);
                significand as f64 * 2f64.powi(power / 2) * 2f64.powi(power - power / 2)
            }
        };
        if top >> 15 == 1 { -size } else { size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: [f64; 14] = [
        0.0,
        -0.0,
        1.0,
        -1.5,
        3.0,
        1e-3,
        2.5e10,
        -7e200,
        1e-310,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::INFINITY,
        -2.0,
        0.1,
    ];

    #[test]
    fn f64_goes_there_and_back() {
        for x in SOME {
            assert_eq!(f64::from(LongDouble::from(x)).to_bits(), x.to_bits(), "{x}");
        }
        assert!(f64::from(LongDouble::from(f64::NAN)).is_nan());
        // As the processor writes them: 1.0 and -1.5.
        assert_eq!(LongDouble::from(1.0).0[..10], [0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f]);
        assert_eq!(LongDouble::from(-1.5).0[..10], [0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xbf]);
    }

    #[test]
    fn sums_products_and_order_are_those_of_f64_where_both_are_exact() {
        for a in [0.0, 1.0, -1.5, 3.0, 1024.25, -7.0] {
            for b in [2.0, -0.5, 8.0, 0.0, 3.0] {
                let (x, y) = (LongDouble::from(a), LongDouble::from(b));
                assert_eq!(f64::from(x.plus(y)), a + b);
                assert_eq!(f64::from(x.times(y)), a * b);
                assert_eq!(x.less(y), a < b, "{a} < {b}");
            }
        }
        let nan = LongDouble::from(f64::NAN);
        assert!(!nan.less(LongDouble::ZERO) && !LongDouble::ZERO.less(nan));
    }

    /// 2^63 + 1 needs the 64 bits that an f64 has not.
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    #[test]
    fn precision_is_that_of_long_double() {
        let big = LongDouble::from(9_223_372_036_854_775_808.0);
        let sum = big.plus(LongDouble::from(1.0));
        assert_ne!(sum, big);
        assert_eq!(f64::from(sum.plus(LongDouble::from(-9_223_372_036_854_775_808.0))), 1.0);
        // And the range: the square of the largest f64 is finite.
        let max = LongDouble::from(f64::MAX);
        assert!(max.times(max).less(LongDouble::from(f64::INFINITY)));
    }
}
