//! What an object is, in one word: PEs compare it wherever one names an object to the others, in the signature of its
//! allocation and at both ends of every phase.
//!
//! ```text
//!   | object: 8 | type of an element: 8 | its alignment, log2: 8 | its size in bytes: 40 |
//!     array, one value, lock, signals, one signal; or bytes, for the calls on pointers
//! ```
//!
//! Offset and length do not say enough: a lock and an array of one `i64` have both in common, and locking would write
//! where another PE has a slice. The type is exact for numbers; any other type of a program is known by its layout,
//! since PEs may run different executables, whose names for a type need not be the same. That is all soundness asks
//! for: an element is plain data, valid whatever its bytes are.

use std::any::TypeId;
use std::fmt;

use crate::types::c_types::{Complex, LongDouble};

/// What an object is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ObjectType(u64);

/// What kind of object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Object {
    Bytes = 0,
    Array = 1,
    One = 2,
    Lock = 3,
    Signals = 4,
    Signal = 5,
}

const OBJECT_SHIFT: u32 = 56;
const TYPE_SHIFT: u32 = 48;
const ALIGN_SHIFT: u32 = 40;
const SIZE: u64 = (1 << ALIGN_SHIFT) - 1;

impl ObjectType {
    /// Bytes, of which the calls on pointers know no more.
    pub(crate) const BYTES: ObjectType = ObjectType((Object::Bytes as u64) << OBJECT_SHIFT);

    /// An array of elements of `T`, or a part of one.
    pub(crate) fn array<T: 'static>() -> ObjectType {
        ObjectType::of::<T>(Object::Array)
    }

    /// One value of `T`.
    pub(crate) fn one<T: 'static>() -> ObjectType {
        ObjectType::of::<T>(Object::One)
    }

    pub(crate) fn lock() -> ObjectType {
        ObjectType::of::<i64>(Object::Lock)
    }

    pub(crate) fn signals() -> ObjectType {
        ObjectType::of::<u64>(Object::Signals)
    }

    pub(crate) fn signal() -> ObjectType {
        ObjectType::of::<u64>(Object::Signal)
    }

    fn of<T: 'static>(object: Object) -> ObjectType {
        // A size that does not fit is more than a heap has.
        let size = (size_of::<T>() as u64).min(SIZE);
        let align = u64::from(align_of::<T>().ilog2());
        let number = u64::from(number::<T>());
        ObjectType((object as u64) << OBJECT_SHIFT | number << TYPE_SHIFT | align << ALIGN_SHIFT | size)
    }

    /// As a word of a signature.
    pub(crate) fn word(self) -> u64 {
        self.0
    }

    /// What a word of a signature says.
    pub(crate) fn from_word(word: u64) -> ObjectType {
        ObjectType(word)
    }

    pub(crate) fn is_bytes(self) -> bool {
        self == ObjectType::BYTES
    }
}

macro_rules! numbers {
    ($($code:literal $ty:ty;)*) => {
        /// The number that stands for a type all programs know; 0 for a program's own.
        fn number<T: 'static>() -> u8 {
            let id = TypeId::of::<T>();
            $(if id == TypeId::of::<$ty>() {
                return $code;
            })*
            0
        }

        /// Its name.
        fn name(number: u8) -> Option<&'static str> {
            match number {
                $($code => Some(stringify!($ty)),)*
                _ => None,
            }
        }
    };
}

numbers! {
    1 u8;
    2 u16;
    3 u32;
    4 u64;
    5 u128;
    6 usize;
    7 i8;
    8 i16;
    9 i32;
    10 i64;
    11 i128;
    12 isize;
    13 f32;
    14 f64;
    15 Complex<f32>;
    16 Complex<f64>;
    17 LongDouble;
}

/// For the lines that name who asked for what.
impl fmt::Display for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = match (self.0 >> OBJECT_SHIFT) as u8 {
            o if o == Object::Array as u8 => "an array of",
            o if o == Object::One as u8 => "one",
            o if o == Object::Lock as u8 => return f.write_str("a lock"),
            o if o == Object::Signals as u8 => return f.write_str("signals"),
            o if o == Object::Signal as u8 => return f.write_str("a signal"),
            _ => return f.write_str("bytes"),
        };
        match name((self.0 >> TYPE_SHIFT) as u8) {
            Some(name) => write!(f, "{object} {name}"),
            None => {
                let (size, align) = (self.0 & SIZE, 1u64 << (self.0 >> ALIGN_SHIFT & 63));
                write!(f, "{object} [{size} bytes at multiples of {align}]")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_things_have_different_words() {
        let words = [
            ObjectType::BYTES,
            ObjectType::array::<i64>(),
            ObjectType::array::<u64>(),
            ObjectType::array::<usize>(),
            ObjectType::array::<f64>(),
            ObjectType::array::<[u32; 2]>(),
            ObjectType::array::<[u8; 8]>(),
            ObjectType::array::<[u64; 2]>(),
            ObjectType::array::<u128>(),
            ObjectType::one::<i64>(),
            ObjectType::one::<u64>(),
            ObjectType::lock(),
            ObjectType::signals(),
            ObjectType::signal(),
        ];
        for (i, a) in words.iter().enumerate() {
            assert!(words[..i].iter().all(|b| a != b), "{a}");
            assert_eq!(ObjectType::from_word(a.word()), *a);
        }
        assert_eq!(
            ObjectType::array::<[u32; 2]>(),
            ObjectType::array::<[i32; 2]>(),
            "a program's own, of one layout"
        );
    }

    #[test]
    fn words_are_told_in_words() {
        let texts = [
            ObjectType::array::<Complex<f32>>(),
            ObjectType::one::<[u16; 3]>(),
            ObjectType::lock(),
            ObjectType::BYTES,
        ];
        let expected = ["an array of Complex<f32>", "one [6 bytes at multiples of 2]", "a lock", "bytes"];
        assert_eq!(texts.map(|t| t.to_string()), expected);
    }
}
