//! memory.

pub(crate) mod copy;
