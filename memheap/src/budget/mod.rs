//! How much memory goes where: a request spread over the domains of a host before anything is mapped.
//!
//! ```text
//!   /proc, cgroup ──► HostFacts ──propose(PEs, wish)──► heap size per PE ──► agreed: least of all PEs
//!                        │
//!                        └─domains(PEs)──► distribute(request, domains, granule, policy) ──► Plan
//!
//!   request 2304 MiB,   ┌ domain 0: 32 GiB ┐  compatible: 2048 + 1024   over by 768 MiB
//!   granule  256 MiB:   └ domain 1: 32 GiB ┘  minimal:    2048 +  256   exact
//! ```
//!
//! [`distribute`] is a pure function. Its plan says how it ended as a value, never by a log line:
//!
//! * **B1** a share is at most what its domain can give; a domain that is not enabled gives nothing;
//! * **B2** a share is a multiple of the granule, under the first two policies 0 or `granule * 2^k`;
//! * **B3** `granted` is the sum of the shares, and the outcome states exactly how it differs from the request;
//! * **B4** under [`Policy::MinimalOvershoot`] no other choice of such shares covers the request with less;
//!   where none covers it, none grants more;
//! * **B5** equal arguments give equal plans.
//!
//! Which side of the one rule: the heap *size* is symmetric only once the PEs agreed on the least
//! proposal. The *shares* are local facts: they choose physical pages, never an offset.

mod compatible;
mod fair;
mod host;
mod minimal;
mod plan;
mod proc;
mod propose;
#[cfg(test)]
mod tests;

pub use host::{CgroupLimit, HostFacts, HostFactsError, NodeFacts, NumaId, host_facts};
pub use plan::{DOMAIN_MAX, Domain, DomainId, Outcome, Piece, Plan, Policy, distribute};
pub use propose::{Because, DEFAULT_HEAP_MAX, Excess, HEAP_GRANULE, Proposal, Wish, fits, propose};
