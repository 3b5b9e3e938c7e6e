//! This process as the system sees it, whatever it is in a job: what it says and with which status it ends, whether it
//! is a child of a PE, its signals, its limits, and who else runs in it.

pub(crate) mod child;
pub(crate) mod limits;
pub(crate) mod others;
pub(crate) mod say;
pub(crate) mod signals;
pub(crate) mod status;
pub(crate) mod turn;
