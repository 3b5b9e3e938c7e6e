//! Collective operations: one file each, its algorithm named at the top.
//!
//! ```text
//!   raw::coll, api::collectives
//!         │ a team, or an active set (active_set)
//!         ▼
//!   Group: a team's call under way ──► broadcast collect fcollect alltoall reduce scan
//!         │ put, get, own                                    └── ops, long_double
//!         ▼
//!   team: enter, meet, show, leave
//! ```
//!
//! * [`ops`], `long_double`: what a reduction does with two elements.
//! * [`group`]: a call as its algorithm sees it; the algorithms' invariants.
//! * [`broadcast`], [`collect`], [`fcollect`], [`alltoall`], [`reduce`], [`scan`]: the algorithms.
//! * [`active_set`]: the PEs of an active set, as a team that its first call makes.

pub(crate) mod active_set;
pub(crate) mod alltoall;
pub(crate) mod broadcast;
pub(crate) mod collect;
pub(crate) mod fcollect;
pub(crate) mod group;
pub(crate) mod long_double;
pub(crate) mod ops;
pub(crate) mod reduce;
pub(crate) mod scan;
