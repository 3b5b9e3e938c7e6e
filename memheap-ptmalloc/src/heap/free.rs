//! Giving a chunk back: it merges with both neighbours at once.

use super::arena::Arena;
use crate::chunks::{Chunk, ChunkId, EDGE, TOP};
use crate::width::Word;

impl<W: Word> Arena<'_, W> {
    /// Frees the live chunk `id`.
    pub(super) fn give(&mut self, id: ChunkId, chunk: Chunk) {
        if !self.chunks.get(chunk.prev).live {
            self.give_merging(id, chunk);
        } else if chunk.next == TOP {
            self.top_reaches_down_to(id, chunk);
        } else if self.chunks.get(chunk.next).live {
            self.give_alone(id, chunk);
        } else {
            self.give_merging(id, chunk);
        }
    }

    /// `chunk`, between two live ones, becomes a free one.
    #[inline(always)]
    pub(super) fn give_alone(&mut self, id: ChunkId, chunk: Chunk) {
        self.state.idle = self.state.idle + chunk.size;
        self.chunks.set_start(id, chunk.start, false);
        self.shelve(id, chunk.size);
    }

    /// `chunk`, between a live one and top, becomes a part of top. As the last chunk it is alone in its slot if it is
    /// the `FIRST_IN_SLOT`; otherwise the slot names another one and stays.
    #[inline(always)]
    pub(super) fn give_to_top<const FIRST_IN_SLOT: bool>(&mut self, id: ChunkId, chunk: Chunk) {
        if FIRST_IN_SLOT {
            self.starts.empty(chunk.start);
        }
        self.lower_top(id, chunk);
    }

    /// `chunk`, which has a free neighbour other than top, is merged with it.
    #[inline(always)]
    pub(super) fn give_merging(&mut self, id: ChunkId, chunk: Chunk) {
        let before = self.chunks.get(chunk.prev);
        if chunk.next == TOP {
            self.state.idle = self.state.idle - before.size;
            self.starts.strike(chunk.start, before.start, EDGE, chunk.end());
            self.detach(chunk.prev);
            self.release(id);
            return self.top_reaches_down_to(chunk.prev, before);
        }
        self.state.idle = self.state.idle + chunk.size;
        let behind = self.chunks.get(chunk.next);
        if before.live {
            self.merge_behind(id, chunk, before, behind);
        } else {
            self.merge_before(id, chunk, before, behind);
        }
    }

    /// The last chunk, which was taken out of its bin, becomes a part of top.
    #[inline(always)]
    fn top_reaches_down_to(&mut self, id: ChunkId, chunk: Chunk) {
        self.starts.strike(chunk.start, self.chunks.get(chunk.prev).start, EDGE, chunk.end());
        self.lower_top(id, chunk);
    }

    /// Top starts where the last chunk did, which was struck out of the table of starts.
    #[inline(always)]
    fn lower_top(&mut self, id: ChunkId, chunk: Chunk) {
        self.release(id);
        self.state.top = chunk.start;
        self.state.last = chunk.prev;
        self.chunks.set_next(chunk.prev, TOP);
    }

    /// The free chunk behind `chunk` grows downwards over it.
    #[inline(always)]
    fn merge_behind(&mut self, id: ChunkId, chunk: Chunk, before: Chunk, behind: Chunk) {
        let (heir, start) = (chunk.next, chunk.start);
        let size = chunk.size + behind.size;
        self.starts.strike(behind.start, start, behind.next, behind.end());
        self.starts.enter(heir, start, before.start);
        self.release(id);
        self.chunks.put(heir, Chunk { start, live: false, size, prev: chunk.prev, next: behind.next });
        self.chunks.set_next(chunk.prev, heir);
        if heir == self.state.victim {
            self.state.victim_size = size;
        } else {
            self.unshelve(heir);
            self.shelve(heir, size);
        }
    }

    /// The free chunk before `chunk` grows over it, and over the one behind it if that is free too.
    #[inline(always)]
    fn merge_before(&mut self, id: ChunkId, chunk: Chunk, before: Chunk, behind: Chunk) {
        let heir = chunk.prev;
        let (mut size, mut next, mut after) = (before.size + chunk.size, chunk.next, chunk.end());
        let mut appoint = heir == self.state.victim;
        self.release(id);
        if !behind.live {
            appoint |= next == self.state.victim;
            self.starts.strike(behind.start, chunk.start, behind.next, behind.end());
            self.detach(next);
            self.release(next);
            (size, next, after) = (size + behind.size, behind.next, behind.end());
        }
        self.starts.strike(chunk.start, before.start, next, after);
        self.detach(heir);
        self.chunks.put(heir, Chunk { start: before.start, live: false, size, prev: before.prev, next });
        self.chunks.set_prev(next, heir);
        if appoint {
            self.state.victim = heir;
            self.state.victim_size = size;
        } else {
            self.shelve(heir, size);
        }
    }
}
