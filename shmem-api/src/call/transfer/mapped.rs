//! Bytes that are mapped here: from an address, a length and a PE to where they are, in the few instructions of the quick path.
//!
//! Invariant **CALL-V1**: a [`WorldPe`] is a PE of the job, compared with [`HOT`]'s count by the one function that makes
//! them; whoever has one is in a call, and no call is under way when the library comes down (ENGINE-E1): so the tables of
//! PEs that [`HOT`] names have an entry for it (NODE-N2). None is kept beyond its call.

use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;

use memheap::PeId;

use crate::memory::copy;
use crate::node::control_block::Waiters;
use crate::node::hot::HOT;
use crate::node::segment::Peer;
use crate::process::private::AtomicPtr;
use crate::sync::wait;
use crate::transport;
use crate::types::amo::AmoOp;
use crate::types::elem::AmoSwap;

/// The number of a PE of the job, which is one (CALL-V1).
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct WorldPe(u32);

impl WorldPe {
    /// If there is such a PE, and the library is up.
    #[inline(always)]
    pub(crate) fn new(pe: u32) -> Option<WorldPe> {
        if pe < HOT.n_pes.load(Ordering::Relaxed) { Some(WorldPe(pe)) } else { None }
    }

    /// The number.
    #[inline(always)]
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// What a table of PEs has for it: where something of it is mapped, or null.
    #[inline(always)]
    fn in_table(self, table: &AtomicPtr<Peer>) -> *mut u8 {
        let entry = table.load(Ordering::Relaxed).wrapping_add(self.0 as usize);
        // SAFETY: CALL-V1, NODE-N2: the table has an entry for each PE.
        unsafe { entry.read() }.heap
    }
}

/// Where `n` bytes of the heap at this PE's `at` are mapped for `pe`; `None` if that takes a longer look.
#[inline(always)]
pub(in crate::call) fn quick(at: usize, n: usize, pe: WorldPe) -> Option<NonNull<u8>> {
    let offset = at.wrapping_sub(HOT.lo.load(Ordering::Relaxed));
    if !fits(offset, n, HOT.len.load(Ordering::Relaxed)) {
        return None;
    }
    let base = NonNull::new(pe.in_table(&HOT.peers))?;
    // SAFETY: CALL-V2: the offset lies in the segment that is mapped there.
    Some(unsafe { base.add(offset) })
}

/// In the static data that most statics are in; null if it is not there.
#[inline(always)]
pub(in crate::call) fn static_place(at: usize, n: usize, pe: WorldPe) -> *mut u8 {
    let offset = at.wrapping_sub(HOT.static_lo.load(Ordering::Relaxed));
    if !fits(offset, n, HOT.static_len.load(Ordering::Relaxed)) {
        return ptr::null_mut();
    }
    let base = pe.in_table(&HOT.static_peers);
    if base.is_null() {
        return base;
    }
    base.wrapping_add(HOT.static_at.load(Ordering::Relaxed).wrapping_add(offset))
}

/// Whether `n` bytes at `offset` lie within `len`. Nothing in it can wrap.
#[inline(always)]
pub(crate) fn fits(offset: usize, n: usize, len: usize) -> bool {
    n <= len && offset <= len - n
}

/// Wakes `pe` (of the world) if it sleeps in a wait. Call it after an atomic or a signal.
#[inline]
pub(crate) fn notify(pe: u32) {
    let Some(known) = WorldPe::new(pe) else { return };
    let heap = known.in_table(&HOT.peers);
    if heap.is_null() {
        return transport::wake(PeId(pe));
    }
    // SAFETY: NODE-N2: a segment is mapped there.
    unsafe { notify_at(heap) }
}

/// # Safety
/// A segment is mapped there.
#[inline(always)]
unsafe fn notify_at(heap: *mut u8) {
    let waiters = heap.wrapping_add(HOT.waiters.load(Ordering::Relaxed));
    // SAFETY: NODE-N2: there every segment has its PE's waiters, all atomics, mapped as long as the library is up.
    let Waiters(event) = unsafe { &*waiters.cast::<Waiters>() };
    wait::notify(&event.count, &event.asleep);
}

/// One operation on a word that is mapped, and its PE woken, unless it only reads.
///
/// # Safety
/// COPY-A1 for the word, which is one of `pe`.
#[inline(always)]
pub(super) unsafe fn amo_here<T: AmoSwap>(at: *mut T, pe: WorldPe, op: AmoOp<T>) -> T {
    // SAFETY: COPY-A1, of which the caller made sure.
    let old = unsafe { copy::amo(at, op) };
    if !matches!(op, AmoOp::Load) {
        // SAFETY: NODE-N2: a PE of which something is mapped has its segment mapped.
        unsafe { notify_at(pe.in_table(&HOT.peers)) }
    }
    old
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against numbers that cannot overflow.
    #[test]
    fn what_fits_is_inside() {
        let numbers =
            [0, 1, 2, 7, 8, 9, 4096, isize::MAX as usize, usize::MAX - 7, usize::MAX - 1, usize::MAX];
        for i in 0..numbers.len().pow(3) {
            let [offset, n, len] = [i, i / 11, i / 121].map(|digit| numbers[digit % 11]);
            assert_eq!(fits(offset, n, len), offset as u128 + n as u128 <= len as u128, "{offset} {n} {len}");
        }
    }
}
