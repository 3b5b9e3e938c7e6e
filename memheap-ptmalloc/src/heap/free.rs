//! Giving a chunk back: it merges with both neighbours at once.

use super::Heap;
use crate::chunks::{Chunk, ChunkId, EDGE, TOP, tag};

impl Heap {
    /// Frees the live chunk `id`.
    #[inline(always)]
    pub(super) fn give(&mut self, id: ChunkId, chunk: Chunk) {
        self.live = self.live - chunk.size;
        let before = self.chunks.get(chunk.prev);
        if chunk.next == TOP {
            return self.give_to_top(id, chunk, before);
        }
        let behind = self.chunks.get(chunk.next);
        match (before.is_live(), behind.is_live()) {
            (true, true) => {
                self.chunks.set_tag(id, tag(chunk.start(), false));
                self.shelve(id, chunk.size);
            }
            (true, false) => self.merge_behind(id, chunk, before, behind),
            (false, _) => self.merge_before(id, chunk, before, behind),
        }
    }

    /// `chunk` ends at top: it becomes a part of it, and the free chunk before it too.
    #[inline(always)]
    fn give_to_top(&mut self, id: ChunkId, chunk: Chunk, before: Chunk) {
        let (mut id, mut chunk, mut before) = (id, chunk, before);
        if !before.is_live() {
            self.starts.strike(chunk.start(), before.start(), EDGE, chunk.end());
            self.detach(chunk.prev);
            self.chunks.release(id);
            (id, chunk, before) = (chunk.prev, before, self.chunks.get(before.prev));
        }
        self.starts.strike(chunk.start(), before.start(), EDGE, chunk.end());
        self.chunks.release(id);
        self.top = chunk.start();
        self.last = chunk.prev;
        self.chunks.set_next(chunk.prev, TOP);
    }

    /// The free chunk behind `chunk` grows downwards over it.
    #[inline(always)]
    fn merge_behind(&mut self, id: ChunkId, chunk: Chunk, before: Chunk, behind: Chunk) {
        let (heir, start) = (chunk.next, chunk.start());
        let size = chunk.size + behind.size;
        self.starts.strike(behind.start(), start, behind.next, behind.end());
        self.starts.enter(heir, start, before.start());
        self.chunks.release(id);
        self.chunks.put(heir, Chunk { tag: tag(start, false), size, prev: chunk.prev, next: behind.next });
        self.chunks.set_next(chunk.prev, heir);
        if heir == self.victim {
            self.victim_size = size;
        } else {
            self.detach_binned(heir);
            self.shelve(heir, size);
        }
    }

    /// The free chunk before `chunk` grows over it, and over the one behind it if that is free too.
    #[inline(always)]
    fn merge_before(&mut self, id: ChunkId, chunk: Chunk, before: Chunk, behind: Chunk) {
        let heir = chunk.prev;
        let (mut size, mut next, mut after) = (before.size + chunk.size, chunk.next, chunk.end());
        let mut appoint = heir == self.victim;
        self.chunks.release(id);
        if !behind.is_live() {
            appoint |= next == self.victim;
            self.starts.strike(behind.start(), chunk.start(), behind.next, behind.end());
            self.detach(next);
            self.chunks.release(next);
            (size, next, after) = (size + behind.size, behind.next, behind.end());
        }
        self.starts.strike(chunk.start(), before.start(), next, after);
        self.detach(heir);
        self.chunks.put(heir, Chunk { tag: before.tag, size, prev: before.prev, next });
        self.chunks.set_prev(next, heir);
        if appoint {
            self.victim = heir;
            self.victim_size = size;
        } else {
            self.shelve(heir, size);
        }
    }
}
