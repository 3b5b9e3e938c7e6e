//! The standard's calls as functions on pointers, for experts and for the C library.
//!
//! Every call checks what it is given before it touches memory; a bad argument ends the job with one
//! line that names PE, call and argument. The check costs a compare and a branch: the engine's hot
//! words are zero while the library is down, so the PE check is the "initialised?" check as well.
#![allow(unsafe_code)]

use std::panic::Location;
use std::sync::atomic::Ordering;

use memheap::place::{Near, Reach};
use memheap::{Align, Bytes, Offset, PeId};

use crate::copy;
use crate::engine::{Engine, HOT, Handle};
use crate::error::Error;
use crate::exit;
use crate::heap::{Fresh, Heap};

/// This PE's number, or -1 while the library is down.
pub fn my_pe() -> i32 {
    if n_pes() == 0 { -1 } else { HOT.me.load(Ordering::Relaxed) as i32 }
}

/// How many PEs there are; 0 while the library is down.
pub fn n_pes() -> i32 {
    HOT.n_pes.load(Ordering::Relaxed) as i32
}

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
    let engine = engine("shmem_malloc");
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
    let engine = engine("shmemx_alloc");
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
    let engine = engine("shmem_free");
    let at = (block as usize).wrapping_sub(HOT.lo.load(Ordering::Relaxed)) as u64;
    if engine.layout.window(Reach::Pe).0.0 <= at && at < engine.layout.internals.0 {
        return engine.free_local(Offset(at)).map(drop).map_err(|why| Error::Free { pe: engine.me, why });
    }
    // Outside the heap, addresses of one object differ from PE to PE: all of them mean "not ours".
    let at = if at < engine.layout.symmetric.0 { at } else { u64::MAX };
    engine.free(Offset(at)).map(drop)
}

/// Copies `n` bytes to `dest` (symmetric) on `pe`. An aligned put of 1, 2, 4 or 8 bytes is one store.
///
/// # Safety
/// `src` is readable for `n` bytes; `dest` lies in a live block, does not overlap it, and writing it on
/// `pe` races with no Rust reference there. The World stays up during the call.
#[inline]
pub unsafe fn putmem(dest: *mut u8, src: *const u8, n: usize, pe: i32) {
    let to = place("shmem_putmem", dest as usize, n, pe);
    // SAFETY: `place` checked the target; the source is the caller's promise.
    unsafe { copy::bytes_put(to, src, n) }
}

/// Copies `n` bytes from `src` (symmetric) on `pe` to `dest`.
///
/// # Safety
/// `dest` is writable for `n` bytes and does not overlap `src`, which no Rust reference on `pe` writes
/// meanwhile. The World stays up during the call.
#[inline]
pub unsafe fn getmem(dest: *mut u8, src: *const u8, n: usize, pe: i32) {
    let from = place("shmem_getmem", src as usize, n, pe);
    // SAFETY: `place` checked the source; the target is the caller's promise.
    unsafe { copy::bytes_get(dest, from, n) }
}

/// Where `n` bytes at this PE's symmetric address `at` are for `pe`, as mapped in this process.
#[inline]
fn place(call: &'static str, at: usize, n: usize, pe: i32) -> *mut u8 {
    if pe as u32 >= HOT.n_pes.load(Ordering::Relaxed) {
        bad_pe(call, pe);
    }
    let offset = at.wrapping_sub(HOT.lo.load(Ordering::Relaxed));
    let len = HOT.len.load(Ordering::Relaxed);
    if offset > len || len - offset < n {
        return slow_place(call, at, n, PeId(pe as u32));
    }
    let entry = HOT.peers.load(Ordering::Relaxed).wrapping_add(pe as usize);
    // SAFETY: the table has an entry for each of the PEs, which `pe` is one of (N2).
    let peer = unsafe { entry.read() };
    peer.heap.wrapping_add(offset)
}

#[cold]
#[inline(never)]
fn bad_pe(call: &str, pe: i32) -> ! {
    let engine = engine(call);
    let last = engine.n_pes - 1;
    fail(engine, format!("{call}: there is no PE {pe}; the job has PEs 0 to {last}"))
}

/// An address that the quick check did not pass: a static, or a bad one. While the heap is checked, the
/// quick check passes none, and this one asks the book of live blocks.
#[cold]
#[inline(never)]
fn slow_place(call: &str, at: usize, n: usize, pe: PeId) -> *mut u8 {
    let engine = engine(call);
    let lo = HOT.lo.load(Ordering::Relaxed);
    let (offset, heap) = (at.wrapping_sub(lo) as u64, engine.layout.symmetric);
    if offset <= heap.0 && heap.0 - offset >= n as u64 {
        let checked = |h: &mut Heap| h.guards.check_access(Offset(offset), n as u64);
        if n > 0
            && let Err(what) = engine.heap.with(checked)
        {
            fail(engine, format!("{call}: {what}"));
        }
        return engine.peers[pe.0 as usize].heap.wrapping_add(offset as usize);
    }
    match engine.statics.find(at, n).map(|found| found.place(pe)) {
        Ok(Some(place)) => place,
        Ok(None) => {
            fail(engine, format!("{call}: PE {pe} runs another executable and has no static at {at:#x}"))
        }
        Err(why) => {
            fail(engine, format!("{call}: {n} bytes at {at:#x}: {why} (the heap is {heap} at {lo:#x})"))
        }
    }
}

fn fail(engine: Handle, what: String) -> ! {
    exit::end_job(&engine, exit::PANICKED, &format!("PE {}: {what}", engine.me))
}

/// The engine, or the end of a process that calls without one.
fn engine(call: &str) -> Handle {
    Engine::current().unwrap_or_else(|| {
        exit::say(&format!("{call}: the library is not up: it was called before init or after finalize"));
        exit::leave_now(exit::PANICKED)
    })
}
