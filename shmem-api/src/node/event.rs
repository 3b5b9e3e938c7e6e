//! Something to sleep on, in memory that PEs share (`sync::wait` has how).

use crate::sync::primitives::AtomicU32;

/// Something to sleep on.
#[repr(C)]
pub(crate) struct Event {
    pub(crate) count: AtomicU32,
    pub(crate) asleep: AtomicU32,
}

#[cfg(test)]
impl Event {
    pub(crate) fn new() -> Event {
        Event { count: AtomicU32::new(0), asleep: AtomicU32::new(0) }
    }
}
