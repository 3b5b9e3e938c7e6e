//! Heap calls on the space of this PE only: no rendezvous, no other PE.

use memheap::component::{AllocError, Moved};
use memheap::place::{Near, PlaceError, Reach};
use memheap::{Align, Block, Bytes, FreeError, Offset};

use crate::engine::Engine;
use crate::error::Error;
use crate::heap::Fresh;
use crate::node::numa;

impl Engine {
    /// Local: `size` bytes of this PE's own space.
    pub(crate) fn alloc_local(&self, size: Bytes, align: Align, near: Near) -> Result<Fresh, Error> {
        let fresh = self.local.with("an allocation", |l| {
            let call = || format!("alloc({size}, alignment {align}, for {})", Reach::Pe);
            let taken = match l.space.is_empty() {
                true => Err(PlaceError::Unreachable { reach: Reach::Pe }),
                false => l.space.alloc(size, align).map_err(PlaceError::Alloc),
            };
            let Block { at, .. } = taken.map_err(|why| self.no_room(call(), Reach::Pe, why))?;
            let used = Bytes(l.fresh.saturating_sub(at.0).min(size.0));
            l.fresh = l.fresh.max(at.0 + size.0);
            self.segment.hand_out(at, size);
            Ok::<_, Error>(Fresh { at, used })
        })?;
        numa::bring_near(self, self.address(fresh.at), size, near);
        Ok(fresh)
    }

    /// Local: resizes a block of this PE's own space; where it is now.
    pub(crate) fn realloc_local(&self, call: &'static str, at: Offset, size: Bytes) -> Result<Offset, Error> {
        self.local.with(call, |l| {
            let refused = |why| match why {
                AllocError::NotLive(why) => Error::Free { pe: self.me, call, why },
                why => self.no_room(format!("{call}({size})"), Reach::Pe, why.into()),
            };
            let to = match l.space.realloc(at, size, Align::DEFAULT).map_err(refused)? {
                Moved::InPlace => at,
                Moved::To { to, keep } => {
                    self.carry(at, to, keep);
                    to
                }
            };
            l.fresh = l.fresh.max(to.0 + size.0);
            self.segment.hand_out(to, size);
            Ok(to)
        })
    }

    /// Local: frees a block of this PE's own space.
    pub(crate) fn free_local(&self, at: Offset) -> Result<Bytes, FreeError> {
        self.local.with("a free", |l| l.space.free(at))
    }

    /// Why there is no block, and what would help.
    pub(crate) fn no_room(&self, call: String, reach: Reach, why: PlaceError) -> Error {
        if let PlaceError::Alloc(why @ AllocError::BadAlign { .. }) = why {
            return Error::TooAligned { pe: self.me, call, why };
        }
        let (setting, now) = match reach {
            Reach::World => ("SHMEM_SYMMETRIC_SIZE", self.layout.window(reach).1),
            Reach::Host => ("SHMEM_HEAP_HOST_SIZE", self.layout.window(reach).1),
            Reach::Dma => ("SHMEM_HEAP_DMA_SIZE", self.layout.window(reach).1),
            Reach::Pe => ("SHMEM_HEAP_PE_SIZE", self.layout.window(reach).1),
        };
        Error::Alloc { pe: self.me, call, why, setting, now }
    }
}
