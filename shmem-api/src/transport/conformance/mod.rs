//! What every engine passes, between this process and one that answers.

pub(crate) mod exchange;
pub(crate) mod server;
