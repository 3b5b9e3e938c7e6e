//! Collective operations: one file each, its algorithm named at the top.
//!
//! * [`slip`]: what a PE shows at a rendezvous.
//! * [`agree`]: the rendezvous itself: a barrier that also compares.

pub(crate) mod agree;
pub(crate) mod slip;
