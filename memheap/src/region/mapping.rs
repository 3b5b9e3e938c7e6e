//! What every region is.
//!
//! * **REGION-R1** as long as the value lives, `base .. base + len` is mapped, readable and writable, by this value
//!   alone;
//! * **REGION-R2** a new mapping replaces none: the kernel chooses its address, or is told to fail where something is;
//! * **REGION-R3** a region gives out an address, and no access: whoever reads or writes there answers for it.

use std::ptr::NonNull;

use crate::units::Bytes;

/// A mapped, zeroed, page-aligned piece of memory; it keeps REGION-R1.
pub trait Region: Send + Sync {
    /// Where it is mapped in this process.
    fn base(&self) -> NonNull<u8>;
    /// How long it is.
    fn len(&self) -> Bytes;
    /// Whether it has no bytes.
    fn is_empty(&self) -> bool {
        self.len().0 == 0
    }
}
