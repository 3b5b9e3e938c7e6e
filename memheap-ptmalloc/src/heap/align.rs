//! Requests aligned to more than a granule. First a chunk of about the right size is looked for, since most of those
//! can be trimmed to the alignment; then one that is so much longer that it can be trimmed wherever it starts.

use memheap::{Align, Bytes};

use super::arena::Arena;
use crate::bins::Bin;
use crate::chunks::{Chunk, ChunkId, EDGE, TOP};
use crate::units::{GRANULE, Granules};
use crate::width::Word;

/// How many chunks are looked at before one is taken that is long enough wherever it starts.
const PROBES: usize = 8;

impl<W: Word> Arena<'_, W> {
    /// Makes a chunk of `n` granules, `size` bytes, at a multiple of `align` live.
    pub(super) fn take_aligned(&mut self, n: Granules, size: Bytes, align: Align) -> Option<Granules> {
        if size > self.state.len {
            return None;
        }
        let step = Granules(align.bytes() / GRANULE);
        let fits = |id| self.fit(id, n, step);
        let victim = Some(self.state.victim).filter(|&id| id != EDGE).and_then(fits);
        let near = || self.shelved(n).take(PROBES).find_map(fits);
        let long = || self.state.map.above(Bin::of(n + step - Granules(1)));
        let long = || long().and_then(|bin| fits(self.chunks.older(bin.head())));
        if let Some((id, at)) = victim.or_else(near).or_else(long) {
            return self.trim(id, at, n, size);
        }
        let at = self.state.top.round_up(step);
        self.trim(TOP, at, n, size).or_else(|| {
            let (id, at) = self.shelved(n).find_map(|id| self.fit(id, n, step))?;
            self.trim(id, at, n, size)
        })
    }

    /// Where in the free chunk `id` a block of `n` granules at a multiple of `step` lies.
    #[inline(always)]
    fn fit(&self, id: ChunkId, n: Granules, step: Granules) -> Option<(ChunkId, Granules)> {
        let chunk = self.chunks.get(id);
        let at = chunk.start.round_up(step);
        (at + n <= chunk.end()).then_some((id, at))
    }

    /// The binned chunks whose bins may hold `n` granules, by ascending bin.
    fn shelved(&self, n: Granules) -> impl Iterator<Item = ChunkId> + '_ {
        let own = Some(Bin::of(n)).filter(|&bin| self.state.map.has(bin));
        let first = own.or_else(|| self.state.map.above(Bin::of(n)));
        let bins = std::iter::successors(first, |&bin| self.state.map.above(bin));
        bins.flat_map(|bin| self.members(bin))
    }

    /// Makes `n` granules from `at` on live, within the free chunk `id`, whose two ends stay free.
    pub(super) fn trim(&mut self, id: ChunkId, at: Granules, n: Granules, size: Bytes) -> Option<Granules> {
        let chunk = self.chunk(id);
        if id == TOP {
            if !self.state.holds(at, size) {
                return None;
            }
            if at > chunk.start {
                self.lower_end_of_top(at);
            }
            return self.take_top(n, size);
        }
        if at == chunk.start {
            self.detach(id);
            return Some(self.carve_binned(id, n));
        }
        let kept = self.acquire();
        self.detach(id);
        let lead = at - chunk.start;
        self.chunks.put(id, Chunk { size: lead, next: kept, ..chunk });
        self.chunks
            .put(kept, Chunk { start: at, live: false, size: chunk.size - lead, prev: id, next: chunk.next });
        self.chunks.set_prev(chunk.next, kept);
        self.starts.enter(kept, at, chunk.start);
        self.shelve(id, lead);
        Some(self.carve_binned(kept, n))
    }

    /// Makes the part of top below `at` a binned chunk. PTM-I2 does not hold until the caller has taken what is
    /// behind it.
    fn lower_end_of_top(&mut self, at: Granules) {
        let (lead, start, before) = (self.acquire(), self.state.top, self.state.last);
        let size = at - start;
        self.chunks.put(lead, Chunk { start, live: false, size, prev: before, next: TOP });
        self.chunks.set_next(before, lead);
        self.starts.enter(lead, start, self.chunks.get(before).start);
        (self.state.top, self.state.last) = (at, lead);
        self.state.idle = self.state.idle + size;
        self.shelve(lead, size);
    }
}
