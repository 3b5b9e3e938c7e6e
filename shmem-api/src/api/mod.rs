//! api.

pub(crate) mod collectives;
pub(crate) mod ctx;
pub(crate) mod global_ptr;
pub(crate) mod heap_map;
pub(crate) mod local_slice;
pub(crate) mod lock;
pub(crate) mod phase;
pub(crate) mod run;
pub(crate) mod signal;
pub(crate) mod sym;
pub(crate) mod sym_static;
pub(crate) mod team;
pub(crate) mod world;
