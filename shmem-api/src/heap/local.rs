//! The space of this PE only: no rendezvous, no other PE.
//!
//! It has a lock of its own, so that a thread can allocate here while another waits in a collective.

use memheap::space::Space;

/// The book of the local space.
pub(crate) struct Local {
    pub(crate) space: Space,
    /// From this segment offset on, no byte has ever been part of a block.
    pub(crate) fresh: u64,
}

impl Local {
    pub(crate) fn new(space: Space) -> Local {
        Local { space, fresh: 0 }
    }

    /// Ends the module.
    pub(crate) fn finalize(self) {
        self.space.finalize();
    }
}
