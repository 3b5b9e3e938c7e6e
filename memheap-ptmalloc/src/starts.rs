//! From an offset to the chunk that starts there: a table with a word for each slot, which is 64 bytes of the heap.
//!
//! ```text
//!   heap    │ a         │ b  c      │           │       d   │     slots of 64 bytes
//!   table   │ a         │ b         │ -         │ d         │     the first chunk that starts inside
//! ```
//!
//! If several chunks start in a slot, its word names the first; up to three more follow it by address.

use std::ops::{Deref, DerefMut};

use crate::chunks::{ChunkId, EDGE};
use crate::units::Granules;
use crate::width::Word;

/// The logarithm of the granules of a slot.
pub const SLOT: u32 = 2;
/// How many slots [`Starts::near`] looks at.
const REACH: u64 = 64;
/// The most slots [`Starts::entries`] counts.
const COUNTABLE: usize = 1 << 16;

/// How many slots a window has.
pub fn table_len(window: Granules) -> u64 {
    window.0.div_ceil(1 << SLOT)
}

/// The first chunk of each slot, in a table or in a slice of one.
pub struct Starts<T>(pub T);

impl<W: Word, T: Deref<Target = [W]>> Starts<T> {
    /// The first chunk that starts in the slot of `at`, [`EDGE`] if none does; `None` if `at` is not in the window.
    #[inline(always)]
    pub fn first(&self, at: Granules) -> Option<ChunkId> {
        self.0.get(at.slot() as usize).map(|id| ChunkId(id.get()))
    }

    /// The last chunk named in the slot of `at` or in the few slots before it that is `good`.
    pub fn near(&self, at: Granules, good: impl Fn(ChunkId) -> bool) -> Option<ChunkId> {
        let slot = at.slot();
        let slots = (slot.saturating_sub(REACH)..=slot).rev();
        slots.map(|s| ChunkId(self.0[s as usize].get())).find(|&id| id != EDGE && good(id))
    }

    /// How many slots are filled, unless there are too many to look at.
    pub fn entries(&self) -> Option<usize> {
        (self.0.len() <= COUNTABLE).then(|| self.0.iter().filter(|id| id.get() != EDGE.0).count())
    }
}

impl<W: Word, T: DerefMut<Target = [W]>> Starts<T> {
    /// Enters chunk `id`, which starts at `at`; the chunk before it starts at `before`.
    #[inline(always)]
    pub fn enter(&mut self, id: ChunkId, at: Granules, before: Granules) {
        if at.slot() != before.slot() {
            self.0[at.slot() as usize] = W::of(id.0);
        }
    }

    /// Enters chunk `id`, which starts at `at` and is the last one.
    #[inline(always)]
    pub fn enter_last(&mut self, id: ChunkId, at: Granules) {
        let first = &mut self.0[at.slot() as usize];
        if first.get() == EDGE.0 {
            *first = W::of(id.0);
        }
    }

    /// Strikes out the only chunk of the slot of `at`.
    #[inline(always)]
    pub fn empty(&mut self, at: Granules) {
        self.0[at.slot() as usize] = W::of(EDGE.0);
    }

    /// Strikes out the chunk that starts at `at`, between one that starts at `before` and the chunk
    /// `behind` that starts at `after`.
    #[inline(always)]
    pub fn strike(&mut self, at: Granules, before: Granules, behind: ChunkId, after: Granules) {
        if at.slot() != before.slot() {
            let heir = if at.slot() == after.slot() { behind } else { EDGE };
            self.0[at.slot() as usize] = W::of(heir.0);
        }
    }
}

impl Granules {
    /// The slot this position lies in.
    #[inline(always)]
    pub fn slot(self) -> u64 {
        self.0 >> SLOT
    }
}
