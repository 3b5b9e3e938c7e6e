//! process.

pub(crate) mod limits;
pub(crate) mod signals;
pub(crate) mod turn;
