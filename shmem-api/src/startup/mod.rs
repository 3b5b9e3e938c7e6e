//! Bringing the library up and taking it down: one start in its order, who holds it up, and process exit.

pub(crate) mod heap_size;
pub(crate) mod hello;
pub(crate) mod host;
pub(crate) mod info;
pub(crate) mod init;
pub(crate) mod init_count;
pub(crate) mod process_exit;
pub(crate) mod single_instance;
pub(crate) mod start;
