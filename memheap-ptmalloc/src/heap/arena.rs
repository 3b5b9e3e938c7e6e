//! The heap as one call changes it: its tables as slices, its few scalars by reference.

use memheap::Bytes;

use crate::bins::{Bin, BinMap};
use crate::chunks::{Chunk, ChunkId, Chunks, EDGE, FIRST, TOP};
use crate::starts::Starts;
use crate::units::{GRANULE, Granules};
use crate::width::{FIELDS, Word};

/// What a heap knows besides its tables.
#[derive(Clone)]
pub(super) struct State {
    pub map: BinMap,
    pub victim: ChunkId,
    /// Zero if there is no victim, so that it is too small for every request.
    pub victim_size: Granules,
    /// Where top starts.
    pub top: Granules,
    /// The chunk before top.
    pub last: ChunkId,
    /// The first spare descriptor.
    pub spare: ChunkId,
    /// Granules in free chunks other than top, so that taking from top and giving back to it does not change this.
    pub idle: Granules,
    /// Granules of the window; a part of the last one may be past its end.
    pub window: Granules,
    pub len: Bytes,
}

impl State {
    pub(super) fn new(len: Bytes) -> State {
        State {
            map: BinMap::default(),
            victim: EDGE,
            victim_size: Granules(0),
            top: Granules(0),
            last: EDGE,
            spare: FIRST,
            idle: Granules(0),
            window: Granules(len.0.div_ceil(GRANULE)),
            len,
        }
    }

    /// Top, described like any other chunk.
    pub(super) fn top(&self) -> Chunk {
        Chunk { start: self.top, live: false, size: self.window - self.top, prev: self.last, next: EDGE }
    }

    /// Bytes of a chunk that are in the window: a part of its last granule may be past the end.
    #[inline(always)]
    pub(super) fn extent(&self, chunk: Chunk) -> u64 {
        let past_end = if chunk.end() == self.window { self.window.bytes().0 - self.len.0 } else { 0 };
        chunk.size.bytes().0.saturating_sub(past_end)
    }

    /// Whether `size` bytes fit into the window from `at` on.
    #[inline(always)]
    pub(super) fn holds(&self, at: Granules, size: Bytes) -> bool {
        at.bytes().0 + size.0.saturating_sub(1) < self.len.0
    }
}

/// A heap while a call changes it.
pub(super) struct Arena<'h, W> {
    pub chunks: Chunks<&'h mut [[W; FIELDS]]>,
    pub starts: Starts<&'h mut [W]>,
    pub state: &'h mut State,
}

impl<W: Word> Arena<'_, W> {
    /// The chunk `id` names, which may be top.
    pub(super) fn chunk(&self, id: ChunkId) -> Chunk {
        if id == TOP { self.state.top() } else { self.chunks.get(id) }
    }

    /// An unused descriptor.
    #[inline(always)]
    pub(super) fn acquire(&mut self) -> ChunkId {
        self.chunks.acquire(&mut self.state.spare)
    }

    /// Puts a descriptor back.
    #[inline(always)]
    pub(super) fn release(&mut self, id: ChunkId) {
        self.chunks.release(id, &mut self.state.spare);
    }

    /// Takes a free chunk, which is not top, out of its place by PTM-I5.
    #[inline(always)]
    pub(super) fn detach(&mut self, id: ChunkId) {
        if id == self.state.victim {
            self.state.victim = EDGE;
            self.state.victim_size = Granules(0);
        } else {
            self.unshelve(id);
        }
    }

    /// Takes a chunk out of its bin.
    #[inline(always)]
    pub(super) fn unshelve(&mut self, id: ChunkId) {
        if let Some(emptied) = self.chunks.unlink(id) {
            self.state.map.clear(emptied);
        }
    }

    /// Puts a free chunk into the bin of its size.
    #[inline(always)]
    pub(super) fn shelve(&mut self, id: ChunkId, size: Granules) {
        let bin = Bin::of(size);
        self.chunks.link(bin, id, !self.state.map.has(bin));
        self.state.map.set(bin);
    }

    /// The chunks in `bin`, newest first.
    pub(super) fn members(&self, bin: Bin) -> impl Iterator<Item = ChunkId> + '_ {
        self.chunks.members(bin, self.state.map.has(bin))
    }
}
