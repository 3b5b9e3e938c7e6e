//! All free blocks: those beside the path in the register, the others in the bitmaps.
//!
//! ```text
//!   take(k): lowest order ≥ k that has a block ─► lowest address of it ─► split along the path to it
//!   give(b): grow b by its free buddies, from the register in one step, from the bitmaps one by one
//! ```
//!
//! It makes no difference to offsets in which of the two places a block is: the block taken is always the one with
//! the lowest address among those of the smallest sufficient order. So offsets are a function of the set of free
//! blocks, which is a function of the call history.
//!
//! A free block is in exactly one of the two places (BUDDY-I5), and no two buddies are both free (BUDDY-I2).

use memheap::{Offset, Order};

use crate::bitmaps::Bitmaps;
use crate::path::Path;

/// The free blocks of a heap.
pub(crate) struct FreeBlocks<const LEVELS: usize> {
    pub(crate) path: Path,
    pub(crate) bitmaps: Bitmaps<LEVELS>,
    /// Bytes in free blocks.
    pub(crate) bytes: u64,
}

impl<const LEVELS: usize> FreeBlocks<LEVELS> {
    /// All of `0..len`; `len` is a multiple of the block size of order `min`.
    pub(crate) fn all(len: u64, min: Order) -> std::io::Result<Self> {
        Ok(FreeBlocks { path: Path::fresh(len), bitmaps: Bitmaps::new(len, min)?, bytes: len })
    }

    /// The orders that have a free block, as a set of bits.
    #[inline]
    pub(crate) fn orders(&self) -> u64 {
        self.path.free() | self.bitmaps.nonempty()
    }

    /// The number of free blocks of `order`.
    pub(crate) fn num_free(&self, order: Order) -> u64 {
        self.bitmaps.num_free(order) + (self.path.free() >> order.0 & 1)
    }

    /// Whether the block of `order` at `at` is free as a block of that order.
    #[inline]
    pub(crate) fn has(&self, at: Offset, order: Order) -> bool {
        self.path.has(at, order) || self.bitmaps.has(at, order)
    }

    /// Takes a block of `order` out, splitting a larger one where needed.
    #[inline(always)]
    pub(crate) fn take(&mut self, order: Order) -> Option<Offset> {
        let candidates = self.orders() >> order.0;
        if candidates == 0 {
            return None;
        }
        let from = Order(order.0 + candidates.trailing_zeros() as u8);
        let at = self.take_lowest(from);
        self.bytes -= order.bytes().0;
        if from != order {
            self.split(at, from, order);
        }
        Some(at)
    }

    /// Strikes out the lowest free block of an order that has one.
    #[inline(always)]
    fn take_lowest(&mut self, order: Order) -> Offset {
        let bit = order.bytes().0;
        let beside = self.path.sibling(order);
        if self.bitmaps.nonempty() & bit != 0 {
            let first = self.bitmaps.first(order);
            if self.path.free() & bit == 0 || first < beside {
                self.bitmaps.clear(first, order);
                return first;
            }
        }
        self.path.take(order);
        beside
    }

    /// Cuts the taken block of order `from` down to `to`; the pieces above it become free. The path turns to the
    /// block, so that the pieces are a run of bits; free blocks that are no longer beside the path move to the
    /// bitmaps.
    #[inline(always)]
    fn split(&mut self, at: Offset, from: Order, to: Order) {
        let left = self.path.turn(at, from.bytes().0 - to.bytes().0);
        if left.free() != 0 {
            self.store(left);
        }
    }

    /// Moves the free siblings of the path before to the bitmaps.
    #[inline(never)]
    fn store(&mut self, left: Path) {
        let mut orders = left.free();
        while orders != 0 {
            let order = Order(orders.trailing_zeros() as u8);
            self.bitmaps.set(left.sibling(order), order);
            orders &= orders - 1;
        }
    }

    /// Cuts the live block of order `from` at `at` down to `to` and frees the rest of it.
    pub(crate) fn give_tail(&mut self, at: Offset, from: Order, to: Order) {
        self.bytes += from.bytes().0 - to.bytes().0;
        self.split(at, from, to);
    }

    /// Makes a block that was taken free again, merged with every buddy that is free.
    #[inline(always)]
    pub(crate) fn give(&mut self, at: Offset, order: Order) {
        self.bytes += order.bytes().0;
        let (mut at, mut order) = self.path.absorb(at, order);
        loop {
            let buddy = Offset(at.0 ^ order.bytes().0);
            if !self.bitmaps.has(buddy, order) {
                break;
            }
            self.bitmaps.clear(buddy, order);
            (at, order) = self.path.absorb(Offset(at.0 & buddy.0), Order(order.0 + 1));
        }
        if !self.path.record(at, order) {
            self.bitmaps.set(at, order);
        }
    }

    /// Grows the taken block of order `from` at `at` to the block of order `to` that encloses it, if all the rest of
    /// that is free. Returns where it starts, or `None` if nothing has changed.
    pub(crate) fn take_around(&mut self, at: Offset, from: Order, to: Order) -> Option<Offset> {
        let rest = |order: u8| Offset((at.0 >> order ^ 1) << order);
        if !(from.0..to.0).all(|order| self.has(rest(order), Order(order))) {
            return None;
        }
        for order in from.0..to.0 {
            match self.path.has(rest(order), Order(order)) {
                true => self.path.take(Order(order)),
                false => self.bitmaps.clear(rest(order), Order(order)),
            }
        }
        self.bytes -= to.bytes().0 - from.bytes().0;
        Some(Offset(at.0 & !(to.bytes().0 - 1)))
    }
}
