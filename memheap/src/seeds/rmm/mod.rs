//! Trusted Firmware-A's `RMM_RESERVE_MEMORY`: memory reserved from the top down by a call between firmware stages.
//!
//! ```text
//!   reserve(size, flags) ──► Flags: an alignment, and whether the caller wants it near ──► Layout, behind a lock
//!   seal() ─────────────────────────────────────────────────────────────────────────────► nothing more
//! ```
//!
//! The reservations themselves are those of [`reserve`](crate::reserve), which the runtime uses with its stages as
//! types.
//!
//! * **RMM-R1** a call that fails has changed nothing, whatever its arguments;
//! * **RMM-R2** after the seal every call fails.

mod flags;
mod list;
mod locked;
#[cfg(test)]
mod tests;

pub use flags::{Flags, FlagsError, LOCAL};
pub use list::{Request, reserve_all};
pub use locked::{CallError, LockedLayout};
