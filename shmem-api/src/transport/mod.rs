//! How bytes and news reach other PEs, and how a PE waits for them.

pub(crate) mod progress;
