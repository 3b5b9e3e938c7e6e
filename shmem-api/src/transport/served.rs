//! The memory of this host's PEs, as this process serves it to PEs of other hosts: of a far target, the bytes here.
//!
//! ```text
//!   at 0 ..                  the PE's segment                         mapped here, all of it
//!   at STATIC + offset ..    its file of static data: of a peer       mapped here, all of it
//!                                                     of this PE      at the variables themselves, stretch by stretch
//! ```
//!
//! Invariant: **SERVED-E1** what a stretch names is mapped, readable and writable, from when a start tells of it until `gone`, or, of static
//! data, as long as the process lives.
#![allow(unsafe_code)]

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use memheap::PeId;

use super::far::execute::Memory;
use crate::sync::primitives::AtomicU32;
use crate::sync::wait;

/// Bytes of a PE, mapped here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    /// Where they begin for a [`FarTarget`](super::FarTarget).
    pub(crate) at: u64,
    pub(crate) address: usize,
    pub(crate) len: u64,
}

/// What is served of one PE.
#[derive(Clone, Default, Debug)]
pub(crate) struct OfPe {
    pub(crate) stretches: Vec<Stretch>,
    /// Where the event and the count of sleepers of its waits are.
    pub(crate) waiters: [usize; 2],
}

/// By PE; nothing of those of other hosts.
static SERVED: RwLock<Vec<OfPe>> = RwLock::new(Vec::new());

/// What is served by this process.
pub(crate) struct Served;

/// In a start: what is served from here on, by PE.
///
/// # Safety
/// SERVED-E1, and the waiters of each PE that has stretches are two such words.
pub(crate) unsafe fn serve(pes: Vec<OfPe>) {
    *SERVED.write().unwrap_or_else(PoisonError::into_inner) = pes;
}

fn served() -> RwLockReadGuard<'static, Vec<OfPe>> {
    SERVED.read().unwrap_or_else(PoisonError::into_inner)
}

impl Stretch {
    fn holds(&self, at: u64, len: u64) -> Option<usize> {
        let into = at.checked_sub(self.at)?;
        let left = self.len.checked_sub(into)?;
        (len <= left).then(|| self.address + into as usize)
    }
}

// SAFETY: FAR-X4 by SERVED-E1: `resolve` gives addresses within stretches only. The others move bytes by `memory::copy` and atomics.
unsafe impl Memory for Served {
    fn resolve(&self, pe: PeId, at: u64, len: u64, align: u64) -> Option<*mut u8> {
        let served = served();
        let of = served.get(pe.0 as usize)?;
        let address = of.stretches.iter().find_map(|stretch| stretch.holds(at, len))?;
        (len > 0 && (address as u64).is_multiple_of(align.max(1)))
            .then(|| std::ptr::with_exposed_provenance_mut(address))
    }

    fn ring(&self, pe: PeId) {
        let served = served();
        let Some(of) = served.get(pe.0 as usize).filter(|of| !of.stretches.is_empty()) else { return };
        let word = |address: usize| {
            // SAFETY: SERVED-E1: two atomics of that PE's segment.
            unsafe { &*std::ptr::with_exposed_provenance::<AtomicU32>(address) }
        };
        wait::notify(word(of.waiters[0]), word(of.waiters[1]));
    }

    fn gone(&self) {
        SERVED.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(all(test, not(loom), not(miri)))]
mod tests {
    use super::super::FarTarget;
    use super::*;

    #[test]
    fn nothing_but_what_is_served_is_found() {
        let mut words = [0u64; 8];
        let address = words.as_mut_ptr().expose_provenance();
        let [low, high] = [0, FarTarget::STATIC | 16].map(|at| Stretch { at, address, len: 64 });
        let event = [const { AtomicU32::new(0) }; 2];
        let waiters = [0, 1].map(|i| std::ptr::from_ref(&event[i]).expose_provenance());
        // SAFETY: all of it outlives the test, which takes it back.
        unsafe { serve(vec![OfPe::default(), OfPe { stretches: vec![low, high], waiters }]) };
        let find = |pe, at, len, align| Served.resolve(PeId(pe), at, len, align).map(|p| p.addr() - address);
        assert_eq!(find(1, 0, 64, 8), Some(0));
        assert_eq!(find(1, 63, 1, 1), Some(63));
        assert_eq!(find(1, FarTarget::STATIC | 20, 4, 4), Some(4));
        for (pe, at, len, align) in [
            (0, 0, 1, 1),
            (2, 0, 1, 1),
            (u32::MAX, 0, 1, 1),
            (1, 0, 65, 1),
            (1, 64, 1, 1),
            (1, 1, u64::MAX, 1),
            (1, u64::MAX, 1, 1),
            (1, 4, 8, 8),
            (1, 0, 0, 1),
            (1, FarTarget::STATIC | 15, 1, 1),
            (1, FarTarget::STATIC | 80, 1, 1),
        ] {
            assert_eq!(find(pe, at, len, align), None, "{pe} {at:#x} {len} {align}");
        }
        Served.ring(PeId(1));
        Served.ring(PeId(7));
        Served.gone();
        assert_eq!(find(1, 0, 1, 1), None);
    }
}
