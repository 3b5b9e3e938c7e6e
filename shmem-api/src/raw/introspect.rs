//! Looking at the heap: how full it is, what lies in it, and names for its bytes that mean the same on every PE.
//! All of it is local. All of it enters the engine, and so asks for what every call of the library does. The books of the spaces that several PEs share are equal on all of them between heap calls.

use std::sync::atomic::Ordering;

use memheap::global::GlobalAddr;
use memheap::map::Row;
use memheap::place::Reach;
use memheap::{Offset, PeId};

use crate::call::Call;
use crate::heap::stats::HeapStats;
use crate::node::hot::HOT;

/// How full the space is that gives `reach`.
///
/// # Safety
/// The World stays up during the call, which keeps to the thread level in force. So for all of this room.
pub unsafe fn heap_stats(reach: Reach) -> HeapStats {
    Call::new("shmemx_heap_stats").engine().stats(reach)
}

/// The blocks of the space that gives `reach`, live and free, as a row of a picture (`memheap::map`).
///
/// # Safety
/// As for [`heap_stats`].
pub unsafe fn heap_row(reach: Reach) -> Row {
    Call::new("shmemx_heap_map").engine().row(reach)
}

/// Where this PE's segment begins: block offsets of [`heap_row`] count from here.
///
/// # Safety
/// As for [`heap_stats`].
pub unsafe fn heap_base() -> *mut u8 {
    Call::new("shmemx_heap_blocks").engine().address(Offset(0))
}

/// The name of the allocator of the space that gives `reach`.
///
/// # Safety
/// As for [`heap_stats`].
pub unsafe fn heap_component(reach: Reach) -> &'static str {
    Call::new("shmemx_heap_component").engine().in_space(reach, memheap::space::Space::component)
}

/// The name of this PE's symmetric address `at` on `pe`: one word, the same on every PE. `None` where `at` is not
/// in the heap, `pe` is no PE, or the heap is too large for such names (1 TiB).
///
/// # Safety
/// As for [`heap_stats`].
pub unsafe fn global(at: *const u8, pe: i32) -> Option<GlobalAddr> {
    let engine = Call::new("shmemx_gaddr").engine();
    let pe = u32::try_from(pe).ok().filter(|pe| *pe < engine.n_pes).map(PeId)?;
    let offset = Offset(at.addr().wrapping_sub(HOT.lo.load(Ordering::Relaxed)) as u64);
    (offset.0 < engine.layout.symmetric.0).then(|| GlobalAddr::new(pe, offset).ok()).flatten()
}

/// The PE a name names, and this PE's symmetric address of the object, as put and get take them. `None` for
/// null and for any other word that names no byte of a heap.
///
/// # Safety
/// As for [`heap_stats`].
pub unsafe fn global_parts(name: GlobalAddr) -> Option<(i32, *mut u8)> {
    let engine = Call::new("shmemx_gaddr").engine();
    let (pe, at) = name.parts()?;
    (pe.0 < engine.n_pes && at.0 < engine.layout.symmetric.0).then(|| (pe.0 as i32, engine.address(at)))
}
