//! Locked memory: pages that are there and stay there, so that devices can use them.

use memheap::{Align, Bytes};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use crate::process::system::{lock_pages, unlock_pages};

/// Faults in and locks the pages of `len` bytes at `at`.
pub(crate) fn lock(at: *mut u8, len: Bytes) -> Result<(), Errno> {
    let (start, len) = pages(at, len);
    lock_pages(start, len)
}

/// Unlocks them. Pages at the edges that a neighbour has locked, too, are unlocked with them: a page is
/// locked or not, whoever asked; a block of this space begins and ends at pages of its own only if it
/// was asked to.
pub(crate) fn unlock(at: *mut u8, len: Bytes) {
    let (start, len) = pages(at, len);
    unlock_pages(start, len);
}

/// What the system lets this process lock, as text.
pub(crate) fn limit() -> String {
    getrlimit(Resource::Memlock).current.map_or("no limit".into(), |n| Bytes(n).to_string())
}

fn pages(at: *mut u8, len: Bytes) -> (usize, usize) {
    let page = Align::PAGE.bytes() as usize;
    let start = at.addr() & !(page - 1);
    let end = (at.addr() + len.0 as usize).next_multiple_of(page);
    (start, end - start)
}
