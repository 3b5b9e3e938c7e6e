//! Collective operations: one file each, its algorithm named at the top.
//!
//! * [`slip`]: what a PE shows at a rendezvous.
//! * [`agree`]: the rendezvous itself: a barrier that also compares.
//! * [`team`]: who meets; how a collective is written ([`team::call`]).
//! * [`ops`], `long_double`: what a reduction does with two elements.
//! * [`group`]: what the algorithms need of the PEs that call together; their invariants.
//! * [`broadcast`], [`collect`], [`fcollect`], [`alltoall`], [`reduce`], [`scan`]: the algorithms.
//! * [`on_team`]: a team, which meets on its slot. [`psync`]: an active set, which meets in the program's own `pSync`.

pub(crate) mod agree;
pub(crate) mod alltoall;
pub(crate) mod broadcast;
pub(crate) mod collect;
pub(crate) mod fcollect;
pub(crate) mod group;
mod long_double;
pub(crate) mod on_team;
pub(crate) mod ops;
pub(crate) mod psync;
pub(crate) mod reduce;
pub(crate) mod scan;
pub(crate) mod slip;
pub(crate) mod team;
