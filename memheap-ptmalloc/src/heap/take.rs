//! Taking a chunk for a request: which one, and what becomes of the rest.
//!
//! A request is for `n` granules, which hold its `size` bytes. It fails only if no free chunk can hold it.

use memheap::Bytes;

use super::arena::Arena;
use crate::bins::Bin;
use crate::chunks::{Chunk, ChunkId, EDGE, TOP};
use crate::units::Granules;
use crate::width::Word;

/// How many chunks are looked at in the bin of a large request before a larger bin is taken.
const PROBES: usize = 4;

impl<W: Word> Arena<'_, W> {
    /// From the bin of exactly `n` granules, which holds a chunk.
    #[inline(always)]
    pub(super) fn take_exactly(&mut self, n: Granules) -> Granules {
        let id = self.pop(Bin::of(n));
        self.carve_whole(id)
    }

    /// From the victim; or from a bin of larger chunks, and then the rest becomes the victim; or from top.
    #[inline(always)]
    pub(super) fn take_part(&mut self, n: Granules, size: Bytes) -> Option<Granules> {
        if n <= self.state.victim_size {
            return Some(self.carve_victim(n));
        }
        let larger = self.state.map.exact_from(n).or_else(|| self.state.map.inexact());
        let Some(bin) = larger else { return self.take_top(n, size) };
        let id = self.pop(bin);
        let (start, rest) = self.carve(id, n);
        if let Some((rest, size)) = rest {
            self.appoint(rest, size);
        }
        Some(start)
    }

    /// Any larger request.
    #[inline(always)]
    pub(super) fn take_large(&mut self, n: Granules, size: Bytes) -> Option<Granules> {
        if size > self.state.len {
            return None;
        }
        let bin = Bin::of(n);
        let binned = self.best_of_few(bin, n);
        let binned_size = binned.map_or(Granules(u64::MAX), |id| self.chunks.get(id).size);
        if self.state.victim_size >= n && self.state.victim_size <= binned_size {
            return Some(self.carve_victim(n));
        }
        if let Some(id) = binned {
            self.unshelve(id);
            return Some(self.carve_binned(id, n));
        }
        self.take_top(n, size).or_else(|| self.take_last_resort(bin, n))
    }

    /// The best of the newest few in `bin`, whose chunks may be a little smaller than `n`, or else the
    /// newest of the next bin, whose chunks are all larger.
    #[inline(always)]
    fn best_of_few(&self, bin: Bin, n: Granules) -> Option<ChunkId> {
        let mut best = None;
        let mut best_size = Granules(u64::MAX);
        if self.state.map.has(bin) {
            let mut id = self.chunks.older(bin.head());
            for _ in 0..PROBES {
                let size = self.chunks.get(id).size;
                if size >= n && size < best_size {
                    (best, best_size) = (Some(id), size);
                }
                id = self.chunks.older(id);
                if size == n || id == bin.head() {
                    break;
                }
            }
        }
        best.or_else(|| self.state.map.above(bin).map(|above| self.chunks.older(above.head())))
    }

    /// The best of all chunks in `bin`, when nothing else is left.
    #[cold]
    fn take_last_resort(&mut self, bin: Bin, n: Granules) -> Option<Granules> {
        let sizes = self.members(bin).map(|id| (self.chunks.get(id).size, id));
        let (_, id) = sizes.filter(|&(size, _)| size >= n).min_by_key(|&(size, _)| size)?;
        self.unshelve(id);
        Some(self.carve_binned(id, n))
    }

    /// The low end of top.
    #[inline(always)]
    pub(super) fn take_top(&mut self, n: Granules, size: Bytes) -> Option<Granules> {
        let start = self.state.top;
        // In bytes, since a part of the last granule of the window may be past the end.
        if !self.state.holds(start, size) {
            return None;
        }
        // This order needs few registers at a time.
        self.state.top = start + n;
        let id = self.state.spare;
        self.starts.enter_last(id, start);
        let before = std::mem::replace(&mut self.state.last, id);
        self.acquire();
        self.chunks.put(id, Chunk { start, live: true, size: n, prev: before, next: TOP });
        self.chunks.set_next(before, id);
        Some(start)
    }

    /// Takes the newest chunk out of `bin`, which holds one.
    #[inline(always)]
    fn pop(&mut self, bin: Bin) -> ChunkId {
        let (id, emptied) = self.chunks.pop(bin);
        if emptied {
            self.state.map.clear(bin);
        }
        id
    }

    /// Makes `id` the designated victim; the one before goes to a bin.
    #[inline(always)]
    fn appoint(&mut self, id: ChunkId, size: Granules) {
        if self.state.victim != EDGE {
            self.shelve(self.state.victim, self.state.victim_size);
        }
        (self.state.victim, self.state.victim_size) = (id, size);
    }

    /// Makes all of a detached chunk live.
    #[inline(always)]
    fn carve_whole(&mut self, id: ChunkId) -> Granules {
        let chunk = self.chunks.get(id);
        self.chunks.set_start(id, chunk.start, true);
        self.state.idle = self.state.idle - chunk.size;
        chunk.start
    }

    /// Makes the low end of the victim live.
    #[inline(always)]
    fn carve_victim(&mut self, n: Granules) -> Granules {
        let (start, rest) = self.carve(self.state.victim, n);
        (self.state.victim, self.state.victim_size) = rest.unwrap_or((EDGE, Granules(0)));
        start
    }

    /// Makes the low end of a chunk taken from a bin live; the rest goes to a bin.
    #[inline(always)]
    pub(super) fn carve_binned(&mut self, id: ChunkId, n: Granules) -> Granules {
        let (start, rest) = self.carve(id, n);
        if let Some((rest, size)) = rest {
            self.shelve(rest, size);
        }
        start
    }

    /// Makes the low `n` granules of a detached free chunk live: where it starts, and the free chunk
    /// behind it if there is one.
    #[inline(always)]
    fn carve(&mut self, id: ChunkId, n: Granules) -> (Granules, Option<(ChunkId, Granules)>) {
        let chunk = self.chunks.get(id);
        let start = chunk.start;
        if chunk.size == n {
            return (self.carve_whole(id), None);
        }
        let rest = self.acquire();
        let (behind, size) = (start + n, chunk.size - n);
        self.chunks.set_start(id, start, true);
        self.chunks.set_size(id, n);
        self.chunks.set_next(id, rest);
        self.chunks.put(rest, Chunk { start: behind, live: false, size, prev: id, next: chunk.next });
        self.chunks.set_prev(chunk.next, rest);
        self.starts.enter(rest, behind, start);
        self.state.idle = self.state.idle - n;
        (start, Some((rest, size)))
    }
}
