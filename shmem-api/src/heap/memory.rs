//! Which pages of the symmetric spaces may hold bytes: what is still fresh, and what to give back.

use memheap::place::Spaces;
use memheap::region::host_memory;
use memheap::settings::{self, Settings};
use memheap::{Block, BlockState, Bytes, Offset};

use crate::heap::trim::Trim;

/// Local facts about the pages behind the spaces. They decide about pages only.
pub(crate) struct Memory {
    /// By reach: from this segment offset on, no byte of the window has ever been part of a block, so all
    /// of them are still zero.
    fresh: [u64; 4],
    trim: Trim,
    /// Memory is to be given back at the end of this call.
    due: bool,
}

impl Memory {
    pub(crate) fn new(settings: &Settings) -> Memory {
        let threshold = settings.size(&settings::HEAP_TRIM).map_or(0, |s| s.resolve(host_memory()));
        Memory { fresh: [0; 4], trim: Trim::new(threshold), due: false }
    }

    /// A block has been taken for `size` bytes; how many of them may not be zero.
    pub(crate) fn taken(&mut self, spaces: &Spaces, block: &Block, size: Bytes) -> Bytes {
        self.trim.allocated(block.len.0);
        let reach = spaces.iter().find(|(_, s)| s.contains(block.at)).map_or(0, |(reach, _)| reach as usize);
        let fresh = &mut self.fresh[reach];
        let used = fresh.saturating_sub(block.at.0).min(size.0);
        *fresh = (*fresh).max(block.at.0 + size.0);
        Bytes(used)
    }

    /// `len` bytes have been freed.
    pub(crate) fn freed(&mut self, len: Bytes) {
        self.due |= self.trim.freed(len.0);
    }

    /// Calls `punch` with what should be given back now, if anything.
    pub(crate) fn trim<E>(&mut self, spaces: &Spaces, punch: impl Fn(Offset, Bytes) -> Result<(), E>) {
        if !std::mem::take(&mut self.due) {
            return;
        }
        for (reach, space) in spaces.iter() {
            let fresh = self.fresh[reach as usize];
            for block in space.blocks().filter(|b| b.state == BlockState::Free && b.at.0 < fresh) {
                // A page that is not given back is only a page.
                let _ = punch(block.at, Bytes(block.len.0.min(fresh - block.at.0)));
            }
        }
    }
}
