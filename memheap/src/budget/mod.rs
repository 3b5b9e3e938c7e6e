//! How much memory goes where: the size of heaps, and from which domains of a host their pages come.
//!
//! ```text
//!   /proc, cgroup ──► HostFacts ──propose(PEs, wish)──► heap size per PE ──► agreed: least of all PEs
//!                        │
//!                        └─domains(PEs)──► distribute(request, domains, granule, policy) ──► Plan
//! ```
//!
//! [`distribute`] is a pure function. The plan it returns says by a value how the request was met, not by a log line:
//!
//! * **BUDGET-B1** a share is at most what its domain can give;
//! * **BUDGET-B2** a share is a multiple of the granule;
//! * **BUDGET-B3** `granted` is the sum of the shares, and the outcome says exactly how it differs from the request;
//! * **BUDGET-B4** equal arguments give equal plans.
//!
//! By the one rule, the *size* of heaps is equal on all PEs once they have agreed on the least proposal. The *shares*
//! are local facts: they choose physical pages, never an offset.

mod host;
mod plan;
mod proc;
mod proportional;
mod propose;
#[cfg(test)]
pub(crate) mod tests;

pub use host::{CgroupLimit, HostFacts, HostFactsError, NodeFacts, NumaId, host_facts};
pub use plan::{DOMAIN_MAX, Domain, DomainId, Outcome, Piece, Plan, Policy, Shares, distribute};
pub(crate) use proportional::in_granules;
pub use propose::{Because, DEFAULT_HEAP_MAX, Excess, HEAP_GRANULE, Proposal, Wish, fits, propose};
