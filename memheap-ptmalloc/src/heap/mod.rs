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
//! better; then part of top. A freed chunk is merged with free neighbours at once.
//!
//! * **PTM-I1** the chunks, linked by address in both directions from the edge to top, tile the window;
//! * **PTM-I2** no two free chunks are neighbours; top counts as free;
//! * **PTM-I3** every chunk but top is found from its start, and each slot in which none starts is empty;
//! * **PTM-I4** a bit of the map is set for the bins that hold a chunk, a bit of the summary for the words
//!   that hold a bit;
//! * **PTM-I5** a free chunk is either top, or the designated victim, or in the bin of its size, once;
//! * **PTM-I6** the totals are those of the chunks, and every descriptor is either that of a chunk or spare.

mod align;
mod arena;
mod check;
mod free;
mod resize;
mod take;
mod view;

use std::hint::cold_path;

use arena::{Arena, State};
use memheap::component::*;
use memheap::{Align, Bytes, Offset, Span};
use view::View;

use crate::bins::EXACT;
use crate::chunks::{self, Chunk, ChunkId, Chunks, TOP};
use crate::starts::{self, Starts};
use crate::units::Granules;
use crate::width::Word;

/// What happened, for a step of the digest. The logarithm of an alignment, which is less than 64, is added to it.
const ALLOC: u64 = 0;
const FREE: u64 = 64;
const REALLOC: u64 = 128;
const MOVED: u64 = 192;

/// One heap. See the [module page](self) for PTM-I1 to PTM-I6.
pub struct Heap<W: Word> {
    chunks: Chunks<W::Descriptors>,
    starts: Starts<W::Slots>,
    state: State,
    digest: Digest,
}

impl<W: Word> Heap<W> {
    /// Starts managing `span`, all of which is top. Declines a span that is too long for `W`.
    pub fn new(span: Span) -> Result<Heap<W>, Decline> {
        let longest = Granules(W::LONGEST).bytes();
        if span.len > longest {
            return Err(Decline(format!("{} is more than {longest}", span.len)));
        }
        let state = State::new(span.len);
        let no_table = |e: std::io::Error| Decline(format!("no address space for its tables: {e}"));
        let mut chunks = Chunks(W::descriptors(chunks::table_len(state.window)).map_err(no_table)?);
        chunks.reset();
        let starts = Starts(W::slots(starts::table_len(state.window)).map_err(no_table)?);
        Ok(Heap { chunks, starts, state, digest: Digest::default() })
    }

    /// The live chunk that starts at `at`.
    #[inline(always)]
    fn live_at(&self, at: Offset) -> Option<(ChunkId, Chunk)> {
        let start = Granules::exactly(at);
        let mut id = self.starts.first(start)?;
        while !self.chunks.is_live_at(id, start) {
            let chunk = self.chunks.get(id);
            if chunk.start >= start {
                return None;
            }
            id = chunk.next;
        }
        Some((id, Chunk { start, live: true, ..self.chunks.get(id) }))
    }

    /// Opens the heap for a call that changes it.
    #[inline(always)]
    fn arena(&mut self) -> Arena<'_, W> {
        Arena {
            chunks: Chunks(&mut self.chunks.0),
            starts: Starts(&mut self.starts.0),
            state: &mut self.state,
        }
    }

    /// Opens the heap for a look at it.
    fn view(&self) -> View<'_, W> {
        View { chunks: &self.chunks, starts: &self.starts, state: &self.state }
    }

    #[inline(always)]
    fn allocated(&mut self, start: Granules, size: Bytes, align: Align) -> Offset {
        let at = start.offset();
        self.digest = self.digest.step(ALLOC | u64::from(align.log2()), size.0, at.0);
        at
    }

    #[inline(never)]
    fn alloc_part(&mut self, size: Bytes, align: Align) -> Result<Offset, AllocError> {
        match self.arena().take_part(Granules::holding(size), size) {
            Some(start) => Ok(self.allocated(start, size, align)),
            None => self.refuse(size),
        }
    }

    #[inline(never)]
    fn alloc_large(&mut self, size: Bytes, align: Align) -> Result<Offset, AllocError> {
        let n = Granules::holding(size);
        let taken = if align > Align::DEFAULT {
            self.arena().take_aligned(n, size, align)
        } else {
            self.arena().take_large(n, size)
        };
        match taken {
            Some(start) => Ok(self.allocated(start, size, align)),
            None => self.refuse(size),
        }
    }

    /// Frees a chunk that is not the first in its slot.
    #[inline(never)]
    fn free_later(&mut self, at: Offset) -> Result<Bytes, FreeError> {
        match self.live_at(at) {
            Some((id, chunk)) => self.free_chunk::<false>(id, at, chunk.start),
            None => self.refuse_free(at),
        }
    }

    /// Frees a live chunk. It may be the `FIRST_IN_SLOT`.
    #[inline(always)]
    fn free_chunk<const FIRST_IN_SLOT: bool>(
        &mut self,
        id: ChunkId,
        at: Offset,
        start: Granules,
    ) -> Result<Bytes, FreeError> {
        self.digest = self.digest.step(FREE, at.0, 0);
        let chunk = Chunk { start, live: true, ..self.chunks.get(id) };
        if !self.chunks.get(chunk.prev).live {
            return self.free_merging(id);
        }
        if chunk.next == TOP {
            // The same as `extent`, since the chunk ends where top starts.
            let mut freed = chunk.size.bytes().0;
            if self.state.top == self.state.window {
                freed = self.state.extent(chunk);
            }
            self.arena().give_to_top::<FIRST_IN_SLOT>(id, chunk);
            return Ok(Bytes(freed));
        }
        if !self.chunks.get(chunk.next).live {
            return self.free_merging(id);
        }
        self.arena().give_alone(id, chunk);
        Ok(chunk.size.bytes())
    }

    #[inline(never)]
    fn free_merging(&mut self, id: ChunkId) -> Result<Bytes, FreeError> {
        let chunk = self.chunks.get(id);
        let freed = self.state.extent(chunk);
        self.arena().give_merging(id, chunk);
        Ok(Bytes(freed))
    }

    #[cold]
    #[inline(never)]
    fn refuse(&self, size: Bytes) -> Result<Offset, AllocError> {
        Err(self.exhausted(size))
    }

    #[cold]
    #[inline(never)]
    fn refuse_free(&self, at: Offset) -> Result<Bytes, FreeError> {
        Err(self.not_live(at))
    }

    fn exhausted(&self, requested: Bytes) -> AllocError {
        let Room { free, largest } = self.room();
        AllocError::Exhausted { requested, free, largest, total: self.state.len }
    }

    fn not_live(&self, at: Offset) -> FreeError {
        explain_bad_free(self, Span { len: self.state.len }, at)
    }
}

impl<W: Word> Module for Heap<W> {
    fn alloc(&mut self, size: Bytes, align: Align) -> Result<Offset, AllocError> {
        // The rarer cases are tail calls, so that the frame of this function stays small.
        let n = Granules::holding(size);
        if n > EXACT {
            cold_path();
            return self.alloc_large(size, align);
        }
        if align > Align::DEFAULT {
            cold_path();
            return self.alloc_large(size, align);
        }
        let start = if self.state.map.has_exactly(n) {
            self.arena().take_exactly(n)
        } else {
            if n <= self.state.victim_size || !self.state.map.is_empty() {
                return self.alloc_part(size, align);
            }
            let Some(start) = self.arena().take_top(n, size) else { return self.refuse(size) };
            start
        };
        Ok(self.allocated(start, size, align))
    }

    fn alloc_block(&mut self, size: Bytes, align: Align) -> Result<Block, AllocError> {
        let at = self.alloc(size, align)?;
        // A chunk is as long as was asked for, except that a part of the last granule of the window may be past the
        // end.
        let len = Granules::holding(size).bytes().0.min(self.state.len.0 - at.0);
        Ok(Block { at, len: Bytes(len), state: BlockState::Live })
    }

    fn free(&mut self, at: Offset) -> Result<Bytes, FreeError> {
        let start = Granules::exactly(at);
        match self.starts.first(start) {
            Some(id) if self.chunks.is_live_at(id, start) => self.free_chunk::<true>(id, at, start),
            _ => self.free_later(at),
        }
    }

    fn realloc(&mut self, at: Offset, size: Bytes, align: Align) -> Result<Moved, AllocError> {
        let Some((id, chunk)) = self.live_at(at) else { return Err(self.not_live(at).into()) };
        let Some(moved) = self.arena().resize(id, chunk, size, align) else {
            return Err(self.exhausted(size));
        };
        let to = match moved {
            Moved::InPlace => at,
            Moved::To { to, .. } => to,
        };
        self.digest = self.digest.step(REALLOC | u64::from(align.log2()), at.0, size.0).step(MOVED, to.0, 0);
        Ok(moved)
    }

    fn block(&self, at: Offset) -> Option<Block> {
        self.view().block(at)
    }

    fn blocks<'m>(&'m self) -> Box<dyn Iterator<Item = Block> + 'm> {
        Box::new(self.view().blocks())
    }

    fn room(&self) -> Room {
        self.view().room()
    }

    fn validate(&self) -> Result<(), Violation> {
        self.view().check()
    }

    fn digest(&self) -> Digest {
        self.digest
    }
}

#[cfg(test)]
mod tests;
