//! sync.

pub(crate) mod conditions;
pub(crate) mod fences;
pub(crate) mod primitives;
pub(crate) mod wait;
