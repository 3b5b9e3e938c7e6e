//! What every region is.
//!
//! * **REGION-R1** as long as the value lives, `base .. base + len` is mapped readable and writable.

use std::ptr::NonNull;

use crate::units::Bytes;

/// A mapped, zeroed, page-aligned piece of memory; it keeps REGION-R1.
pub trait Region: Send + Sync {
    /// Where it is mapped in this process.
    fn base(&self) -> NonNull<u8>;
    /// How long it is.
    fn len(&self) -> Bytes;
    /// Whether it has no byte.
    fn is_empty(&self) -> bool {
        self.len().0 == 0
    }
}
