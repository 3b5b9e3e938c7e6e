//! Locked memory: pages that are there and stay there, so that devices can use them.
#![allow(unsafe_code)]

use memheap::{Align, Bytes};
use rustix::io::Errno;
use rustix::mm::{mlock, munlock};
use rustix::process::{Resource, getrlimit};

/// Faults in and locks the pages of `len` bytes at `at`.
pub(crate) fn lock(at: *mut u8, len: Bytes) -> Result<(), Errno> {
    let (start, len) = pages(at, len);
    // SAFETY: the pages belong to a mapped segment; locking them changes no byte.
    unsafe { mlock(start.cast(), len) }
}

/// Unlocks them. Pages at the edges that a neighbour has locked, too, are unlocked with them: a page is
/// locked or not, whoever asked; a block of this space begins and ends at pages of its own only if it
/// was asked to.
pub(crate) fn unlock(at: *mut u8, len: Bytes) {
    let (start, len) = pages(at, len);
    // SAFETY: as above. A failure leaves the pages locked, which harms nobody.
    let _ = unsafe { munlock(start.cast(), len) };
}

/// What the system lets this process lock, as text.
pub(crate) fn limit() -> String {
    getrlimit(Resource::Memlock).current.map_or("no limit".into(), |n| Bytes(n).to_string())
}

fn pages(at: *mut u8, len: Bytes) -> (*mut u8, usize) {
    let page = Align::PAGE.bytes() as usize;
    let start = at as usize & !(page - 1);
    let end = (at as usize + len.0 as usize).next_multiple_of(page);
    (at.wrapping_sub(at as usize - start), end - start)
}
