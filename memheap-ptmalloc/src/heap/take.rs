//! Taking a chunk for a request: which one, and what becomes of the rest.

use memheap::{Align, Bytes};

use super::Heap;
use crate::bins::{Bin, EXACT};
use crate::chunks::{Chunk, ChunkId, EDGE, TOP, tag};
use crate::units::Granules;

/// Chunks looked at in the bin of a large request before a larger bin is taken.
const PROBES: usize = 4;

impl Heap {
    /// Makes a chunk of at least `size` bytes at a multiple of `align` live. It fails only if no free
    /// chunk can hold the request.
    #[inline(always)]
    pub(super) fn take(&mut self, size: Bytes, align: Align) -> Option<Granules> {
        let n = Granules::holding(size);
        if align > Align::DEFAULT {
            return self.take_aligned(n, size, align);
        }
        if n > EXACT {
            return self.take_large(n, size);
        }
        let mut bin = self.map.exact_from(n);
        if bin != Some(Bin::of(n)) {
            if n <= self.victim_size {
                return Some(self.carve_victim(n));
            }
            bin = bin.or_else(|| self.map.inexact());
        }
        match bin {
            Some(bin) => Some(self.take_small(bin, n)),
            None => self.take_top(n, size),
        }
    }

    /// Takes a small chunk from `bin`; the rest becomes the designated victim.
    #[inline(always)]
    fn take_small(&mut self, bin: Bin, n: Granules) -> Granules {
        let (id, emptied) = self.chunks.pop(bin);
        if emptied {
            self.map.clear(bin);
        }
        let (start, rest) = self.carve(id, n);
        if let Some((rest, size)) = rest {
            self.appoint(rest, size);
        }
        start
    }

    #[inline(never)]
    fn take_large(&mut self, n: Granules, size: Bytes) -> Option<Granules> {
        if size > self.len {
            return None;
        }
        let bin = Bin::of(n);
        let binned = self.best_of_few(bin, n);
        let binned_size = binned.map_or(Granules(u64::MAX), |id| self.chunks.get(id).size);
        if self.victim_size >= n && self.victim_size <= binned_size {
            return Some(self.carve_victim(n));
        }
        if let Some(id) = binned {
            self.detach_binned(id);
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
        if self.map.has(bin) {
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
        best.or_else(|| self.map.above(bin).map(|above| self.chunks.older(above.head())))
    }

    /// The best of all in `bin`, asked when nothing else is left.
    #[cold]
    fn take_last_resort(&mut self, bin: Bin, n: Granules) -> Option<Granules> {
        let sizes = self.members(bin).map(|id| (self.chunks.get(id).size, id));
        let (_, id) = sizes.filter(|&(size, _)| size >= n).min_by_key(|&(size, _)| size)?;
        self.detach_binned(id);
        Some(self.carve_binned(id, n))
    }

    /// The low end of top.
    #[inline(always)]
    pub(super) fn take_top(&mut self, n: Granules, size: Bytes) -> Option<Granules> {
        let start = self.top;
        // In bytes, since the last granule of the window may be a part of one.
        if start.bytes().0 + size.0.max(1) > self.len.0 {
            return None;
        }
        let id = self.chunks.acquire()?;
        let before = self.last;
        self.chunks.put(id, Chunk { tag: tag(start, true), size: n, prev: before, next: TOP });
        self.chunks.set_next(before, id);
        self.starts.enter(id, start, self.chunks.get(before).start());
        self.top = start + n;
        self.last = id;
        self.live = self.live + n;
        Some(start)
    }

    /// Takes a chunk out of its bin.
    #[inline(always)]
    pub(super) fn detach_binned(&mut self, id: ChunkId) {
        if let Some(emptied) = self.chunks.unlink(id) {
            self.map.clear(emptied);
        }
    }

    /// Makes `id` the designated victim; the one before goes to a bin.
    #[inline(always)]
    fn appoint(&mut self, id: ChunkId, size: Granules) {
        if self.victim != EDGE {
            self.shelve(self.victim, self.victim_size);
        }
        (self.victim, self.victim_size) = (id, size);
    }

    /// Makes all of a detached chunk live.
    #[inline(always)]
    fn carve_whole(&mut self, id: ChunkId) -> Granules {
        let chunk = self.chunks.get(id);
        self.chunks.set_tag(id, tag(chunk.start(), true));
        self.live = self.live + chunk.size;
        chunk.start()
    }

    /// Makes the low end of the victim live.
    #[inline(always)]
    fn carve_victim(&mut self, n: Granules) -> Granules {
        let (start, rest) = self.carve(self.victim, n);
        (self.victim, self.victim_size) = rest.unwrap_or((EDGE, Granules(0)));
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
    /// behind it. Without a descriptor for the rest, the chunk stays whole.
    #[inline(always)]
    fn carve(&mut self, id: ChunkId, n: Granules) -> (Granules, Option<(ChunkId, Granules)>) {
        let chunk = self.chunks.get(id);
        let start = chunk.start();
        let rest = if chunk.size > n { self.chunks.acquire() } else { None };
        let Some(rest) = rest else { return (self.carve_whole(id), None) };
        let (behind, size) = (start + n, chunk.size - n);
        self.chunks.set_extent(id, tag(start, true), n);
        self.chunks.set_next(id, rest);
        self.chunks.put(rest, Chunk { tag: tag(behind, false), size, prev: id, next: chunk.next });
        self.chunks.set_prev(chunk.next, rest);
        self.starts.enter(rest, behind, start);
        self.live = self.live + n;
        (start, Some((rest, size)))
    }
}
