//! What goes by value, and what the other rooms agree to call things.
//!
//! | file | what |
//! |---|---|
//! | `elem`, `amo` | what may lie in symmetric memory, and what may be done to it atomically |
//! | `c_types`, `version` | the standard's type tables; which standard this is |
//! | `object`, `word` | what an object is, and names of types, as words that PEs compare |
//! | `pe_set` | `size` PEs from `start`, `stride` apart, in their numbers or in the order of hosts |
//! | `host_of` | which PE is on which host |
//! | `cmp` | the comparisons of waits |
//! | `thread_level` | thread levels, as values and as types |
//! | `call_site` | where in the program a call was made |
//!
//! The ground floor: nothing here imports another room. Invariant: what two PEs compare is the same word on both for the
//! same thing, whatever executables they run.

pub(crate) mod amo;
pub(crate) mod c_types;
pub(crate) mod call_site;
pub(crate) mod cmp;
pub(crate) mod elem;
pub(crate) mod host_of;
pub(crate) mod object;
pub(crate) mod pe_set;
pub(crate) mod thread_level;
pub(crate) mod version;
pub(crate) mod word;
