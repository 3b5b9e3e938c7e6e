//! The *shared* phase: a closure between two rendezvous in which objects are open to every PE.
//!
//! ```text
//!   local ──Enter (all PEs show the same objects)──► shared ──quiet, Exit──► local again
//!   &mut [T]                                         put, get, atomics, waits; no reference into it
//! ```
//!
//! A Rust reference and a remote write never meet: while an object is shared it is mutably borrowed by
//! [`Team::share`](crate::Team::share), so no slice of it can exist, and the handles of the phase ([`Remote`]) cannot leave
//! the closure. The two rendezvous compare, on all PEs, which objects are shared and how.
//!
//! Invariants (rules of the Rust API): **PHASE-S3** a failed Enter runs no closure on any PE; a difference
//! while some PE is at Exit ends the job, for others still hold handles. **PHASE-S4** Exit comes after
//! everything this PE issued is complete. **PHASE-S5** unwinding out of the closure ends the job. **PHASE-P1** a
//! `Remote` exists only inside a phase that all PEs entered with the same object, so its range lies
//! inside that object on every PE of the peer table it carries: what makes one finds the object among those that were
//! agreed on. (PHASE-P2 and PHASE-P3 are in `access`.)

mod access;
pub(crate) mod atomics;
pub(crate) mod batch;
pub(crate) mod key;
pub(crate) mod read;
pub(crate) mod remote;
pub(crate) mod share;
pub(crate) mod shareable;
pub(crate) mod strided;
pub(crate) mod watch;

pub use crate::api::phase::batch::Batch;
pub use crate::api::phase::read::RemoteRead;
pub use crate::api::phase::remote::Remote;
pub use crate::api::phase::share::Phase;
pub use crate::api::phase::shareable::Shareable;
pub use crate::api::phase::watch::Watch;
