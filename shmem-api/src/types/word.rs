//! Names and types as words that PEs can compare.

use std::any::TypeId;

use crate::types::c_types::{Complex, LongDouble};

/// Up to eight letters, as a word.
pub(crate) const fn word(name: &str) -> u64 {
    let (name, mut letters, mut i) = (name.as_bytes(), [0; 8], 0);
    while i < name.len() {
        letters[i] = name[i].to_ascii_lowercase();
        i += 1;
    }
    u64::from_le_bytes(letters)
}

/// A type, as a word PEs can compare: the name of one that numbers are, else a digest of its name.
#[inline]
pub(crate) fn type_word<T: 'static>() -> u64 {
    macro_rules! known {
        ($($known:ty: $name:literal),*) => {
            // Decided when compiled: a chain of comparisons of constants.
            $(if TypeId::of::<T>() == TypeId::of::<$known>() {
                return const { word($name) };
            })*
        };
    }
    known!(i8: "i8", i16: "i16", i32: "i32", i64: "i64", u8: "u8", u16: "u16", u32: "u32", u64: "u64");
    known!(isize: "isize", usize: "usize", f32: "f32", f64: "f64", LongDouble: "ldouble");
    known!(Complex<f32>: "cfloat", Complex<f64>: "cdouble");
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    std::any::type_name::<T>().bytes().fold(0xcbf2_9ce4_8422_2325, mix) | 1 << 63
}

/// The letters of a [`word`].
pub(crate) fn letters(word: u64) -> String {
    word.to_le_bytes().iter().take_while(|c| **c != 0).map(|c| char::from(*c)).collect()
}
