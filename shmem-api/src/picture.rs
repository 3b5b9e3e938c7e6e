//! What a heap holds, for pictures: the blocks behind the figures of [`World::heap`].
//!
//! ```text
//!   world.heap_row(Reach::World) ──► memheap::map::Row ──► memheap::map::{text, svg}
//!                 (local)            one per PE, gathered by the program
//! ```
//!
//! The books of the shared spaces are equal on all PEs; only [`Reach::Pe`] may differ.

use memheap::map::Row;
use memheap::place::Reach;
use memheap::space::Space;

use crate::level::Level;
use crate::world::World;

impl<L: Level> World<L> {
    /// Local: this PE's row in a picture of the space that gives `reach`: its window and its blocks, live
    /// and free. It waits for a heap call that another thread is in.
    ///
    /// Blocks of dropped objects are live until every PE has dropped them and the next collective heap
    /// call has freed them.
    pub fn heap_row(&self, reach: Reach) -> Row {
        let engine = self.engine;
        let row = |space: &Space| Row::new(engine.me, space.start(), space.len(), space.blocks());
        let shared = engine.heap.with(|heap| heap.space(reach).map(row));
        shared.unwrap_or_else(|| engine.local.with(|local| row(&local.space)))
    }
}
