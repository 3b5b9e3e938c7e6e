//! How full a heap is.

use memheap::Bytes;
use memheap::component::Room;
use memheap::space::Figures;

/// How full the symmetric heap is, on this PE as on all others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeapStats {
    /// Bytes of the heap.
    pub total: Bytes,
    /// Free bytes and the largest free block.
    pub room: Room,
    /// Live blocks and bytes, and the high-water mark.
    pub figures: Figures,
}
