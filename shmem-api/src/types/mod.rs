//! types.

pub(crate) mod c_types;
pub(crate) mod call_site;
pub(crate) mod elem;
pub(crate) mod object;
pub(crate) mod pe_set;
pub(crate) mod thread_level;
