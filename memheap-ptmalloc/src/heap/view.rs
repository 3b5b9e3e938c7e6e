//! The heap as it is looked at: its blocks, its chunks, its room.

use memheap::component::{Block, BlockState, Room};
use memheap::{Bytes, Offset};

use super::arena::State;
use crate::bins::Bin;
use crate::chunks::{Chunk, ChunkId, Chunks, EDGE, TOP};
use crate::starts::Starts;
use crate::units::Granules;
use crate::width::Word;

/// A heap while nothing changes it.
pub(super) struct View<'h, W: Word> {
    pub chunks: &'h Chunks<W::Descriptors>,
    pub starts: &'h Starts<W::Slots>,
    pub state: &'h State,
}

impl<W: Word> Clone for View<'_, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W: Word> Copy for View<'_, W> {}

impl<'h, W: Word> View<'h, W> {
    /// The block that contains `at`.
    pub(super) fn block(self, at: Offset) -> Option<Block> {
        (at.0 < self.state.len.0).then(|| self.describe(self.chunk(self.containing(Granules::around(at)))))
    }

    /// All blocks, by ascending offset.
    pub(super) fn blocks(self) -> impl Iterator<Item = Block> + 'h {
        self.walk().map(move |(_, chunk)| self.describe(chunk)).filter(|b| b.len.0 > 0)
    }

    /// Bytes in free chunks, and in the largest.
    pub(super) fn room(self) -> Room {
        let top = self.state.extent(self.state.top());
        let between = self.state.idle.bytes().0;
        let binned = self.state.map.last().into_iter().flat_map(|bin| self.members(bin));
        let largest = binned.map(|id| self.chunks.get(id).size).max().unwrap_or_default();
        let largest = largest.max(self.state.victim_size).bytes().0.max(top);
        Room { free: Bytes(between + top), largest: Bytes(largest) }
    }

    /// The chunk `id` names, which may be top.
    fn chunk(self, id: ChunkId) -> Chunk {
        if id == TOP { self.state.top() } else { self.chunks.get(id) }
    }

    /// The chunk that contains granule `at` of the window.
    fn containing(self, at: Granules) -> ChunkId {
        if at >= self.state.top {
            return TOP;
        }
        let near = self.starts.near(at, |id| self.chunks.get(id).start <= at);
        let before = near.or_else(|| self.chunks.sample(at));
        let mut id = before.unwrap_or_else(|| self.chunks.get(EDGE).next);
        while self.chunks.get(id).end() <= at {
            id = self.chunks.get(id).next;
        }
        id
    }

    /// The block that callers see of a chunk: without the part of its last granule that is past the end of the window.
    pub(super) fn describe(self, chunk: Chunk) -> Block {
        let at = chunk.start.offset();
        let state = if chunk.live { BlockState::Live } else { BlockState::Free };
        Block { at, len: Bytes(self.state.extent(chunk)), state }
    }

    /// The chunks by address, top last.
    pub(super) fn walk(self) -> impl Iterator<Item = (ChunkId, Chunk)> + 'h {
        let mut id = EDGE;
        std::iter::from_fn(move || {
            if id == TOP {
                return None;
            }
            id = self.chunks.get(id).next;
            Some((id, self.chunk(id)))
        })
    }

    /// The chunks in `bin`, newest first.
    pub(super) fn members(self, bin: Bin) -> impl Iterator<Item = ChunkId> + 'h {
        self.chunks.members(bin, self.state.map.has(bin))
    }
}
