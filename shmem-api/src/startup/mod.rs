//! startup.

pub(crate) mod info;
pub(crate) mod init_count;
pub(crate) mod process_exit;
pub(crate) mod single_instance;
pub(crate) mod start;
