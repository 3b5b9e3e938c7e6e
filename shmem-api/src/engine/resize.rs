//! Resizing a block.
//!
//! ```text
//!   realloc(at, size):  meet ─► the module resizes: in place          done
//!                                                   elsewhere         copy, and meet again
//!                            └► checked, or locked: take a new block, copy, and free the old (which meets)
//! ```
//!
//! A module moves a block and gives the old one up in one step, so the copy comes before anything else
//! happens to the heap; the second rendezvous keeps a fast PE's put from being overwritten by a slow PE's
//! copy. Where the heap is checked, a block always moves: a pointer to the old one is found out.

use memheap::component::{AllocError, Moved};
use memheap::place::Reach;
use memheap::{BlockState, Bytes, Offset};

use crate::engine::Engine;
use crate::error::Error;
use crate::heap::{Decided, Fresh, Heap, Request};

/// How far a resize came in its first rendezvous.
enum Resized {
    /// It is done.
    To(Offset),
    /// There is a new block; the old one is to be copied there and freed.
    Copy { fresh: Fresh, keep: Bytes, reach: Reach },
}

impl Engine {
    /// Collective: makes the block at `at` `request.size` bytes long, which are not 0, in the space it lies in; where
    /// it is now. The contents are kept up to the smaller size. On an error the block is as it was, on every PE.
    pub(crate) fn realloc(&self, at: Offset, request: Request) -> Result<Offset, Error> {
        use crate::node::signature::Signature;
        let signature = |digest| Signature::realloc(at, request.size, digest);
        match self.heap_call(request.call, signature, |h| self.resize_here(h, at, &request))? {
            Resized::To(to) => Ok(to),
            Resized::Copy { fresh, keep, reach } => {
                if reach == Reach::Dma {
                    self.mlock_or_give_back(fresh.at, request.size)?;
                }
                self.carry(at, fresh.at, keep);
                self.free(request.call, at)?;
                Ok(fresh.at)
            }
        }
    }

    /// This PE's step.
    fn resize_here(&self, h: &mut Heap, at: Offset, request: &Request) -> Result<Resized, Error> {
        let Request { call, size, align, .. } = *request;
        let live = |at: &Offset| {
            let (reach, block) = h.spaces.block(*at)?;
            let len = match self.guards.on() {
                true => self.guards.size(*at)?,
                false => (block.state == BlockState::Live && block.at == *at).then_some(block.len)?,
            };
            Some((reach, len))
        };
        let Some((reach, old)) = live(&at) else {
            return Err(Error::Free { pe: self.me, call, why: self.explain(h, at) });
        };
        if self.guards.on() || reach == Reach::Dma {
            let fresh = self.take_here(h, &Request { reach, ..*request })?;
            return Ok(Resized::Copy { fresh, keep: old.min(size), reach });
        }
        let refused = |why: AllocError| self.no_room(format!("{call}({size})"), reach, why.into());
        h.decided = Decided::NoRoom;
        let moved = h.spaces.realloc(at, size, align).map_err(refused)?;
        let to = match moved {
            Moved::InPlace => at,
            Moved::To { to, .. } => to,
        };
        h.decided = Decided::At(to);
        if let Moved::To { keep, .. } = moved {
            self.carry(at, to, keep);
            h.touched = true;
        }
        if let Some((_, block)) = h.spaces.block(to) {
            h.memory.taken(&h.spaces, &block, size);
            self.segment.hand_out(to, size);
            h.memory.freed(old);
        }
        Ok(Resized::To(to))
    }
}
