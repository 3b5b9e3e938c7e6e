//! From an offset to the chunk that starts there: one direct-mapped table, four bytes to a slot of heap.
//!
//! ```text
//!   heap    │ a         │ b  c      │           │       d   │     slots of 64 bytes
//!   table   │ a         │ b         │ -         │ d         │     the first chunk that starts inside
//! ```
//!
//! A slot with several starts names the first; the others follow it by address, three at most.

use memheap::table::Table;

use crate::chunks::{ChunkId, EDGE};
use crate::units::Granules;

/// Granules to a slot, as a logarithm.
pub const SLOT: u32 = 2;
/// How many slots [`Starts::near`] looks at.
const REACH: u64 = 4096;
/// The most slots [`Starts::entries`] counts.
const COUNTABLE: usize = 1 << 16;

/// The first chunk of each slot.
pub struct Starts {
    table: Table<u32>,
}

impl Starts {
    /// For a window of `window` granules.
    pub fn new(window: Granules) -> std::io::Result<Starts> {
        let slots = window.0.div_ceil(1 << SLOT);
        Ok(Starts { table: Table::zeroed(slots as usize)? })
    }

    /// The first chunk that starts in the slot of `at`, [`EDGE`] if none does; `None` if `at` is no place
    /// in the window.
    #[inline(always)]
    pub fn first(&self, at: Granules) -> Option<ChunkId> {
        self.table.get(at.slot() as usize).map(|&id| ChunkId(id))
    }

    /// Enters chunk `id` that starts at `at`, the chunk before it at `before`.
    #[inline(always)]
    pub fn enter(&mut self, id: ChunkId, at: Granules, before: Granules) {
        if at.slot() != before.slot() {
            self.table[at.slot() as usize] = id.0;
        }
    }

    /// Strikes out the chunk that starts at `at`, between one that starts at `before` and the chunk
    /// `behind` that starts at `after`.
    #[inline(always)]
    pub fn strike(&mut self, at: Granules, before: Granules, behind: ChunkId, after: Granules) {
        if at.slot() != before.slot() {
            let heir = if at.slot() == after.slot() { behind } else { EDGE };
            self.table[at.slot() as usize] = heir.0;
        }
    }

    /// The last entry at or before the slot of `at` that is `good`, if it is near.
    pub fn near(&self, at: Granules, good: impl Fn(ChunkId) -> bool) -> Option<ChunkId> {
        let slot = at.slot();
        let slots = (slot.saturating_sub(REACH)..=slot).rev();
        slots.map(|s| ChunkId(self.table[s as usize])).find(|&id| id != EDGE && good(id))
    }

    /// How many slots are filled, unless there are too many to look at.
    pub fn entries(&self) -> Option<usize> {
        (self.table.len() <= COUNTABLE).then(|| self.table.iter().filter(|&&id| id != EDGE.0).count())
    }
}

impl Granules {
    /// The slot this position lies in.
    #[inline(always)]
    pub fn slot(self) -> u64 {
        self.0 >> SLOT
    }
}
