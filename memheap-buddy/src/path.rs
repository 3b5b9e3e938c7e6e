//! The path register: the free siblings along one path of the binary tree, in two words.
//!
//! ```text
//!   order 3   ┌───────────────┐          at   = 0b0010: the path leads to the block at 2
//!         2   ├───────┬───────┤   ◄──1   free = 0b0110: its siblings of order 2 (at 4) and
//!         1   ├───┬───┤                                 order 1 (at 0) are free as a whole,
//!         0   └─┬─┴─┬─┴─┬───┬─┘   ◄──1                  that of order 0 (at 3) is not
//!                     ▲ at                0
//! ```
//!
//! An order names the sibling, so a set of free blocks is a set of bits: splitting a block of order `o`
//! down to `k` sets the bits `k..o`, merging along the path clears a run of ones. Neither touches memory,
//! and neither depends on how tall the tree is.
//!
//! The siblings of the path to `len` at the set bits of `len` are exactly the binary decomposition of
//! `0..len`. So a fresh heap of any length is `at = free = len`: what lies past the end is never free.
//!
//! A block on the path itself may be free, too; then it is in the bitmaps (see [`free`](crate::free)).

use memheap::{Offset, Order};

/// One path and its free siblings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Path {
    /// The path leads from the root to the byte at this offset.
    at: u64,
    /// Bit `o`: the sibling of order `o` is free.
    free: u64,
}

impl Path {
    /// The path of a heap of `len` bytes, all of them free.
    pub(crate) fn fresh(len: u64) -> Path {
        Path { at: len, free: len }
    }

    /// The orders whose siblings are free, as a set of bits.
    #[inline]
    pub(crate) fn free(self) -> u64 {
        self.free
    }

    /// Where the sibling of `order` starts.
    #[inline]
    pub(crate) fn sibling(self, order: Order) -> Offset {
        Offset(((self.at >> order.0) ^ 1) << order.0)
    }

    /// Whether the block at `at` is a sibling of the path and free.
    #[inline]
    pub(crate) fn has(self, at: Offset, order: Order) -> bool {
        self.free >> order.0 & 1 == 1 && self.sibling(order) == at
    }

    /// Strikes out the free sibling of `order`.
    #[inline]
    pub(crate) fn take(&mut self, order: Order) {
        self.free &= !(1 << order.0);
    }

    /// If the path leads into a block that is about to be freed, takes the free siblings that it can be merged with;
    /// returns the merged block.
    #[inline]
    pub(crate) fn absorb(&mut self, at: Offset, order: Order) -> (Offset, Order) {
        if (at.0 ^ self.at) >> order.0 != 0 {
            return (at, order);
        }
        // Bit 63 is never set, since heaps are shorter than 2^63, so the run ends below it.
        let run = (self.free >> order.0).trailing_ones();
        let grown = Order(order.0 + run as u8);
        self.free &= !(grown.bytes().0 - order.bytes().0);
        (Offset(at.0 & !(grown.bytes().0 - 1)), grown)
    }

    /// Both words, for tests that store and restore states.
    #[cfg(test)]
    pub(crate) fn words(&mut self) -> (&mut u64, &mut u64) {
        (&mut self.at, &mut self.free)
    }

    /// Records a free block, if it is a sibling of the path or can be made one; whether it could.
    #[inline]
    pub(crate) fn record(&mut self, at: Offset, order: Order) -> bool {
        match (at.0 ^ self.at) >> order.0 {
            // The path led into the block, so it turns to the nearest byte outside, in the buddy, where the next
            // block is if blocks are freed in order of address. No bit below `order` is set, since those siblings are
            // parts of this block.
            0 => self.at = if at.0 & order.bytes().0 == 0 { at.0 + order.bytes().0 } else { at.0 - 1 },
            1 => {}
            _ => return false,
        }
        self.free |= order.bytes().0;
        true
    }

    /// Turns the path to `at` and records the siblings `pieces` of the new path as free. Returns the old path with
    /// those of its free siblings that are not siblings of the new one.
    #[inline]
    pub(crate) fn turn(&mut self, at: Offset, pieces: u64) -> Path {
        // Both paths share everything above the highest bit in which they differ.
        let apart = u64::MAX.checked_shr((self.at ^ at.0).leading_zeros()).unwrap_or(0);
        let left = Path { at: self.at, free: self.free & apart };
        *self = Path { at: at.0, free: self.free & !apart | pieces };
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(p: Path) -> Vec<(u64, u8)> {
        let orders = (0..64).rev().filter(|o| p.free >> o & 1 == 1);
        orders.map(|o| (p.sibling(Order(o)).0, o)).collect()
    }

    #[test]
    fn fresh_is_the_binary_decomposition() {
        assert_eq!(blocks(Path::fresh(16)), [(0, 4)]);
        assert_eq!(blocks(Path::fresh(13)), [(0, 3), (8, 2), (12, 0)]);
        assert_eq!(blocks(Path::fresh(0)), []);
        for len in 1..1000 {
            let mut end = 0;
            for (at, o) in blocks(Path::fresh(len)) {
                assert_eq!(at, end);
                end = at + (1 << o);
            }
            assert_eq!(end, len);
        }
    }

    #[test]
    fn split_then_merge_is_the_identity() {
        let fresh = Path::fresh(1 << 30);
        let mut p = fresh;
        p.take(Order(30));
        let left = p.turn(Offset(0), (1 << 30) - (1 << 6));
        assert_eq!((left.free, p.free), (0, (1 << 30) - (1 << 6)));
        assert_eq!(p.absorb(Offset(0), Order(6)), (Offset(0), Order(30)));
        assert!(p.record(Offset(0), Order(30)));
        assert_eq!(p, fresh);
    }

    #[test]
    fn turning_gives_back_what_is_not_shared() {
        let mut p = Path { at: 0b0000, free: 0b1011 };
        let left = p.turn(Offset(0b0100), 0b0001);
        assert_eq!(left, Path { at: 0, free: 0b0011 });
        assert_eq!(p, Path { at: 0b0100, free: 0b1001 });
        assert_eq!(p.turn(Offset(0b0100), 0b0010).free, 0, "the same path keeps all");
    }
}
