//! A heap seen block by block, and the check of its invariants.

use memheap::{BlockState, Offset, Order, Violation};

use crate::free::FreeBlocks;
use crate::path::Path;
use crate::sizes::SizeTable;

fn violation<T>(invariant: &'static str, what: String) -> Result<T, Violation> {
    Err(Violation { invariant, what })
}

/// A heap while nothing changes it.
#[derive(Clone, Copy)]
pub(super) struct View<'h, const LEVELS: usize> {
    pub free: &'h FreeBlocks<LEVELS>,
    pub sizes: &'h SizeTable,
    pub min: Order,
    /// Bytes that can be handed out.
    pub managed: u64,
}

impl<'h, const LEVELS: usize> View<'h, LEVELS> {
    /// All blocks by ascending offset. Ends where no block starts, which is before the end only if BUDDY-I3 is broken.
    pub(super) fn walk(self) -> impl Iterator<Item = (Offset, Order, BlockState)> + 'h {
        let mut at = Offset(0);
        std::iter::from_fn(move || {
            if at.0 >= self.managed {
                return None;
            }
            let found = match self.sizes.get(at) {
                Some(order) => (at, order, BlockState::Live),
                None => (at, self.free_order(at)?, BlockState::Free),
            };
            at = Offset(at.0 + found.1.bytes().0);
            Some(found)
        })
    }

    /// The order of the free block that starts at `at`.
    fn free_order(&self, at: Offset) -> Option<Order> {
        let mut orders = self.free.orders();
        while orders != 0 {
            let order = Order(orders.trailing_zeros() as u8);
            if at.0 & (order.bytes().0 - 1) == 0 && self.free.has(at, order) {
                return Some(order);
            }
            orders &= orders - 1;
        }
        None
    }

    /// The first invariant that does not hold, in the order of the [heap's docs](super).
    pub(super) fn audit(self) -> Result<(), Violation> {
        let managed = self.managed;
        let mut recorded = 0;
        for order in (self.min.0..managed.checked_ilog2().map_or(0, |max| max as u8 + 1)).map(Order) {
            match self.free.bitmaps.count(order) {
                Ok(_) => recorded += self.free.num_free(order),
                Err(what) => return violation("BUDDY-I1", what),
            }
        }
        if self.free.orders() & !(u64::MAX >> managed.leading_zeros().min(63) & !(self.min.bytes().0 - 1))
            != 0
        {
            return violation(
                "BUDDY-I1",
                format!("free blocks of impossible orders: {:#b}", self.free.orders()),
            );
        }
        let (mut end, mut free_bytes, mut free_blocks, mut live_blocks) = (0, 0, 0, 0);
        for (at, order, state) in self.walk() {
            end = at.0 + order.bytes().0;
            if end > managed {
                return violation("BUDDY-I3", format!("block of order {} at {at} passes the end", order.0));
            }
            if at.0 & (order.bytes().0 - 1) != 0 || order < self.min {
                return violation("BUDDY-I4", format!("block of order {} at {at}", order.0));
            }
            if state == BlockState::Live {
                live_blocks += 1;
                continue;
            }
            free_blocks += 1;
            free_bytes += order.bytes().0;
            let buddy = Offset(at.0 ^ order.bytes().0);
            if self.free.has(buddy, order) && buddy.0 < managed {
                return violation("BUDDY-I2", format!("{at} and its buddy are free at order {}", order.0));
            }
            if self.free.path.has(at, order) && self.free.bitmaps.has(at, order) {
                return violation("BUDDY-I5", format!("{at} of order {} is recorded twice", order.0));
            }
        }
        if end != managed {
            return violation(
                "BUDDY-I3",
                format!("nothing starts at {end:#x}, the heap ends at {managed:#x}"),
            );
        }
        if (free_bytes, free_blocks) != (self.free.bytes, recorded) {
            let (bytes, blocks) = (self.free.bytes, recorded);
            let what =
                format!("{blocks} blocks, {bytes} bytes free recorded; {free_blocks}, {free_bytes} found");
            return violation("BUDDY-I3", what);
        }
        if live_blocks != self.sizes.live() {
            return violation(
                "BUDDY-I3",
                format!("{} live recorded, {live_blocks} found", self.sizes.live()),
            );
        }
        if live_blocks == 0 && self.free.orders() != Path::fresh(managed).free() {
            return violation(
                "BUDDY-I6",
                format!("empty, but its free orders are {:#b}", self.free.orders()),
            );
        }
        Ok(())
    }
}
