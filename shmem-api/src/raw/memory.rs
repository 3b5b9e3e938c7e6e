//! The symmetric heap's calls (OpenSHMEM 1.6, 9.3).

use std::panic::Location;
use std::sync::atomic::Ordering;

use memheap::place::{Near, Reach};
use memheap::{Align, Bytes, Offset};

use super::Via;
use crate::engine::{HOT, Handle};
use crate::error::Error;
use crate::exit;
use crate::heap::Fresh;

/// Collective: `size` bytes aligned for any type, on every PE; null on every PE if there is no room or
/// the PEs asked for different things, with one line on standard error. Size 0: null, no barrier.
///
/// # Safety
/// The World stays up during the call, and the call keeps to the thread level it was brought up at.
#[track_caller]
pub unsafe fn malloc(size: usize) -> *mut u8 {
    // SAFETY: by contract.
    unsafe { align(Align::DEFAULT.bytes() as usize, size) }
}

/// Collective: as [`malloc`], at a multiple of `align`, which must be a power of two.
///
/// # Safety
/// As for [`malloc`].
#[track_caller]
pub unsafe fn align(align: usize, size: usize) -> *mut u8 {
    let engine = Via::new("shmem_malloc").engine();
    if size == 0 {
        return std::ptr::null_mut();
    }
    let block = match Align::new(align as u64) {
        Some(align) => engine.alloc(Bytes(size as u64), align, Reach::World, Near::Any, Location::caller()),
        None => Err(engine.refuse_align(Bytes(size as u64), align as u64)),
    };
    address(engine, block)
}

/// Hint of [`malloc_with_hints`]: the block is for remote atomics.
pub const MALLOC_ATOMICS_REMOTE: u64 = 1 << 0;
/// Hint of [`malloc_with_hints`]: the block is for remote signals.
pub const MALLOC_SIGNAL_REMOTE: u64 = 1 << 1;

/// Collective: as [`malloc`]. Hints say what the block is for; both that there are ask for memory that
/// every PE reaches with atomics, which all of [`Reach::World`] is. Unknown bits are hints, too: ignored.
///
/// # Safety
/// As for [`malloc`].
#[track_caller]
pub unsafe fn malloc_with_hints(size: usize, _hints: u64) -> *mut u8 {
    // SAFETY: by contract.
    unsafe { malloc(size) }
}

/// `size` bytes at a multiple of `align_to`, from memory that `reach` can reach, near whom `near` names.
/// Collective over the PEs that `reach` names: local for [`Reach::Pe`]. Null with one line on standard error
/// if it cannot be had; null for size 0, without a barrier.
///
/// # Safety
/// As for [`malloc`].
#[track_caller]
pub unsafe fn alloc(size: usize, align_to: Align, reach: Reach, near: Near) -> *mut u8 {
    let engine = Via::new("shmemx_alloc").engine();
    let size = Bytes(size as u64);
    if size.0 == 0 {
        return std::ptr::null_mut();
    }
    let block = match reach {
        Reach::Pe => engine.alloc_local(size, align_to, near),
        _ => engine.alloc(size, align_to, reach, near, Location::caller()),
    };
    address(engine, block)
}

/// Where a block is, or null and one line.
fn address(engine: Handle, block: Result<Fresh, Error>) -> *mut u8 {
    match block {
        Ok(block) => engine.own(block.at),
        Err(e) => {
            exit::say(&e.to_string());
            std::ptr::null_mut()
        }
    }
}

/// Collective: frees a block of [`malloc`] (local for one of [`Reach::Pe`]). Null: nothing, and no barrier.
///
/// # Errors
/// On every PE alike: the PEs differ, or the address is not the start of a live block. Nothing has changed.
///
/// # Safety
/// Nobody uses the block any more, on any PE, and it was not handed out by the safe API; the World stays
/// up during the call, and the call keeps to its thread level.
pub unsafe fn free(block: *mut u8) -> Result<(), Error> {
    if block.is_null() {
        return Ok(());
    }
    let engine = Via::new("shmem_free").engine();
    let at = (block as usize).wrapping_sub(HOT.lo.load(Ordering::Relaxed)) as u64;
    if engine.layout.window(Reach::Pe).0.0 <= at && at < engine.layout.internals.0 {
        return engine.free_local(Offset(at)).map(drop).map_err(|why| Error::Free { pe: engine.me, why });
    }
    // Outside the heap, addresses of one object differ from PE to PE: all of them mean "not ours".
    let at = if at < engine.layout.symmetric.0 { at } else { u64::MAX };
    engine.free(Offset(at)).map(drop)
}
