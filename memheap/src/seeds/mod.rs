//! What the seed systems have and nothing here calls at run time.
//!
//! Five systems are the seeds of this library. What it uses of them stands elsewhere in this crate, under its own
//! names; what it does not use is gathered here, with the tests that hold it against the original:
//!
//! | what | of which system | why it is here |
//! |---|---|---|
//! | [`hostboot::HOSTBOOT_COMPATIBLE`] | Hostboot's SMF | The reference for [`budget`](crate::budget): the one policy of which every outcome is known. |
//! | [`hostboot::MINIMAL_OVERSHOOT`] | mends it | Shows that the same kind of shares can cover a request with the least that is possible. |
//! | [`hostboot::EVEN`] | mends it | Shows the spread that does not depend on the order of the domains. |
//! | [`hostboot::processor`] | Hostboot's SMF | Says how a processor with memory of its own to keep is a domain. |
//! | [`giet::Ppn`], [`giet::PhysicalAddr`] | GIET_VM | Names [`pages`](crate::pages) as the original does, so that its worked examples can be compared. |
//! | [`giet::page_of`], [`giet::of_page`] | GIET_VM | Shows that a [`GlobalAddr`](crate::global::GlobalAddr) has the page fields of the original in it. |
//! | [`giet::pool_after_first`] | GIET_VM | Says what keeps the first page of a pool out of reach: boot code there, a header elsewhere. |
//! | [`rmm::Flags`] | Trusted Firmware-A | The word in which the original's call passes an alignment and a wish. |
//! | [`rmm::LockedLayout`] | Trusted Firmware-A | The call itself, for a caller that types do not reach: sealed at run time, from several threads. |
//! | [`rmm::reserve_all`] | mends it | Shows that a list that is known beforehand loses less to alignment. |
//!
//! The other two are in use as a whole: Open MPI's memheap in [`framework`](crate::framework) and the allocators,
//! MutekH's reachability and proximity in [`place`](crate::place).
//!
//! A letter with a number in these tests, as A2 or E6, is a section of the list of the five systems' behaviours
//! (`SEED-SYSTEMS.md`), which is kept outside of this repository.

pub mod giet;
pub mod hostboot;
pub mod rmm;
