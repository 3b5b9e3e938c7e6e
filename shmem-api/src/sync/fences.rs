//! Order and completion (OpenSHMEM 1.6, 9.10), on one host.
//!
//! A transfer is a copy by the calling PE, so at its return the copy's stores have been issued, and only
//! their order and their visibility to others are left to do:
//!
//! | routine | promise | what it takes | on x86-64 | on a weakly ordered machine |
//! |---|---|---|---|---|
//! | fence | earlier stores are seen before later ones, by each PE | release fence | nothing: stores stay in order | `dmb ishst` or stronger |
//! | quiet | earlier operations are visible to *all* PEs before anything later happens | full fence | one locked instruction | `dmb ish` |
//! | news, sleepers | a change is in memory before the look for sleepers, as a sleeper's mark is before its last look | full fence after a read-modify-write | nothing: that was a locked instruction | `dmb ish` |
//! | wait, test | what was put before the change is seen after it | acquire load | a load | load-acquire |
//!
//! Large copies may use stores that bypass the cache, which x86-64 does not keep in order; the C library's
//! `memcpy` ends such a copy with `sfence` itself.

use std::sync::atomic::Ordering;

use crate::sync::primitives::fence;

/// Orders every earlier load and store of this thread before every later one (quiet, barrier).
///
/// On x86-64 the compiler makes of it a locked instruction on the line at the top of the stack, which this core owns: as
/// strong for ordinary memory as `mfence`, and half the price.
#[inline]
pub(crate) fn full_fence() {
    fence(Ordering::SeqCst);
}

/// As [`full_fence`], right after an atomic read-modify-write. On x86-64 that was a locked instruction, and so a
/// full fence itself: all there is to do is to keep the compiler from moving accesses across it.
#[inline]
pub(crate) fn fence_after_amo() {
    #[cfg(all(target_arch = "x86_64", not(any(miri, loom))))]
    std::sync::atomic::compiler_fence(Ordering::SeqCst);
    #[cfg(any(not(target_arch = "x86_64"), miri, loom))]
    fence(Ordering::SeqCst);
}

/// Orders every earlier store of this thread before every later one (fence).
#[inline]
pub(crate) fn store_fence() {
    fence(Ordering::Release);
}
