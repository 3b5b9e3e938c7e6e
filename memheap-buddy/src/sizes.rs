//! The size table: the order of every live block, by its start. It is the only record of live blocks, so it also tells
//! their starts from other offsets.
//!
//! | variant | look-up | memory | when |
//! |---|---|---|---|
//! | direct | one byte per smallest block, 0 = no live start | 1.6 % of the heap used, address space for all of it | default |
//! | hashed | hashbrown, keyed by offset | per live block, grows by doubling | the address space was refused |
//!
//! Nothing iterates over the hashed variant, so its random order has no influence on offsets.

use hashbrown::HashMap;
use memheap::table::Table;
use memheap::{Offset, Order};

/// The orders of live blocks.
pub(crate) enum SizeTable {
    /// A byte for each smallest block.
    Direct {
        orders: Table<u8>,
        /// The logarithm of the smallest block; above 0, so that no order is stored as 0.
        min: Order,
        live: u64,
    },
    /// An entry for each live block.
    Hashed(HashMap<u64, u8>),
}

impl SizeTable {
    /// The direct variant for `len` bytes, if the system gives the address space.
    pub(crate) fn direct(len: u64, min: Order) -> std::io::Result<SizeTable> {
        let entries = usize::try_from(len >> min.0).map_err(std::io::Error::other)?;
        Ok(SizeTable::Direct { orders: Table::zeroed(entries)?, min, live: 0 })
    }

    /// The hashed variant.
    pub(crate) fn hashed() -> SizeTable {
        SizeTable::Hashed(HashMap::new())
    }

    /// The order of the live block that starts at `at`.
    #[inline(always)]
    pub(crate) fn get(&self, at: Offset) -> Option<Order> {
        match self {
            SizeTable::Direct { orders, min, .. } => {
                orders.get(entry(at, *min)).copied().filter(|&o| o != 0).map(Order)
            }
            SizeTable::Hashed(map) => hashed::get(map, at),
        }
    }

    /// Makes sure that the next [`insert`](Self::insert) needs no memory; `false` if there is none.
    #[inline(always)]
    pub(crate) fn reserve(&mut self) -> bool {
        match self {
            SizeTable::Direct { .. } => true,
            SizeTable::Hashed(map) => hashed::reserve(map),
        }
    }

    /// Enters a live block at a start that has none.
    #[inline(always)]
    pub(crate) fn insert(&mut self, at: Offset, order: Order) {
        match self {
            SizeTable::Direct { orders, min, live } => {
                orders[entry(at, *min)] = order.0;
                *live += 1;
            }
            SizeTable::Hashed(map) => hashed::insert(map, at, order),
        }
    }

    /// Strikes out the live block that starts at `at`; its order, or `None` if there is no such block.
    #[inline(always)]
    pub(crate) fn remove(&mut self, at: Offset) -> Option<Order> {
        match self {
            SizeTable::Direct { orders, min, live } => {
                let slot = orders.get_mut(entry(at, *min)).filter(|o| **o != 0)?;
                *live -= 1;
                Some(Order(std::mem::take(slot)))
            }
            SizeTable::Hashed(map) => hashed::remove(map, at),
        }
    }

    /// The number of live blocks.
    pub(crate) fn live(&self) -> u64 {
        match self {
            SizeTable::Direct { live, .. } => *live,
            SizeTable::Hashed(map) => map.len() as u64,
        }
    }
}

/// The entry of a start. An offset that is no multiple of the smallest block has its low bits rotated to
/// the top and so lands past the end of every table: one comparison finds both kinds of bad offset.
#[inline]
fn entry(at: Offset, min: Order) -> usize {
    at.0.rotate_right(u32::from(min.0)) as usize
}

/// The hashed variant is out of line, so that the direct one takes a few instructions in its callers.
mod hashed {
    use super::*;

    #[cold]
    pub(super) fn get(map: &HashMap<u64, u8>, at: Offset) -> Option<Order> {
        map.get(&at.0).copied().map(Order)
    }

    #[cold]
    pub(super) fn reserve(map: &mut HashMap<u64, u8>) -> bool {
        map.try_reserve(1).is_ok()
    }

    #[cold]
    pub(super) fn insert(map: &mut HashMap<u64, u8>, at: Offset, order: Order) {
        map.insert(at.0, order.0);
    }

    #[cold]
    pub(super) fn remove(map: &mut HashMap<u64, u8>, at: Offset) -> Option<Order> {
        map.remove(&at.0).map(Order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_variants_know_live_starts_only() {
        for mut sizes in [SizeTable::direct(1 << 20, Order(6)).unwrap(), SizeTable::hashed()] {
            assert!(sizes.reserve());
            sizes.insert(Offset(128), Order(7));
            assert_eq!(sizes.get(Offset(128)), Some(Order(7)));
            for no in [0, 64, 127, 129, 160, 192, 1 << 20, (1 << 20) + 128, 128 + (1 << 63), u64::MAX] {
                assert_eq!(sizes.get(Offset(no)), None, "{no}");
                assert_eq!(sizes.remove(Offset(no)), None, "{no}");
            }
            assert_eq!((sizes.live(), sizes.remove(Offset(128)), sizes.live()), (1, Some(Order(7)), 0));
            assert_eq!(sizes.remove(Offset(128)), None);
        }
    }
}
