//! Lengths and positions counted in granules, the 16 bytes of which every chunk is a multiple.

use memheap::{Bytes, Offset};

/// Bytes of a granule, which is also the default alignment.
pub const GRANULE: u64 = 16;
const SHIFT: u32 = GRANULE.trailing_zeros();

/// A number of granules, or a position counted in them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Granules(pub u64);

impl Granules {
    /// The fewest granules that hold `n` bytes; at least one, so that every block has a start of its own.
    #[inline(always)]
    pub fn holding(n: Bytes) -> Granules {
        Granules(n.0.saturating_sub(1) / GRANULE + 1)
    }

    /// The position of `at`. An offset that is no multiple of a granule becomes a position beyond any
    /// window, so that one comparison refuses both.
    #[inline(always)]
    pub fn exactly(at: Offset) -> Granules {
        Granules(at.0.rotate_right(SHIFT))
    }

    /// The granule `at` lies in.
    #[inline(always)]
    pub fn around(at: Offset) -> Granules {
        Granules(at.0 >> SHIFT)
    }

    /// The offset of this position.
    #[inline(always)]
    pub fn offset(self) -> Offset {
        Offset(self.0 << SHIFT)
    }

    /// This many granules in bytes.
    #[inline(always)]
    pub fn bytes(self) -> Bytes {
        Bytes(self.0 << SHIFT)
    }

    /// The least multiple of `step`, a power of two, that is not below `self`.
    #[inline(always)]
    pub fn round_up(self, step: Granules) -> Granules {
        Granules((self.0 + step.0 - 1) & !(step.0 - 1))
    }
}

impl std::ops::Add for Granules {
    type Output = Granules;
    #[inline(always)]
    fn add(self, n: Granules) -> Granules {
        Granules(self.0 + n.0)
    }
}

impl std::ops::Sub for Granules {
    type Output = Granules;
    #[inline(always)]
    fn sub(self, n: Granules) -> Granules {
        Granules(self.0 - n.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_round_up_and_nothing_is_empty() {
        for (bytes, granules) in [(0, 1), (1, 1), (16, 1), (17, 2), (1 << 40, 1 << 36), (u64::MAX, 1 << 60)] {
            assert_eq!(Granules::holding(Bytes(bytes)), Granules(granules), "{bytes}");
        }
    }

    #[test]
    fn an_odd_offset_is_beyond_any_window() {
        assert_eq!(Granules::exactly(Offset(1 << 40)), Granules(1 << 36));
        for at in [1, 8, 15, 17, (1 << 40) + 4] {
            assert!(Granules::exactly(Offset(at)).0 >= 1 << 60, "{at}");
        }
    }
}
