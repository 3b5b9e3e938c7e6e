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

use crate::api::world::World;
use crate::engine::Engine;
use crate::heap::stats::HeapStats;
use crate::types::thread_level::Level;

impl<L: Level> World<L> {
    /// Local: this PE's row in a picture of the space that gives `reach`: its window and its blocks, live
    /// and free. It waits for a heap call that another thread is in.
    ///
    /// Blocks of dropped objects are live until every PE has dropped them and the next collective heap
    /// call has freed them.
    pub fn heap_row(&self, reach: Reach) -> Row {
        self.engine.row(reach)
    }

    /// The name of the allocator of the space that gives `reach`.
    pub fn component(&self, reach: Reach) -> &'static str {
        self.engine.in_space(reach, Space::component)
    }
}

impl Engine {
    /// This PE's row of the space that gives `reach`.
    pub(crate) fn row(&self, reach: Reach) -> Row {
        self.in_space(reach, |space| Row::new(self.me, space.start(), space.len(), space.blocks()))
    }

    /// How full the space is that gives `reach`.
    pub(crate) fn stats(&self, reach: Reach) -> HeapStats {
        self.in_space(reach, |space| HeapStats {
            total: space.len(),
            room: space.room(),
            figures: space.figures(),
        })
    }

    /// Looks at the space that gives `reach`.
    pub(crate) fn in_space<R>(&self, reach: Reach, look: impl Fn(&Space) -> R) -> R {
        let shared = self.heap.with("a look at the heap", |heap| heap.space(reach).map(&look));
        shared.unwrap_or_else(|| self.local.with("a look at the heap", |local| look(&local.space)))
    }
}
