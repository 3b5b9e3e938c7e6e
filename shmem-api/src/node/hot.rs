//! What the path of a raw put reads: a plain static of relaxed atomics, zero while the library is down.
//!
//! Invariant **NODE-N2**: [`HOT`] is non-zero only while the library is up; its PE count is published last and
//! cleared first, so the PE check of a raw call is also its "initialised?" check.

use crate::process::private::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use memheap::Offset;

use crate::node::Node;
use crate::node::segment::Peer;

/// Several threads may look while one writes.
#[repr(C, align(64))]
pub(crate) struct Hot {
    pub(crate) n_pes: AtomicU32,
    pub(crate) me: AtomicU32,
    pub(crate) lo: AtomicUsize,
    pub(crate) len: AtomicUsize,
    pub(crate) peers: AtomicPtr<Peer>,
    /// From a peer's heap to what it sleeps on.
    pub(crate) waiters: AtomicUsize,
    /// The stretch of static data that most statics are in: where it is, its length, where it is in the
    /// file, and the PEs' files.
    pub(crate) static_lo: AtomicUsize,
    pub(crate) static_len: AtomicUsize,
    pub(crate) static_at: AtomicUsize,
    pub(crate) static_peers: AtomicPtr<Peer>,
}

pub(crate) static HOT: Hot = Hot {
    n_pes: AtomicU32::new(0),
    me: AtomicU32::new(0),
    lo: AtomicUsize::new(0),
    len: AtomicUsize::new(0),
    peers: AtomicPtr::new(std::ptr::null_mut()),
    waiters: AtomicUsize::new(0),
    static_lo: AtomicUsize::new(0),
    static_len: AtomicUsize::new(0),
    static_at: AtomicUsize::new(0),
    static_peers: AtomicPtr::new(std::ptr::null_mut()),
};

/// All but the count of PEs, which [`open`] publishes. `quick`: heap addresses pass the quick check; else all go by
/// the book.
pub(crate) fn fill(node: &Node, quick: bool) {
    HOT.me.store(node.me.0, Ordering::Relaxed);
    HOT.lo.store(node.peers[node.me.0 as usize].heap as usize, Ordering::Relaxed);
    let len = if quick { node.layout.symmetric.0 } else { 0 };
    HOT.len.store(len as usize, Ordering::Relaxed);
    HOT.peers.store(node.peers.as_ptr().cast_mut(), Ordering::Relaxed);
    let waiters = (&raw const node.control().life.waiters).addr() - node.address(Offset(0)).addr();
    HOT.waiters.store(waiters, Ordering::Relaxed);
    if let Some((span, table)) = node.statics.largest() {
        HOT.static_lo.store(span.address, Ordering::Relaxed);
        HOT.static_at.store(span.offset.0 as usize, Ordering::Relaxed);
        HOT.static_peers.store(table.as_ptr().cast_mut(), Ordering::Relaxed);
        HOT.static_len.store(span.len.0 as usize, Ordering::Relaxed);
    }
}

/// From here on raw calls go.
pub(crate) fn open(n_pes: u32) {
    HOT.n_pes.store(n_pes, Ordering::Release);
}

/// Raw calls go no more.
pub(crate) fn clear() {
    HOT.n_pes.store(0, Ordering::Release);
    HOT.len.store(0, Ordering::Relaxed);
    HOT.lo.store(0, Ordering::Relaxed);
    HOT.static_len.store(0, Ordering::Relaxed);
    HOT.static_lo.store(0, Ordering::Relaxed);
    HOT.static_peers.store(std::ptr::null_mut(), Ordering::Relaxed);
    HOT.peers.store(std::ptr::null_mut(), Ordering::Relaxed);
}
