//! The heap: chunks that tile the window, free ones in bins, a designated victim, and top.
//!
//! ```text
//!   0                                                                      window
//!   ├──────┬────────┬──────┬───────────────┬──────┬─────────┬─────────────────┤
//!   │ live │ free   │ live │ free          │ live │ free    │ top (free)      │
//!   └──────┴───┬────┴──────┴───────┬───────┴──────┴────┬────┴─────────────────┘
//!              ▼                   ▼                   ▼
//!         bin of its size     bin of its size     designated victim
//! ```
//!
//! A small request takes, in this order: a chunk of exactly its size; part of the designated victim
//! (the remainder of the last small split, so runs of small blocks lie together); part of the smallest
//! binned chunk, whose remainder becomes the victim; part of top. A large request takes the best of a
//! few chunks in the bin of its size, else the first of the next bin, or the victim if that fits
//! better; then part of top. A freed chunk merges with both neighbours at once.
//!
//! Invariants:
//! * **I1** the chunks, linked by address in both directions from the edge to top, tile the window;
//! * **I2** no two free chunks are neighbours; top counts as free;
//! * **I3** every chunk but top is found from its start, and each slot without a start is empty;
//! * **I4** a free chunk is either top, or the designated victim, or in the bin of its size, once;
//! * **I5** a bit of the map is set for the bins that hold a chunk, a bit of the summary for the words
//!   that hold a bit;
//! * **I6** the totals are those of the chunks, and every descriptor is a chunk's or spare.

mod align;
mod check;
mod free;
mod resize;
mod take;

use memheap::component::*;
use memheap::{Align, Bytes, Offset, Span};

use crate::bins::{Bin, BinMap};
use crate::chunks::{Chunk, ChunkId, Chunks, EDGE, TOP, tag};
use crate::starts::Starts;
use crate::units::{GRANULE, Granules};

/// The longest window; its granules and bins are far inside 64 bits.
const LONGEST: Bytes = Bytes(1 << 56);

/// One heap. See the [module page](self) for I1–I6.
pub struct Heap {
    chunks: Chunks,
    starts: Starts,
    map: BinMap,
    victim: ChunkId,
    victim_size: Granules,
    /// Where top starts.
    top: Granules,
    /// The chunk before top.
    last: ChunkId,
    live: Granules,
    len: Bytes,
    digest: Digest,
}

impl Heap {
    /// Starts managing `span`: all of it is top.
    pub fn new(span: Span) -> Result<Heap, Decline> {
        Heap::with_descriptors(span, u64::MAX)
    }

    /// As [`Heap::new`], for at most `limit` chunks besides top. Where they run out, chunks are handed
    /// out unsplit.
    fn with_descriptors(span: Span, limit: u64) -> Result<Heap, Decline> {
        if span.len > LONGEST {
            return Err(Decline(format!("{} is more than {LONGEST}", span.len)));
        }
        let window = Granules(span.len.0.div_ceil(GRANULE));
        let no_table = |e: std::io::Error| Decline(format!("no address space for its tables: {e}"));
        Ok(Heap {
            chunks: Chunks::new(window.0.min(limit)).map_err(no_table)?,
            starts: Starts::new(window).map_err(no_table)?,
            map: BinMap::default(),
            victim: EDGE,
            victim_size: Granules(0),
            top: Granules(0),
            last: EDGE,
            live: Granules(0),
            len: span.len,
            digest: Digest::default(),
        })
    }

    /// The chunk `id` names, which may be top.
    fn chunk(&self, id: ChunkId) -> Chunk {
        if id != TOP {
            return self.chunks.get(id);
        }
        Chunk { tag: tag(self.top, false), size: self.window() - self.top, prev: self.last, next: EDGE }
    }

    /// The live chunk that starts at `at`.
    #[inline(always)]
    fn live_at(&self, at: Offset) -> Option<(ChunkId, Chunk)> {
        let start = Granules::exactly(at);
        let mut id = self.starts.first(start)?;
        loop {
            let chunk = self.chunks.get(id);
            if chunk.tag == tag(start, true) {
                return Some((id, chunk));
            }
            if chunk.start() >= start {
                return None;
            }
            id = chunk.next;
        }
    }

    /// Takes a free chunk, not top, from where I4 keeps it.
    #[inline(always)]
    fn detach(&mut self, id: ChunkId) {
        if id == self.victim {
            self.victim = EDGE;
            self.victim_size = Granules(0);
        } else if let Some(emptied) = self.chunks.unlink(id) {
            self.map.clear(emptied);
        }
    }

    /// Puts a free chunk into the bin of its size.
    #[inline(always)]
    fn shelve(&mut self, id: ChunkId, size: Granules) {
        let bin = Bin::of(size);
        self.chunks.link(bin, id, !self.map.has(bin));
        self.map.set(bin);
    }

    /// The chunk that contains granule `at` of the window.
    fn containing(&self, at: Granules) -> ChunkId {
        if at >= self.top {
            return TOP;
        }
        let near = self.starts.near(at, |id| self.chunks.get(id).start() <= at);
        let mut id = near.unwrap_or_else(|| self.chunks.get(EDGE).next);
        while self.chunks.get(id).end() <= at {
            id = self.chunks.get(id).next;
        }
        id
    }

    /// What the caller is told of a chunk: the last granule of the window may be a part of one.
    fn describe(&self, chunk: Chunk) -> Block {
        let at = chunk.start().offset();
        let state = if chunk.is_live() { BlockState::Live } else { BlockState::Free };
        Block { at, len: Bytes(self.extent(chunk)), state }
    }

    /// Bytes of the window in a chunk.
    #[inline(always)]
    fn extent(&self, chunk: Chunk) -> u64 {
        chunk.end().bytes().0.min(self.len.0).saturating_sub(chunk.start().bytes().0)
    }

    /// The chunks by address, top last.
    fn walk(&self) -> impl Iterator<Item = (ChunkId, Chunk)> + '_ {
        let mut id = EDGE;
        std::iter::from_fn(move || {
            if id == TOP {
                return None;
            }
            id = self.chunks.get(id).next;
            Some((id, self.chunk(id)))
        })
    }

    #[cold]
    #[inline(never)]
    fn exhausted(&self, requested: Bytes) -> AllocError {
        let Room { free, largest } = self.room();
        AllocError::Exhausted { requested, free, largest, total: self.len }
    }

    #[cold]
    #[inline(never)]
    fn not_live(&self, at: Offset) -> FreeError {
        explain_bad_free(self, Span { len: self.len }, at)
    }
}

impl Module for Heap {
    fn alloc(&mut self, size: Bytes, align: Align) -> Result<Offset, AllocError> {
        let Some(start) = self.take(size, align) else { return Err(self.exhausted(size)) };
        let at = start.offset();
        self.digest = self.digest.step(u64::from(align.log2()) << 8 | 1, size.0, at.0);
        Ok(at)
    }

    fn free(&mut self, at: Offset) -> Result<Bytes, FreeError> {
        let Some((id, chunk)) = self.live_at(at) else { return Err(self.not_live(at)) };
        self.give(id, chunk);
        self.digest = self.digest.step(2, at.0, 0);
        Ok(Bytes(self.extent(chunk)))
    }

    fn realloc(&mut self, at: Offset, size: Bytes, align: Align) -> Result<Moved, AllocError> {
        let Some((id, chunk)) = self.live_at(at) else { return Err(self.not_live(at).into()) };
        let Some(moved) = self.resize(id, chunk, size, align) else { return Err(self.exhausted(size)) };
        let to = match moved {
            Moved::InPlace => at,
            Moved::To { to, .. } => to,
        };
        self.digest = self.digest.step(u64::from(align.log2()) << 8 | 3, at.0, size.0).step(4, to.0, 0);
        Ok(moved)
    }

    fn block(&self, at: Offset) -> Option<Block> {
        (at.0 < self.len.0).then(|| self.describe(self.chunk(self.containing(Granules::around(at)))))
    }

    fn blocks<'m>(&'m self) -> Box<dyn Iterator<Item = Block> + 'm> {
        Box::new(self.walk().map(|(_, chunk)| self.describe(chunk)).filter(|b| b.len.0 > 0))
    }

    fn room(&self) -> Room {
        let top = self.extent(self.chunk(TOP));
        let binned = self.map.last().into_iter().flat_map(|bin| self.members(bin));
        let largest = binned.map(|id| self.chunks.get(id).size).max().unwrap_or_default();
        let largest = largest.max(self.victim_size).bytes().0.max(top);
        Room { free: Bytes(self.idle_bytes()), largest: Bytes(largest) }
    }

    fn validate(&self) -> Result<(), Violation> {
        self.check()
    }

    fn digest(&self) -> Digest {
        self.digest
    }
}

impl Heap {
    /// The window's granules, the last of which may reach past its end.
    fn window(&self) -> Granules {
        Granules(self.len.0.div_ceil(GRANULE))
    }

    /// Bytes of the window in free chunks.
    fn idle_bytes(&self) -> u64 {
        let between = (self.top - self.live).bytes().0;
        between + self.extent(self.chunk(TOP))
    }

    /// The chunks in `bin`, newest first.
    fn members(&self, bin: Bin) -> impl Iterator<Item = ChunkId> + '_ {
        let next = move |id| Some(self.chunks.older(id)).filter(|&id| id != bin.head());
        let first = if self.map.has(bin) { next(bin.head()) } else { None };
        std::iter::successors(first, move |&id| next(id))
    }
}
