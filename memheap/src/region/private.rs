//! Memory of this process only: for one PE, for tests, and for Miri.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

use super::mapping::Region;
use crate::units::{Align, Bytes};

/// Zeroed memory nobody else can see.
pub struct PrivateRegion {
    base: NonNull<u8>,
    layout: Layout,
}

// SAFETY: the region owns its memory; access to it is the business of whoever uses the base.
unsafe impl Send for PrivateRegion {}
// SAFETY: as above: sharing the value shares no access.
unsafe impl Sync for PrivateRegion {}

impl PrivateRegion {
    /// `len` zeroed bytes aligned to a page, or `None` if the system has not that much.
    pub fn zeroed(len: Bytes) -> Option<PrivateRegion> {
        let bytes = usize::try_from(len.0).ok()?.max(1);
        let layout = Layout::from_size_align(bytes, Align::PAGE.bytes() as usize).ok()?;
        // SAFETY: the layout has at least one byte.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(PrivateRegion { base, layout })
    }
}

impl Region for PrivateRegion {
    fn base(&self) -> NonNull<u8> {
        self.base
    }

    fn len(&self) -> Bytes {
        Bytes(self.layout.size() as u64)
    }
}

impl Drop for PrivateRegion {
    fn drop(&mut self) {
        // SAFETY: allocated in `zeroed` with this layout and freed nowhere else.
        unsafe { dealloc(self.base.as_ptr(), self.layout) }
    }
}
