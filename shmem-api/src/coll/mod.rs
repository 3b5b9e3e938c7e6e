//! Collective operations: one file each, its algorithm named at the top.
//!
//! ```text
//!   raw::coll, api::collectives
//!         │ a team, or an active set (active_set)
//!         ▼
//!   Group: a team's call under way ──► broadcast collect fcollect alltoall reduce scan
//!         │ object: what may be read and written             └── pieces, ops, long_double
//!         ▼
//!   team: enter, meet, show, leave
//! ```
//!
//! * [`ops`], `long_double`: what a reduction does with two elements.
//! * [`object`]: what a call is about, vouched for once; [`pieces`]: elements in words, parts and chunks.
//! * [`group`]: a call as its algorithm sees it; the algorithms' invariants. [`course`]: its stages.
//! * [`broadcast`], [`collect`], [`fcollect`], [`alltoall`], [`reduce`], [`scan`]: the algorithms.
//! * [`active_set`]: the PEs of an active set, as a team that its first call makes.

pub(crate) mod active_set;
pub(crate) mod alltoall;
pub(crate) mod broadcast;
pub(crate) mod collect;
mod course;
pub(crate) mod fcollect;
pub(crate) mod group;
pub(crate) mod long_double;
pub(crate) mod object;
pub(crate) mod ops;
pub(crate) mod pieces;
pub(crate) mod reduce;
pub(crate) mod scan;
