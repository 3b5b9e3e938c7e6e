//! The standard's type tables, declared once: every typed routine, its test and its C symbol come from here
//! (OpenSHMEM 1.6, tables of 9.3 to 9.13).
//!
//! ```ignore
//! macro_rules! routine { ([$($name:ident)*]) => { $( fn f(x: shmem_api::c_type!($name)) {} )* } }
//! shmem_api::type_table!(rma => routine);          // routine! { [float double ...] }
//! ```

/// Calls a macro with the TYPENAMEs of one table: `type_table!(rma => m, more tokens)` is
/// `m! { [float double ...] more tokens }`.
#[macro_export]
#[rustfmt::skip]
macro_rules! type_table {
    (rma => $m:path $(, $($x:tt)*)?) => { $m! { [float double longdouble char schar short int long longlong uchar ushort uint ulong ulonglong int8 int16 int32 int64 uint8 uint16 uint32 uint64 size ptrdiff] $($($x)*)? } };
    (amo_std => $m:path $(, $($x:tt)*)?) => { $m! { [int long longlong uint ulong ulonglong int32 int64 uint32 uint64 size ptrdiff] $($($x)*)? } };
    (amo_ext => $m:path $(, $($x:tt)*)?) => { $m! { [float double int long longlong uint ulong ulonglong int32 int64 uint32 uint64 size ptrdiff] $($($x)*)? } };
    (amo_bit => $m:path $(, $($x:tt)*)?) => { $m! { [uint ulong ulonglong int32 int64 uint32 uint64] $($($x)*)? } };
    (red_bitwise => $m:path $(, $($x:tt)*)?) => { $m! { [uchar ushort uint ulong ulonglong int8 int16 int32 int64 uint8 uint16 uint32 uint64 size] $($($x)*)? } };
    (red_minmax => $m:path $(, $($x:tt)*)?) => { $m! { [char schar short int long longlong ptrdiff uchar ushort uint ulong ulonglong int8 int16 int32 int64 uint8 uint16 uint32 uint64 size float double longdouble] $($($x)*)? } };
    (red_arith => $m:path $(, $($x:tt)*)?) => { $m! { [char schar short int long longlong ptrdiff uchar ushort uint ulong ulonglong int8 int16 int32 int64 uint8 uint16 uint32 uint64 size float double longdouble complexd complexf] $($($x)*)? } };
    (p2p_dep => $m:path $(, $($x:tt)*)?) => { $m! { [short int long longlong ushort uint ulong ulonglong int32 int64 uint32 uint64 size ptrdiff] $($($x)*)? } };
    (p2p_short_dep => $m:path $(, $($x:tt)*)?) => { $m! { [short ushort] $($($x)*)? } };
    (wait_dep => $m:path $(, $($x:tt)*)?) => { $m! { [short int long longlong] $($($x)*)? } };
    (amo_dep_std => $m:path $(, $($x:tt)*)?) => { $m! { [int long longlong] $($($x)*)? } };
    (amo_dep_ext => $m:path $(, $($x:tt)*)?) => { $m! { [float double int long longlong] $($($x)*)? } };
    (aset_bitwise => $m:path $(, $($x:tt)*)?) => { $m! { [short int long longlong] $($($x)*)? } };
    (aset_minmax => $m:path $(, $($x:tt)*)?) => { $m! { [short int long longlong float double longdouble] $($($x)*)? } };
    (aset_arith => $m:path $(, $($x:tt)*)?) => { $m! { [short int long longlong float double longdouble complexd complexf] $($($x)*)? } };
    (sizes => $m:path $(, $($x:tt)*)?) => { $m! { [8 16 32 64 128] $($($x)*)? } };
}

/// The Rust type of a TYPENAME, or of the elements of a sized routine.
#[macro_export]
#[rustfmt::skip]
macro_rules! c_type {
    (float) => { f32 }; (double) => { f64 }; (longdouble) => { $crate::LongDouble };
    (char) => { std::ffi::c_char }; (schar) => { i8 }; (short) => { i16 }; (int) => { i32 }; (long) => { i64 }; (longlong) => { i64 };
    (uchar) => { u8 }; (ushort) => { u16 }; (uint) => { u32 }; (ulong) => { u64 }; (ulonglong) => { u64 };
    (int8) => { i8 }; (int16) => { i16 }; (int32) => { i32 }; (int64) => { i64 };
    (uint8) => { u8 }; (uint16) => { u16 }; (uint32) => { u32 }; (uint64) => { u64 };
    (size) => { usize }; (ptrdiff) => { isize };
    (complexd) => { $crate::Complex<f64> }; (complexf) => { $crate::Complex<f32> };
    (8) => { u8 }; (16) => { u16 }; (32) => { u32 }; (64) => { u64 }; (128) => { u128 };
}

/// The C type of a TYPENAME, as text.
#[macro_export]
#[rustfmt::skip]
macro_rules! c_type_text {
    (float) => { "float" }; (double) => { "double" }; (longdouble) => { "long double" };
    (char) => { "char" }; (schar) => { "signed char" }; (short) => { "short" }; (int) => { "int" }; (long) => { "long" }; (longlong) => { "long long" };
    (uchar) => { "unsigned char" }; (ushort) => { "unsigned short" }; (uint) => { "unsigned int" }; (ulong) => { "unsigned long" }; (ulonglong) => { "unsigned long long" };
    (int8) => { "int8_t" }; (int16) => { "int16_t" }; (int32) => { "int32_t" }; (int64) => { "int64_t" };
    (uint8) => { "uint8_t" }; (uint16) => { "uint16_t" }; (uint32) => { "uint32_t" }; (uint64) => { "uint64_t" };
    (size) => { "size_t" }; (ptrdiff) => { "ptrdiff_t" };
    (complexd) => { "double _Complex" }; (complexf) => { "float _Complex" };
}

/// C's `long double` of x86-64 as the runtime moves it: 16 bytes, of which 10 are the number. Its arithmetic
/// is that of the reductions; Rust has none.
#[derive(Clone, Copy, PartialEq, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(16))]
pub struct LongDouble(pub [u8; 16]);

/// A complex number, laid out as C's `_Complex`.
pub use num_complex::Complex;

#[cfg(test)]
mod tests {
    #[test]
    fn the_tables_are_the_standards() {
        let tsv = concat!(env!("CARGO_MANIFEST_DIR"), "/../shmem-c/spec/openshmem-tables.tsv");
        let text = std::fs::read_to_string(tsv).unwrap_or_else(|e| panic!("{tsv}: {e}"));
        let mut compared = 0;
        macro_rules! compare {
            ([$($name:tt)*] $table:ident) => {{
                let line = text.lines().find(|l| l.split('\t').next() == Some(stringify!($table)));
                let listed: Vec<&str> = line.unwrap().split('\t').nth(3).unwrap().split(',').collect();
                assert_eq!(vec![$(stringify!($name)),*], listed, stringify!($table));
                compared += 1;
            }};
        }
        macro_rules! tables {
            ($($table:ident)*) => { $( type_table!($table => compare, $table); )* };
        }
        tables!(rma amo_std amo_ext amo_bit red_bitwise red_minmax red_arith p2p_dep p2p_short_dep wait_dep);
        tables!(amo_dep_std amo_dep_ext aset_bitwise aset_minmax aset_arith sizes);
        assert_eq!(compared, text.lines().count() - 1);
    }

    /// Widths as C has them here.
    #[test]
    fn types_have_the_widths_of_c() {
        assert_eq!((size_of::<crate::LongDouble>(), align_of::<crate::LongDouble>()), (16, 16));
        assert_eq!(size_of::<std::ffi::c_long>(), size_of::<c_type!(long)>());
        assert_eq!(size_of::<std::ffi::c_longlong>(), size_of::<c_type!(longlong)>());
        assert_eq!(size_of::<std::ffi::c_int>(), size_of::<c_type!(int)>());
        assert_eq!(size_of::<std::ffi::c_short>(), size_of::<c_type!(short)>());
    }
}
