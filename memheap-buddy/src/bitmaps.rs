//! Free blocks as bits: one bitmap per order, with 64-way summaries above it.
//!
//! ```text
//!   level 1   …0101        bit j: word j of level 0 has a bit set
//!   level 0   …0010 …0000 …1001        bit i: block i of this order is free
//! ```
//!
//! Every order has the same number of levels, a constant of the type: so the loops over levels are unrolled and do
//! not branch on what they find. The upper levels of all orders lie together, so that a heap that is little used
//! touches few pages.
//!
//! * **BITMAPS-B1** a bit of a summary is set exactly if the word below it has a bit set;
//! * **BITMAPS-B2** bit `o` of `nonempty` is set exactly if the bitmap of order `o` has a bit set;
//! * **BITMAPS-B3** `num_free[o]` is the number of bits set in it.
//!
//! [`count`](Bitmaps::count) checks them, and the heap reports them as a part of BUDDY-I1.

use memheap::table::Table;
use memheap::{Offset, Order};

/// One bitmap per order, `LEVELS` levels each.
pub(crate) struct Bitmaps<const LEVELS: usize> {
    words: Table<u64>,
    /// Where the words of an order's level begin.
    start: [[usize; LEVELS]; 64],
    num_free: [u64; 64],
    nonempty: u64,
}

/// Levels that a heap of `len` bytes needs when its smallest blocks have order `min`.
pub(crate) fn levels(len: u64, min: Order) -> u32 {
    let index_bits = 64 - bits(len, min).saturating_sub(1).leading_zeros();
    index_bits.div_ceil(6).max(1)
}

/// Bits of an order: one for each block, and one for the buddy of the last block if that is past the end.
fn bits(len: u64, order: Order) -> u64 {
    (len >> order.0).next_multiple_of(2)
}

impl<const LEVELS: usize> Bitmaps<LEVELS> {
    /// Empty bitmaps for a heap of `len` bytes with blocks of order `min` and above.
    pub(crate) fn new(len: u64, min: Order) -> std::io::Result<Self> {
        let mut start = [[0; LEVELS]; 64];
        let mut total = 0;
        let max = len.checked_ilog2().map_or(0, |max| max as u8);
        for level in (0..LEVELS).rev() {
            for order in min.0..=max {
                start[usize::from(order)][level] = total;
                total += bits(len, Order(order)).div_ceil(1 << (6 * (level + 1))) as usize;
            }
        }
        Ok(Bitmaps { words: Table::zeroed(total)?, start, num_free: [0; 64], nonempty: 0 })
    }

    /// The orders that have a free block here, as a set of bits.
    #[inline]
    pub(crate) fn nonempty(&self) -> u64 {
        self.nonempty
    }

    /// The number of free blocks of `order` here.
    #[inline]
    pub(crate) fn num_free(&self, order: Order) -> u64 {
        self.num_free[usize::from(order.0 & 63)]
    }

    /// Records the block of `order` at `at` as free.
    #[inline]
    pub(crate) fn set(&mut self, at: Offset, order: Order) {
        let words = &mut *self.words;
        let mut i = (at.0 >> order.0) as usize;
        for start in self.start[usize::from(order.0 & 63)] {
            words[start + (i >> 6)] |= 1 << (i & 63);
            i >>= 6;
        }
        self.nonempty |= order.bytes().0;
        self.num_free[usize::from(order.0 & 63)] += 1;
    }

    /// Strikes out a free block of `order`.
    #[inline(always)]
    pub(crate) fn clear(&mut self, at: Offset, order: Order) {
        let words = &mut *self.words;
        let mut i = (at.0 >> order.0) as usize;
        let mut emptied = 1u64;
        for start in self.start[usize::from(order.0 & 63)] {
            let word = &mut words[start + (i >> 6)];
            *word &= !(emptied << (i & 63));
            emptied &= u64::from(*word == 0);
            i >>= 6;
        }
        self.nonempty &= !(emptied << order.0);
        self.num_free[usize::from(order.0 & 63)] -= 1;
    }

    /// Whether the block of `order` at `at` is free here. The block may be the first one past the end, which never is.
    #[inline]
    pub(crate) fn has(&self, at: Offset, order: Order) -> bool {
        if self.nonempty & order.bytes().0 == 0 {
            return false;
        }
        let i = (at.0 >> order.0) as usize;
        self.words[self.start[usize::from(order.0 & 63)][0] + (i >> 6)] >> (i & 63) & 1 == 1
    }

    /// The lowest free block of an order that is not empty.
    #[inline(always)]
    pub(crate) fn first(&self, order: Order) -> Offset {
        let words = &*self.words;
        let mut i = 0;
        for start in self.start[usize::from(order.0 & 63)].into_iter().rev() {
            i = i << 6 | words[start + i].trailing_zeros() as usize;
        }
        Offset((i as u64) << order.0)
    }

    /// The bits of the first 64 blocks of `order`, for tests that store and restore states.
    #[cfg(test)]
    pub(crate) fn first_word(&self, order: Order) -> u64 {
        self.words[self.start[usize::from(order.0)][0]]
    }

    /// Counts the bits of `order` by way of the summaries, or says which summary is wrong.
    pub(crate) fn count(&self, order: Order) -> Result<u64, String> {
        let start = self.start[usize::from(order.0)];
        let top = LEVELS - 1;
        if (self.words[start[top]] != 0) != (self.nonempty >> order.0 & 1 == 1) {
            return Err(format!("order {}: nonempty disagrees with the bitmap", order.0));
        }
        let mut population = 0;
        let mut todo = vec![(top, 0)];
        while let Some((level, i)) = todo.pop() {
            let word = self.words[start[level] + i];
            if word == 0 && level < top {
                return Err(format!("order {}: summary of word {i} of level {level} is set", order.0));
            }
            match level {
                0 => population += u64::from(word.count_ones()),
                _ => todo.extend((0..64).filter(|b| word >> b & 1 == 1).map(|b| (level - 1, i << 6 | b))),
            }
        }
        if population != self.num_free(order) {
            let counted = self.num_free(order);
            return Err(format!("order {}: num_free {counted}, {population} bits", order.0));
        }
        Ok(population)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use memheap::conformance::Rng;

    use super::*;

    #[test]
    fn levels_cover_the_bits_exactly() {
        for (len, min, expected) in
            [(0, 6, 1), (64, 6, 1), (4096, 6, 1), (4160, 6, 2), (1 << 30, 6, 4), ((1 << 30) + 64, 6, 5)]
        {
            assert_eq!(levels(len, Order(min)), expected, "{len}");
        }
        assert_eq!(levels(1 << 40, Order(6)), 6);
        assert_eq!(levels((1 << 63) - 8, Order(3)), 10);
    }

    /// Compared with a set, for a length that is not a power of two and needs four levels.
    #[test]
    fn bits_are_a_set() {
        let len = if cfg!(miri) { 5000 } else { 3_000_001 };
        let mut bitmaps = Bitmaps::<4>::new(len, Order(0)).unwrap();
        let mut set = BTreeSet::new();
        let mut rng = Rng::new(1);
        for step in 0..if cfg!(miri) { 200 } else { 20_000 } {
            let order = Order(rng.below(3) as u8 * 5);
            let i = rng.below(len >> order.0);
            let at = Offset(i << order.0);
            assert_eq!(bitmaps.has(at, order), set.contains(&(order, at)));
            match set.insert((order, at)) {
                true => bitmaps.set(at, order),
                false => {
                    set.remove(&(order, at));
                    bitmaps.clear(at, order);
                }
            }
            if let Some(&(_, lowest)) = set.range((order, Offset(0))..(Order(order.0 + 1), Offset(0))).next()
            {
                assert_eq!(bitmaps.first(order), lowest);
                if step % 2 == 0 {
                    bitmaps.clear(lowest, order);
                    set.remove(&(order, lowest));
                }
            }
        }
        for order in [0, 5, 10].map(Order) {
            let expected = set.iter().filter(|b| b.0 == order).count() as u64;
            assert_eq!(bitmaps.count(order), Ok(expected));
        }
    }
}
