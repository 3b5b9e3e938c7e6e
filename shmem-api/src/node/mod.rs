//! node.

pub(crate) mod control_block;
pub(crate) mod dump;
pub(crate) mod layout;
pub(crate) mod mailbox;
pub(crate) mod numa;
pub(crate) mod segment;
pub(crate) mod signature;
pub(crate) mod static_data;
