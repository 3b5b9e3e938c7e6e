//! Chunk descriptors: everything that is known about a chunk, kept outside the heap.
//!
//! ```text
//!   word   0 1             2 3    4     5     6      7
//!         ┌───────────────┬──────┬─────┬─────┬──────┬──────┐
//!         │ start·2+live  │ size │prev │next │newer │older │   32 bytes, two to a cache line
//!         └───────────────┴──────┴─────┴─────┴──────┴──────┘
//!                                 by address  within the bin
//!
//!   id    0      1 … 1024             1025   1026 …
//!         edge   list heads of bins   top    ordinary chunks, taken from a stack of spare descriptors
//! ```
//!
//! The edge stands before the first chunk. Its start is beyond everything and it is never free, so
//! nothing merges with it and no search finds it, without a test for "none" anywhere. Top is only a
//! name: where it starts changes with every other call and is a field of the heap.
//!
//! A spare descriptor keeps the next spare one in `older`. One that was never used holds zero there,
//! as all of a fresh table does, and is followed by its neighbour: that is why no list needs to be built.

use memheap::table::Table;

use crate::bins::{BINS, Bin};
use crate::units::Granules;

/// Names a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct ChunkId(pub u32);

/// The edge before the first chunk; also "no chunk".
pub const EDGE: ChunkId = ChunkId(0);
/// The free chunk that ends the window. It may be empty.
pub const TOP: ChunkId = ChunkId(BINS as u32 + 1);
const FIRST: u32 = TOP.0 + 1;

/// A chunk as its descriptor tells it.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    /// Start and state in one: see [`tag`].
    pub tag: u64,
    /// Length.
    pub size: Granules,
    /// The chunk before it by address.
    pub prev: ChunkId,
    /// The chunk behind it by address.
    pub next: ChunkId,
}

impl Chunk {
    /// Where it starts.
    #[inline(always)]
    pub fn start(&self) -> Granules {
        Granules(self.tag >> 1)
    }

    /// Where it ends.
    #[inline(always)]
    pub fn end(&self) -> Granules {
        self.start() + self.size
    }

    /// Whether somebody holds it.
    #[inline(always)]
    pub fn is_live(&self) -> bool {
        self.tag & 1 != 0
    }
}

/// The first field of a chunk that starts at `start`.
#[inline(always)]
pub fn tag(start: Granules, live: bool) -> u64 {
    start.0 << 1 | u64::from(live)
}

/// All descriptors of a heap.
pub struct Chunks {
    table: Table<[u32; 8]>,
    spare: ChunkId,
}

impl Chunks {
    /// Descriptors for at most `count` chunks besides top.
    pub fn new(count: u64) -> std::io::Result<Chunks> {
        let len = count.saturating_add(u64::from(FIRST)).min(u64::from(u32::MAX));
        let mut chunks = Chunks { table: Table::zeroed(len as usize)?, spare: ChunkId(FIRST) };
        chunks.put(EDGE, Chunk { tag: u64::MAX, size: Granules(0), prev: EDGE, next: TOP });
        Ok(chunks)
    }

    /// The chunk `id` names.
    #[inline(always)]
    pub fn get(&self, id: ChunkId) -> Chunk {
        let w = &self.table[id.0 as usize];
        Chunk {
            tag: pair(w[0], w[1]),
            size: Granules(pair(w[2], w[3])),
            prev: ChunkId(w[4]),
            next: ChunkId(w[5]),
        }
    }

    /// Writes all of a descriptor but its place in a bin.
    #[inline(always)]
    pub fn put(&mut self, id: ChunkId, chunk: Chunk) {
        let w = &mut self.table[id.0 as usize];
        [w[0], w[1]] = split(chunk.tag);
        [w[2], w[3]] = split(chunk.size.0);
        [w[4], w[5]] = [chunk.prev.0, chunk.next.0];
    }

    /// Writes start, state and size.
    #[inline(always)]
    pub fn set_extent(&mut self, id: ChunkId, tag: u64, size: Granules) {
        let w = &mut self.table[id.0 as usize];
        [w[0], w[1]] = split(tag);
        [w[2], w[3]] = split(size.0);
    }

    /// Writes start and state.
    #[inline(always)]
    pub fn set_tag(&mut self, id: ChunkId, tag: u64) {
        let w = &mut self.table[id.0 as usize];
        [w[0], w[1]] = split(tag);
    }

    /// Writes the link to the chunk before.
    #[inline(always)]
    pub fn set_prev(&mut self, id: ChunkId, prev: ChunkId) {
        self.table[id.0 as usize][4] = prev.0;
    }

    /// Writes the link to the chunk behind.
    #[inline(always)]
    pub fn set_next(&mut self, id: ChunkId, next: ChunkId) {
        self.table[id.0 as usize][5] = next.0;
    }

    /// A descriptor nobody uses, or `None` when all are in use.
    #[inline(always)]
    pub fn acquire(&mut self) -> Option<ChunkId> {
        let id = self.spare;
        let next = self.table.get(id.0 as usize)?[7];
        self.spare = ChunkId(if next == 0 { id.0 + 1 } else { next });
        Some(id)
    }

    /// Puts a descriptor back.
    #[inline(always)]
    pub fn release(&mut self, id: ChunkId) {
        self.table[id.0 as usize][7] = self.spare.0;
        self.spare = id;
    }

    /// Makes `id` the newest of `bin`, which is empty or not.
    #[inline(always)]
    pub fn link(&mut self, bin: Bin, id: ChunkId, was_empty: bool) {
        let head = bin.head();
        let older = if was_empty { head } else { self.older(head) };
        let w = &mut self.table[id.0 as usize];
        [w[6], w[7]] = [head.0, older.0];
        // The head of an empty bin has never been written or is stale, so both of its links are.
        self.table[older.0 as usize][6] = id.0;
        self.table[head.0 as usize][7] = id.0;
    }

    /// Takes `id` out of its bin; the bin, if that leaves it empty.
    #[inline(always)]
    pub fn unlink(&mut self, id: ChunkId) -> Option<Bin> {
        let w = &self.table[id.0 as usize];
        let (newer, older) = (w[6], w[7]);
        self.table[newer as usize][7] = older;
        self.table[older as usize][6] = newer;
        (newer == older).then(|| Bin::headed_by(ChunkId(newer)))
    }

    /// Takes the newest chunk out of `bin`, which holds one: it, and whether that empties the bin.
    #[inline(always)]
    pub fn pop(&mut self, bin: Bin) -> (ChunkId, bool) {
        let head = bin.head().0;
        let id = self.table[head as usize][7];
        let older = self.table[id as usize][7];
        self.table[head as usize][7] = older;
        self.table[older as usize][6] = head;
        (ChunkId(id), older == head)
    }

    /// The next older member of the bin `id` is in or heads; the head again behind the oldest.
    #[inline(always)]
    pub fn older(&self, id: ChunkId) -> ChunkId {
        ChunkId(self.table[id.0 as usize][7])
    }

    /// The next newer member.
    pub fn newer(&self, id: ChunkId) -> ChunkId {
        ChunkId(self.table[id.0 as usize][6])
    }

    /// The spare descriptors that have been in use before, and how many descriptors ever were.
    pub fn spares(&self) -> (Vec<ChunkId>, u64) {
        let mut spares = Vec::new();
        let mut id = self.spare;
        while let Some(w) = self.table.get(id.0 as usize).filter(|w| w[7] != 0) {
            spares.push(id);
            id = ChunkId(w[7]);
        }
        (spares, u64::from(id.0 - FIRST))
    }
}

#[inline(always)]
fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

#[inline(always)]
fn split(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}
