//! What the library has beside the standard (shmemx.h): the heap's figures and picture, allocation by reach and
//! nearness, global addresses.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr;

use shmem_api::Near;
use shmem_api::Reach;
use shmem_api::memheap::component::BlockState;
use shmem_api::memheap::global::GlobalAddr;
use shmem_api::memheap::{Align, PeId, map};
use shmem_api::raw::{self, Call, TeamHandle, ops};

/// `shmemx_heap_stats_t`.
#[repr(C)]
struct Stats {
    total: usize,
    free: usize,
    largest: usize,
    live_bytes: usize,
    live_blocks: usize,
    high_water: usize,
}

/// The reach that C's number stands for.
fn reach(number: c_int) -> Option<Reach> {
    Reach::ALL.into_iter().find(|reach| *reach as c_int == number)
}

/// Why nothing is given out: one line.
fn refuse(call: Call, why: &str) -> *mut c_void {
    call.say(why);
    ptr::null_mut()
}

/// Null, or one of the names of allocators, which are text without a NUL.
fn c_name(name: &str) -> *const c_char {
    const NAMES: [&CStr; 3] = [c"ptmalloc", c"buddy", c"other"];
    NAMES.iter().find(|n| n.to_str() == Ok(name)).unwrap_or(&NAMES[2]).as_ptr()
}

/// Calls `visit` for each block of the space, in the order of their addresses.
type Visit = unsafe extern "C" fn(arg: *mut c_void, block: *mut c_void, bytes: usize, live: c_int);

export! {
    fn shmemx_heap_stats(of: c_int, stats: *mut Stats) -> c_int {
        let call = Call::new("shmemx_heap_stats");
        call.can_leave(stats);
        let Some(of) = reach(of) else { return 1 };
        // SAFETY: CSKIN-C4.
        let now = unsafe { raw::heap_stats(of) };
        let stats_now = Stats {
            total: now.total.0 as usize,
            free: now.room.free.0 as usize,
            largest: now.room.largest.0 as usize,
            live_bytes: now.figures.live_bytes.0 as usize,
            live_blocks: now.figures.live_blocks as usize,
            high_water: now.figures.high_water.0 as usize,
        };
        // SAFETY: CSKIN-C4.
        unsafe { call.leave(stats, stats_now) };
        0
    }
    fn shmemx_heap_component(of: c_int) -> *const c_char {
        // SAFETY: CSKIN-C4.
        reach(of).map_or(ptr::null(), |of| c_name(unsafe { raw::heap_component(of) }))
    }
    fn shmemx_heap_blocks(of: c_int, visit: Option<Visit>, arg: *mut c_void) -> c_int {
        let Some(visit) = visit else { Call::new("shmemx_heap_blocks").fail("the function to call is NULL") };
        let Some(of) = reach(of) else { return 1 };
        // Taken down first, so that the visitor may call the heap.
        // SAFETY: CSKIN-C4.
        let row = unsafe { raw::heap_row(of) };
        // SAFETY: CSKIN-C4.
        let base = unsafe { raw::heap_base() };
        for block in row.blocks {
            let at = base.wrapping_add(block.at.0 as usize).cast();
            // SAFETY: CSKIN-C4.
            unsafe { visit(arg, at, block.len.0 as usize, (block.state == BlockState::Live).into()) };
        }
        0
    }
    fn shmemx_heap_map(of: c_int, columns: c_uint, text: *mut c_char, room: usize) -> usize {
        if room > 0 {
            Call::new("shmemx_heap_map").can_leave(text);
        }
        let Some(of) = reach(of) else { return 0 };
        // SAFETY: CSKIN-C4.
        let picture = map::text(&[unsafe { raw::heap_row(of) }], columns);
        if room > 0 {
            let n = picture.len().min(room - 1);
            // SAFETY: CSKIN-C4.
            unsafe { text.cast::<u8>().copy_from_nonoverlapping(picture.as_ptr(), n) };
            // SAFETY: CSKIN-C4.
            unsafe { text.wrapping_add(n).write(0) };
        }
        picture.len()
    }

    fn shmemx_gaddr(addr: *const c_void, pe: c_int) -> u64 {
        // SAFETY: CSKIN-C4.
        unsafe { raw::global(addr.cast(), pe) }.map_or(0, GlobalAddr::to_bits)
    }
    fn shmemx_gaddr_pe(name: u64) -> c_int {
        // SAFETY: CSKIN-C4.
        unsafe { raw::global_parts(GlobalAddr::from_bits(name)) }.map_or(-1, |(pe, _)| pe)
    }
    fn shmemx_gaddr_addr(name: u64) -> *mut c_void {
        // SAFETY: CSKIN-C4.
        unsafe { raw::global_parts(GlobalAddr::from_bits(name)) }.map_or(ptr::null_mut(), |(_, at)| at.cast())
    }
    fn shmemx_gaddr_ptr(name: u64) -> *mut c_void {
        // SAFETY: CSKIN-C4.
        let parts = unsafe { raw::global_parts(GlobalAddr::from_bits(name)) };
        parts.map_or(ptr::null_mut(), |(pe, at)| {
            // SAFETY: CSKIN-C4.
            unsafe { raw::ptr(at, pe) }.cast()
        })
    }
}

called_from! {
    "r9" shmemx_malloc_at(
        call, site, alignment: usize, size: usize, of: c_int, near: c_int, which: c_int
    ) -> *mut c_void = {
        let Some(align) = Align::new(alignment as u64) else {
            return refuse(call, &format!("the alignment is {alignment}: it must be a power of two"));
        };
        let Some(of) = reach(of) else {
            return refuse(call, &format!("{of} is no reach: use one of the SHMEMX_REACH constants"));
        };
        let near = match (near, u32::try_from(which)) {
            (0, _) => Near::Any,
            (1, Ok(pe)) if pe < raw::n_pes() as u32 => Near::Pe(PeId(pe)),
            (2, Ok(node)) => Near::Numa(node),
            (3, _) => Near::Interleave,
            _ => return refuse(call, &format!("near is {near} and which {which}: near is one of the SHMEMX_NEAR constants, and which a PE or a NUMA node")),
        };
        ops::alloc(call, site, size, align, of, near).cast()
    };
    "rdx" shmemx_team_malloc(call, site, team: TeamHandle, size: usize) -> *mut c_void = {
        let of = match team {
            TeamHandle::WORLD => Reach::World,
            TeamHandle::SHARED => Reach::Host,
            _ => return refuse(call, "only SHMEM_TEAM_WORLD and SHMEM_TEAM_SHARED have a heap of their own"),
        };
        ops::alloc(call, site, size, Align::DEFAULT, of, Near::Any).cast()
    };
}
