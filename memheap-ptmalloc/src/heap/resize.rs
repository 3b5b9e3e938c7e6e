//! The size of a live chunk is changed in place if what is behind allows it; else the chunk moves down into the free
//! chunk before it, else elsewhere.

use memheap::component::Moved;
use memheap::{Align, Bytes};

use super::arena::Arena;
use crate::bins::EXACT;
use crate::chunks::{Chunk, ChunkId, TOP};
use crate::units::{GRANULE, Granules};
use crate::width::Word;

impl<W: Word> Arena<'_, W> {
    /// Makes the live chunk `id` at least `size` bytes at a multiple of `align`, or changes nothing.
    pub(super) fn resize(&mut self, id: ChunkId, chunk: Chunk, size: Bytes, align: Align) -> Option<Moved> {
        if size > self.state.len {
            return None;
        }
        let n = Granules::holding(size);
        let at = chunk.start.offset();
        if at.is_aligned(align) {
            if size.0 <= self.state.extent(chunk) {
                self.shrink(id, chunk, n);
                return Some(Moved::InPlace);
            }
            if self.grow(id, chunk, n, size) {
                return Some(Moved::InPlace);
            }
        }
        let keep = Bytes(self.state.extent(chunk).min(size.0));
        let to = self.slide(id, chunk, n, size, align).or_else(|| {
            let to = self.take(n, size, align)?;
            self.give(id, self.chunks.get(id));
            Some(to)
        })?;
        Some(Moved::To { to: to.offset(), keep })
    }

    /// Frees what is behind the first `n` granules.
    fn shrink(&mut self, id: ChunkId, chunk: Chunk, n: Granules) {
        if n == chunk.size {
            return;
        }
        let end = chunk.start + n;
        if !self.chunk(chunk.next).live {
            self.chunks.set_size(id, n);
            if chunk.next != TOP {
                self.state.idle = self.state.idle + (chunk.size - n);
            }
            return self.move_start(id, chunk.next, end);
        }
        let (rest, size) = (self.acquire(), chunk.size - n);
        self.chunks.put(id, Chunk { size: n, next: rest, ..chunk });
        self.chunks.put(rest, Chunk { start: end, live: false, size, prev: id, next: chunk.next });
        self.chunks.set_prev(chunk.next, rest);
        self.starts.enter(rest, end, chunk.start);
        self.state.idle = self.state.idle + size;
        self.shelve(rest, size);
    }

    /// Takes what is missing for `n` granules from the free chunk behind; whether there is enough.
    fn grow(&mut self, id: ChunkId, chunk: Chunk, n: Granules, size: Bytes) -> bool {
        let behind = self.chunk(chunk.next);
        let end = chunk.start + n;
        let enough = if chunk.next == TOP {
            self.state.holds(chunk.start, size)
        } else {
            !behind.live && end <= behind.end()
        };
        if !enough {
            return false;
        }
        if chunk.next != TOP {
            self.state.idle = self.state.idle - (n - chunk.size);
        }
        self.chunks.set_size(id, n);
        if chunk.next != TOP && end == behind.end() {
            self.detach(chunk.next);
            self.starts.strike(behind.start, chunk.start, behind.next, behind.end());
            self.chunks.set_next(id, behind.next);
            self.chunks.set_prev(behind.next, id);
            self.release(chunk.next);
        } else {
            self.move_start(id, chunk.next, end);
        }
        true
    }

    /// Lets the free chunk `free`, which follows `id`, start at `at`, before its end.
    fn move_start(&mut self, id: ChunkId, free: ChunkId, at: Granules) {
        if free == TOP {
            self.state.top = at;
            return;
        }
        let old = self.chunks.get(free);
        let size = old.end() - at;
        let before = self.chunks.get(id).start;
        self.starts.strike(old.start, before, old.next, old.end());
        self.starts.enter(free, at, before);
        self.chunks.set_start(free, at, false);
        self.chunks.set_size(free, size);
        if free == self.state.victim {
            self.state.victim_size = size;
        } else {
            self.unshelve(free);
            self.shelve(free, size);
        }
    }

    /// Moves the chunk down into the free chunk before it, if the two, with a free chunk behind, have room enough.
    fn slide(
        &mut self,
        id: ChunkId,
        chunk: Chunk,
        n: Granules,
        size: Bytes,
        align: Align,
    ) -> Option<Granules> {
        let before = self.chunks.get(chunk.prev);
        if before.live {
            return None;
        }
        let to = before.start.round_up(Granules((align.bytes() / GRANULE).max(1)));
        let behind = self.chunk(chunk.next);
        let end = if behind.live { chunk.end() } else { behind.end() };
        let fits = if end == self.state.window { self.state.holds(to, size) } else { to + n <= end };
        if to >= chunk.start || !fits {
            return None;
        }
        // Once freed, the chunk is a part of the one before it, or both are parts of top.
        let heir = if chunk.next == TOP { TOP } else { chunk.prev };
        self.give(id, chunk);
        self.trim(heir, to, n, size)
    }

    /// Makes a chunk of `n` granules, `size` bytes, at a multiple of `align` live, as `alloc` does.
    fn take(&mut self, n: Granules, size: Bytes, align: Align) -> Option<Granules> {
        if align > Align::DEFAULT {
            self.take_aligned(n, size, align)
        } else if n > EXACT {
            self.take_large(n, size)
        } else {
            self.take_small(n, size)
        }
    }

    /// A request that has an exact bin.
    fn take_small(&mut self, n: Granules, size: Bytes) -> Option<Granules> {
        if self.state.map.has_exactly(n) { Some(self.take_exactly(n)) } else { self.take_part(n, size) }
    }
}
