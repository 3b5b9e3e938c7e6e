//! What goes by value: elements, the types of C, sets of PEs, thread levels, what objects are. No state, no other room.

pub(crate) mod amo;
pub(crate) mod c_types;
pub(crate) mod call_site;
pub(crate) mod cmp;
pub(crate) mod elem;
pub(crate) mod object;
pub(crate) mod pe_set;
pub(crate) mod thread_level;
pub(crate) mod version;
pub(crate) mod word;
