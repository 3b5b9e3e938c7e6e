//! Hostboot's SMF: secure memory spread over processors at boot, in shares that fit a base-address register each.
//!
//! ```text
//!   request 2304 MiB,   ┌ domain 0: 32 GiB ┐  as the seed does:  2048 + 1024   over by 768 MiB
//!   granule  256 MiB:   └ domain 1: 32 GiB ┘  the least:         2048 +  256   exact
//! ```
//!
//! Each is a [`Policy`] for [`distribute`](crate::budget::distribute):
//!
//! * **HOSTBOOT-H1** under the first two a share is 0 or `granule * 2^k`;
//! * **HOSTBOOT-H2** under [`MINIMAL_OVERSHOOT`] no other choice of such shares covers the request with less; where
//!   none covers it, none grants more.

mod doubling;
mod even;
mod minimal;
#[cfg(test)]
mod tests;

use crate::budget::{Domain, Policy};
use crate::units::Bytes;

/// Exactly as the seed: chunks of one granule, then two, then four, go round the domains in order until the request is
/// covered. A chunk replaces the share before it; a domain that cannot hold one drops out and keeps what it has.
/// Requests from 2^63 on get nothing, as there.
pub const HOSTBOOT_COMPATIBLE: Policy =
    Policy::By(|request, usable, granule| doubling::rounds(request, usable, granule).0);

/// Shares of 0 or `granule * 2^k` whose sum exceeds the request by as little as possible.
pub const MINIMAL_OVERSHOOT: Policy = Policy::By(minimal::shares);

/// Whole granules, as equal as the domains allow; what is left over goes to the first ones.
pub const EVEN: Policy = Policy::By(even::shares);

/// The memory of a processor: what it keeps for itself is left alone, and one that does not work gives nothing.
pub fn processor(available: Bytes, kept: Bytes, works: bool) -> Domain {
    Domain::new(if works { Bytes(available.0.saturating_sub(kept.0)) } else { Bytes(0) })
}
