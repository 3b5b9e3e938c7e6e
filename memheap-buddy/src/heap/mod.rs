//! One heap managed by the buddy system.
//!
//! ```text
//!   0                                              len rounded down to the smallest block
//!   ├───────────────────────────┬─────────────┬──────┤
//!   │ 2^28                      │ 2^27        │ 2^20 │   a heap is its binary decomposition;
//!   └───────────────────────────┴─────────────┴──────┘   what is past the end has no buddy
//!     live: SizeTable                free: FreeBlocks = path register + bitmaps
//! ```
//!
//! Every block of order `o` has `2^o` bytes and starts at a multiple of them. `alloc` takes the lowest
//! block of the smallest order that suffices; `free` merges with the buddy (the other half of the next
//! larger block) as long as that is free.
//!
//! `realloc` differs from the classical buddy, which never shrinks and moves whenever it grows:
//! * for a smaller size the upper part of the block is freed at once, and the block stays where it is;
//! * for a larger one the enclosing block is taken if all the rest of it is free; then the block stays if it is the
//!   lowest part of that, and moves down otherwise;
//! * if that is not free, another block is taken, and the old one is freed afterwards.
//!
//! `validate` checks, in this order:
//! * **BUDDY-I1** `num_free` of an order is the number of its free blocks, and all summaries agree with it;
//! * **BUDDY-I2** no two buddies are both free;
//! * **BUDDY-I3** live and free blocks tile the heap, and the counters of bytes and blocks are their sums;
//! * **BUDDY-I4** a block starts at a multiple of its size;
//! * **BUDDY-I5** a free block is recorded in one place: beside the path or in a bitmap;
//! * **BUDDY-I6** a heap without live blocks is the binary decomposition of its length.

mod audit;

use std::num::NonZeroU64;

use audit::View;
use memheap::component::{Room, explain_bad_free};
use memheap::{
    Align, AllocError, Block, BlockState, Bytes, Digest, FreeError, Module, Moved, Offset, Order, Span,
    Violation,
};

use crate::free::FreeBlocks;
use crate::sizes::SizeTable;

/// A heap whose bitmaps have `LEVELS` levels.
pub(crate) struct Heap<const LEVELS: usize> {
    pub(crate) free: FreeBlocks<LEVELS>,
    pub(crate) sizes: SizeTable,
    pub(crate) min: Order,
    /// The length of the smallest block minus one, which is above 0.
    floor: NonZeroU64,
    span: Span,
    digest: Digest,
}

/// What a digest step says happened.
#[derive(Clone, Copy)]
enum Step {
    Alloc = 1,
    Free = 2,
    Realloc = 3,
}

impl<const LEVELS: usize> Heap<LEVELS> {
    /// A heap over `span`, all free, with blocks of order `min` and above. Fails if the system refuses the address
    /// space for the bitmaps.
    pub(crate) fn new(span: Span, min: Order, sizes: SizeTable) -> std::io::Result<Self> {
        let free = FreeBlocks::all(managed(span, min), min)?;
        let floor = NonZeroU64::new(min.bytes().0 - 1).unwrap_or(NonZeroU64::MIN);
        Ok(Heap { free, sizes, min, floor, span, digest: Digest::default() })
    }

    /// Bytes that can be handed out.
    fn managed(&self) -> u64 {
        managed(self.span, self.min)
    }

    /// The heap, for a look at it.
    fn view(&self) -> View<'_, LEVELS> {
        View { free: &self.free, sizes: &self.sizes, min: self.min, managed: self.managed() }
    }

    /// The least order whose blocks hold `size` bytes at a multiple of `align`; `None` above 2^63.
    #[inline(always)]
    fn order(&self, size: Bytes, align: Align) -> Option<Order> {
        // The offset of the last byte needed, for each of three reasons: the highest bit of all is that of the largest.
        let last = self.floor | (align.bytes() - 1) | size.0.saturating_sub(1);
        let order = last.ilog2() + 1;
        (order < 64).then_some(Order(order as u8))
    }

    #[inline(always)]
    fn take(&mut self, size: Bytes, align: Align) -> Option<(Offset, Order)> {
        let order = self.order(size, align)?;
        if !self.sizes.reserve() {
            return None;
        }
        let at = self.free.take(order)?;
        self.sizes.insert(at, order);
        Some((at, order))
    }

    #[inline]
    fn record(&mut self, step: Step, at: Offset, with: u64) {
        self.digest = self.digest.step(step as u64, at.0, with);
    }

    #[cold]
    #[inline(never)]
    fn refused(&self, size: Bytes, align: Align) -> AllocError {
        let max = Align::new(1 << self.managed().checked_ilog2().unwrap_or(0)).unwrap_or(Align::ONE);
        if align > max && self.managed() > 0 {
            return AllocError::BadAlign { align, max };
        }
        let Room { free, largest } = self.room();
        AllocError::Exhausted { requested: size, free, largest, total: self.span.len }
    }

    #[cold]
    #[inline(never)]
    fn not_live(&self, at: Offset) -> FreeError {
        explain_bad_free(self, self.span, at)
    }

    /// Replaces the live block of order `old` at `at` by one of order `new`, which is larger.
    fn grow(&mut self, at: Offset, old: Order, new: Order) -> Option<Offset> {
        if let Some(to) = self.free.take_around(at, old, new) {
            self.sizes.remove(at);
            self.sizes.insert(to, new);
            return Some(to);
        }
        if !self.sizes.reserve() {
            return None;
        }
        let to = self.free.take(new)?;
        self.sizes.insert(to, new);
        self.sizes.remove(at);
        self.free.give(at, old);
        Some(to)
    }
}

fn managed(span: Span, min: Order) -> u64 {
    span.len.0 & !(min.bytes().0 - 1)
}

impl<const LEVELS: usize> Module for Heap<LEVELS> {
    fn alloc(&mut self, size: Bytes, align: Align) -> Result<Offset, AllocError> {
        match self.take(size, align) {
            Some((at, order)) => {
                self.record(Step::Alloc, at, order.0.into());
                Ok(at)
            }
            None => Err(self.refused(size, align)),
        }
    }

    fn alloc_block(&mut self, size: Bytes, align: Align) -> Result<Block, AllocError> {
        let at = self.alloc(size, align)?;
        let len = self.order(size, align).map_or(size, Order::bytes);
        Ok(Block { at, len, state: BlockState::Live })
    }

    fn free(&mut self, at: Offset) -> Result<Bytes, FreeError> {
        let Some(order) = self.sizes.remove(at) else { return Err(self.not_live(at)) };
        self.free.give(at, order);
        self.record(Step::Free, at, order.0.into());
        Ok(order.bytes())
    }

    fn realloc(&mut self, at: Offset, size: Bytes, align: Align) -> Result<Moved, AllocError> {
        let Some(old) = self.sizes.get(at) else { return Err(self.not_live(at).into()) };
        let to = if size <= old.bytes() && at.is_aligned(align) {
            if let Some(new) = self.order(size, Align::ONE).filter(|&new| new < old) {
                self.free.give_tail(at, old, new);
                self.sizes.remove(at);
                self.sizes.insert(at, new);
            }
            at
        } else {
            // The new order is above `old` in any case: a start that is a multiple of 2^old and not aligned shows that
            // the alignment is larger.
            let grown = self.order(size, align).and_then(|new| self.grow(at, old, new));
            grown.ok_or_else(|| self.refused(size, align))?
        };
        self.record(Step::Realloc, at, to.0 ^ size.0);
        Ok(if to == at { Moved::InPlace } else { Moved::To { to, keep: size.min(old.bytes()) } })
    }

    fn block(&self, at: Offset) -> Option<Block> {
        let max = self.managed().checked_ilog2()? as u8;
        (self.min.0..=max).map(Order).find_map(|order| {
            let start = Offset(at.0 & !(order.bytes().0 - 1));
            let state = if self.sizes.get(start) == Some(order) {
                BlockState::Live
            } else if start.0 < self.managed() && self.free.has(start, order) {
                BlockState::Free
            } else {
                return None;
            };
            Some(Block { at: start, len: order.bytes(), state })
        })
    }

    fn blocks<'m>(&'m self) -> Box<dyn Iterator<Item = Block> + 'm> {
        Box::new(self.view().walk().map(|(at, order, state)| Block { at, len: order.bytes(), state }))
    }

    fn room(&self) -> Room {
        let largest = self.free.orders().checked_ilog2().map_or(0, |order| 1 << order);
        Room { free: Bytes(self.free.bytes), largest: Bytes(largest) }
    }

    fn validate(&self) -> Result<(), Violation> {
        self.view().audit()
    }

    fn digest(&self) -> Digest {
        self.digest
    }
}
