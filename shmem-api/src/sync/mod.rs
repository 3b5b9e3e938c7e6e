//! What threads and processes wait and order with: the system's, or loom's where the protocols are model-checked.
//!
//! ```text
//!   conditions      all, any or some of several words, fairly
//!   wait            spin, yield, sleep ── event and sleepers ──► whoever notifies
//!   fences          this processor's order
//!   primitives      atomics, futex: the system's or loom's
//! ```
//!
//! Nothing here knows what is waited for; the waits of the library, which also look whether the job goes on, are in
//! `progress`. Invariants: nothing spins without end, and every sleep has one; no notification is lost (in [`wait`]). What
//! is model-checked takes its atomics from [`primitives`] and from nowhere else.

pub(crate) mod conditions;
pub(crate) mod fences;
pub(crate) mod primitives;
pub(crate) mod wait;
