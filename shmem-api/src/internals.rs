//! The part of every PE's segment that belongs to the runtime: above the heap, out of reach of puts.
//!
//! ```text
//!   segment:  0 ........................ heap length ............ + INTERNALS
//!             the symmetric heap (user)   Desk (this page's struct)
//! ```
//!
//! All of it is zero at first, and every word is an atomic, since all PEs of the host look at it.

use memheap::Bytes;

use crate::coll::agree::Gate;
use crate::coll::slip::SlipCell;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// Bytes of a segment above the heap.
pub(crate) const INTERNALS: Bytes = Bytes::mib(4);

/// How many frees a PE can show at one rendezvous.
pub(crate) const FREES: usize = 1 << 16;

/// What a PE lays open to the other PEs of its host.
#[repr(C, align(4096))]
pub(crate) struct Desk {
    /// Not zero once the job is to end: the status, plus one.
    pub(crate) ended: AtomicU32,
    /// Not zero once this PE has left in good order.
    pub(crate) left: AtomicU32,
    /// The NUMA node this PE started on.
    pub(crate) node: AtomicU32,
    /// The system's error when this PE could not lock memory in the last such call, or 0.
    pub(crate) pin_failed: AtomicU32,
    pub(crate) waiters: Waiters,
    /// Where the PEs of this host meet; that of the host's first PE is used.
    pub(crate) gate: Gate,
    pub(crate) slips: [SlipCell; 2],
    pub(crate) frees: [FreeList; 2],
}

/// For waits on the PE's own memory: what sleeps on, and how many do.
#[repr(C, align(64))]
pub(crate) struct Waiters {
    pub(crate) bell: AtomicU32,
    pub(crate) asleep: AtomicU32,
}

/// Offsets this PE has dropped, shown at a rendezvous. Two are used in turn, like slips.
#[repr(C, align(64))]
pub(crate) struct FreeList {
    len: AtomicU64,
    at: [AtomicU64; FREES],
}

const _: () = assert!(size_of::<Desk>() as u64 <= INTERNALS.0);

impl FreeList {
    /// Shows `offsets`, at most [`FREES`].
    pub(crate) fn show(&self, offsets: &[u64]) {
        for (cell, at) in self.at.iter().zip(offsets) {
            cell.store(*at, Ordering::Relaxed);
        }
        self.len.store(offsets.len() as u64, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Vec<u64> {
        let len = (self.len.load(Ordering::Relaxed) as usize).min(FREES);
        self.at[..len].iter().map(|cell| cell.load(Ordering::Relaxed)).collect()
    }
}
