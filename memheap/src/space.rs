//! A named heap: a window of the segment and the module that was selected for it.
//!
//! The space turns module offsets into segment offsets and keeps the figures that users ask for (live
//! blocks, live bytes, high-water mark). It has no lock: `&mut` says that its owner serialises calls.

use crate::component::*;
use crate::framework::{Selection, quietly};
use crate::units::{Align, Bytes, Offset, Span};

/// A heap within a segment.
pub struct Space {
    name: &'static str,
    component: &'static str,
    start: Offset,
    span: Span,
    module: Box<dyn Module>,
    figures: Figures,
}

/// What a space holds now, and the most it has held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Blocks handed out and not freed.
    pub live_blocks: u64,
    /// Bytes in them, padding included.
    pub live_bytes: Bytes,
    /// The largest `live_bytes` has been.
    pub high_water: Bytes,
}

impl Space {
    /// A space over `span` bytes that begin at segment offset `start`.
    pub fn new(name: &'static str, start: Offset, span: Span, selection: Selection) -> Space {
        let Selection { module, component, .. } = selection;
        Space { name, component, start, span, module, figures: Figures::default() }
    }

    /// The name of the space.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The component that manages it.
    pub fn component(&self) -> &'static str {
        self.component
    }

    /// Where its window begins in the segment.
    pub fn start(&self) -> Offset {
        self.start
    }

    /// Whether a segment offset lies in its window.
    pub fn contains(&self, at: Offset) -> bool {
        at.0 >= self.start.0 && at.0 - self.start.0 < self.span.len.0
    }

    /// Bytes it manages.
    pub fn len(&self) -> Bytes {
        self.span.len
    }

    /// Whether it manages nothing at all (a heap of size 0 is legal).
    pub fn is_empty(&self) -> bool {
        self.span.len.0 == 0
    }

    /// Live blocks and bytes, and the high-water mark.
    pub fn figures(&self) -> Figures {
        self.figures
    }

    /// Free bytes and the largest free block.
    pub fn room(&self) -> Room {
        self.module.room()
    }

    /// The running hash of the module's history.
    pub fn digest(&self) -> Digest {
        self.module.digest()
    }

    /// Whether the module's offsets are equal on all PEs without being compared.
    pub fn is_vouched_for(&self) -> bool {
        self.module.is_vouched_for()
    }

    /// Checks the module's invariants.
    pub fn validate(&self) -> Result<(), Violation> {
        self.module.validate()
    }

    /// Takes a block of at least `size` bytes; its offset is within the segment.
    pub fn alloc(&mut self, size: Bytes, align: Align) -> Result<Block, AllocError> {
        // The module aligns within the window, so a block is aligned no better than the window is.
        let max = Align::of(self.start.0);
        if align > max {
            return Err(AllocError::BadAlign { align, max });
        }
        let block = self.module.alloc_block(size, align)?;
        self.count(1, block.len);
        Ok(Block { at: self.outer(block.at), ..block })
    }

    /// Frees the block at a segment offset.
    pub fn free(&mut self, at: Offset) -> Result<Bytes, FreeError> {
        let inner = at.0.checked_sub(self.start.0).map(Offset).ok_or(FreeError::Foreign { at })?;
        let len = self.module.free(inner).map_err(|e| self.outer_error(e))?;
        self.figures.live_blocks -= 1;
        self.figures.live_bytes.0 -= len.0;
        Ok(len)
    }

    /// Makes the block at a segment offset at least `size` bytes, in place or elsewhere in this space; returns where
    /// it is now, and how much is to be copied there. On an error nothing has changed.
    pub fn realloc(&mut self, at: Offset, size: Bytes, align: Align) -> Result<Moved, AllocError> {
        let inner = at.0.checked_sub(self.start.0).map(Offset).ok_or(FreeError::Foreign { at })?;
        let len = |module: &dyn Module, at| module.block(at).map_or(0, |b: Block| b.len.0);
        let old = len(&*self.module, inner);
        let moved = self.module.realloc(inner, size, align).map_err(|e| match e {
            AllocError::NotLive(e) => AllocError::NotLive(self.outer_error(e)),
            e => e,
        })?;
        let to = match moved {
            Moved::InPlace => inner,
            Moved::To { to, .. } => to,
        };
        let new = len(&*self.module, to);
        self.figures.live_bytes.0 -= old;
        self.count(0, Bytes(new));
        Ok(match moved {
            Moved::InPlace => Moved::InPlace,
            Moved::To { to, keep } => Moved::To { to: self.outer(to), keep },
        })
    }

    /// The block at a segment offset.
    pub fn block(&self, at: Offset) -> Option<Block> {
        let inner = Offset(at.0.checked_sub(self.start.0)?);
        self.module.block(inner).map(|b| Block { at: self.outer(b.at), ..b })
    }

    /// All blocks by ascending segment offset.
    pub fn blocks(&self) -> impl Iterator<Item = Block> + '_ {
        self.module.blocks().map(|b| Block { at: self.outer(b.at), ..b })
    }

    /// Ends the module. Ask for what is still live before.
    pub fn finalize(self) {
        quietly(|| self.module.finalize());
    }

    fn outer(&self, at: Offset) -> Offset {
        Offset(self.start.0 + at.0)
    }

    fn outer_error(&self, e: FreeError) -> FreeError {
        match e {
            FreeError::Foreign { at } => FreeError::Foreign { at: self.outer(at) },
            FreeError::Interior { at, start, len } => {
                FreeError::Interior { at: self.outer(at), start: self.outer(start), len }
            }
            FreeError::NotAllocated { at } => FreeError::NotAllocated { at: self.outer(at) },
        }
    }

    fn count(&mut self, blocks: u64, bytes: Bytes) {
        let f = &mut self.figures;
        f.live_blocks += blocks;
        f.live_bytes.0 += bytes.0;
        f.high_water = f.high_water.max(f.live_bytes);
    }
}
