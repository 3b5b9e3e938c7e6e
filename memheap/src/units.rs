//! The units as types, so that no bare integer crosses a boundary of the heap.
//!
//! Everything is 64 bits wide, so heaps above 4 GiB are ordinary. Arithmetic that can leave the
//! range is `checked_*` and says so in its name; the rest is exact by construction.

use std::fmt;

/// A position inside a heap window, in bytes from its start. Equal on every PE for the same object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Offset(pub u64);

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Bytes(pub u64);

/// A power-of-two alignment, kept as its logarithm, so that an invalid one cannot be represented.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Align(u8);

/// The logarithm of a block's size: a block of order `o` has `2^o` bytes and starts at a multiple of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Order(pub u8);

/// The number of a processing element within the world, `0..n_pes`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct PeId(pub u32);

/// What a module is given to manage: `0..len` bytes of offsets. It never sees an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Length of the window; need not be a power of two.
    pub len: Bytes,
}

/// How strongly a component wants to be chosen; the highest wins, ties go to the first listed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Priority(pub i32);

impl Offset {
    /// `self + n`, or `None` past 2^64.
    pub fn checked_add(self, n: Bytes) -> Option<Offset> {
        self.0.checked_add(n.0).map(Offset)
    }

    /// Whether this offset is a multiple of `align`.
    pub fn is_aligned(self, align: Align) -> bool {
        self.0 & (align.bytes() - 1) == 0
    }
}

impl Bytes {
    /// Kibibytes.
    pub const fn kib(n: u64) -> Bytes {
        Bytes(n << 10)
    }

    /// Mebibytes.
    pub const fn mib(n: u64) -> Bytes {
        Bytes(n << 20)
    }

    /// Gibibytes.
    pub const fn gib(n: u64) -> Bytes {
        Bytes(n << 30)
    }

    /// The least multiple of `align` that is not below `self`, or `None` past 2^64.
    pub fn checked_round_up(self, align: Align) -> Option<Bytes> {
        let mask = align.bytes() - 1;
        self.0.checked_add(mask).map(|n| Bytes(n & !mask))
    }
}

impl Align {
    /// No requirement.
    pub const ONE: Align = Align(0);
    /// What `malloc` promises: suitable for any type.
    pub const DEFAULT: Align = Align(4);
    /// A cache line: two PEs should not both write to one.
    pub const CACHE_LINE: Align = Align(6);
    /// A small page.
    pub const PAGE: Align = Align(12);
    /// A huge page; the base of every region is aligned to it at least.
    pub const HUGE: Align = Align(21);

    /// The alignment of `bytes`, or `None` unless it is a power of two.
    pub fn new(bytes: u64) -> Option<Align> {
        bytes.is_power_of_two().then(|| Align(bytes.trailing_zeros() as u8))
    }

    /// The largest alignment that an address or an offset has; 0 has every one.
    pub fn of(at: u64) -> Align {
        Align(at.trailing_zeros().min(63) as u8)
    }

    /// The alignment in bytes.
    #[inline]
    pub const fn bytes(self) -> u64 {
        1 << self.0
    }

    /// The logarithm of the alignment.
    #[inline]
    pub const fn log2(self) -> u8 {
        self.0
    }
}

impl Order {
    /// Bytes of a block of this order.
    #[inline]
    pub const fn bytes(self) -> Bytes {
        Bytes(1 << self.0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for PeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Align {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bytes())
    }
}

/// Prints in the largest unit that keeps the number readable: `312 MiB`, `1.5 GiB`, `100 B`.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0;
        let (unit, shift) = match n {
            0..0x400 => return write!(f, "{n} B"),
            0x400..0x10_0000 => ("KiB", 10),
            0x10_0000..0x4000_0000 => ("MiB", 20),
            0x4000_0000..0x100_0000_0000 => ("GiB", 30),
            _ => ("TiB", 40),
        };
        if n & ((1 << shift) - 1) == 0 {
            write!(f, "{} {unit}", n >> shift)
        } else {
            write!(f, "{:.1} {unit}", n as f64 / (1u64 << shift) as f64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn align_takes_powers_of_two_only() {
        assert_eq!(Align::new(0), None);
        assert_eq!(Align::new(24), None);
        assert_eq!(Align::new(4096).map(Align::log2), Some(12));
    }

    #[test]
    fn sizes_print_readably() {
        for (n, s) in [(100, "100 B"), (1 << 20, "1 MiB"), (3 << 29, "1.5 GiB"), (5 << 40, "5 TiB")] {
            assert_eq!(Bytes(n).to_string(), s);
        }
    }

    #[test]
    fn rounding_up_is_checked() {
        assert_eq!(Bytes(1).checked_round_up(Align::HUGE), Some(Bytes::mib(2)));
        assert_eq!(Bytes(0).checked_round_up(Align::HUGE), Some(Bytes(0)));
        assert_eq!(Bytes(u64::MAX).checked_round_up(Align::HUGE), None);
    }
}
