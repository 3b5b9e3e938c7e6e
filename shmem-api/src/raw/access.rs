//! What is reachable, and by which address (OpenSHMEM 1.6, 9.1).
//!
//! On one host every PE's heap is mapped here, so every symmetric object has an address that ordinary loads and
//! stores may use. A static of a PE that runs another executable has none.

use std::ptr;
use std::sync::atomic::Ordering;

use memheap::PeId;

use crate::call::Call;
use crate::engine::Engine;
use crate::node::hot::HOT;
use crate::node::static_data::StaticPlace;
use crate::team::contexts::TeamHandle;

/// The address by which this PE loads from and stores to `dest` of `pe`, or null if `dest` is not symmetric
/// or that PE runs another executable (`shmem_ptr`). It is no symmetric address, and is good until the object is
/// freed or the library comes down.
///
/// # Safety
/// The World stays up during the call.
pub unsafe fn ptr(dest: *const u8, pe: i32) -> *mut u8 {
    let call = Call::new("shmem_ptr");
    let pe = call.pe(pe);
    address(&call.engine(), dest, PeId(pe.number())).flatten().unwrap_or(ptr::null_mut())
}

/// As [`ptr`](fn@ptr), with the PE's number in `team`; null for [`TeamHandle::INVALID`] (`shmem_team_ptr`).
///
/// # Safety
/// As for [`ptr`](fn@ptr); `team` is a team that has not been destroyed, or one of the constants.
pub unsafe fn team_ptr(team: TeamHandle, dest: *const u8, pe: i32) -> *mut u8 {
    let call = Call::new("shmem_team_ptr");
    let engine = call.engine();
    let Some(team) = call.team(team, &engine) else {
        return ptr::null_mut();
    };
    match u32::try_from(pe).ok().and_then(|rank| team.members.pe(rank)) {
        Some(pe) => address(&engine, dest, pe).flatten().unwrap_or(ptr::null_mut()),
        None => call.fail(&format!("there is no PE {pe}; the team has PEs 0 to {}", team.members.size - 1)),
    }
}

/// Whether the calls of this module reach the object at `addr` on `pe`: 1 if `addr` is symmetric there, else 0
/// (`shmem_addr_accessible`).
///
/// # Safety
/// As for [`ptr`](fn@ptr).
pub unsafe fn addr_accessible(addr: *const u8, pe: i32) -> i32 {
    let engine = Call::new("shmem_addr_accessible").engine();
    i32::from(number(engine.n_pes, pe).is_some_and(|pe| address(&engine, addr, pe).is_some()))
}

/// Whether `pe` is a PE of this job: 1, else 0 (`shmem_pe_accessible`). One that runs another executable is:
/// its heap is symmetric; what of its statics is, [`addr_accessible`] says.
pub fn pe_accessible(pe: i32) -> i32 {
    // No more than the hot words: a thread may ask while another takes the library down.
    let _up = Call::new("shmem_pe_accessible").engine();
    i32::from(number(HOT.n_pes.load(Ordering::Relaxed), pe).is_some())
}

fn number(n_pes: u32, pe: i32) -> Option<PeId> {
    u32::try_from(pe).ok().filter(|pe| *pe < n_pes).map(PeId)
}

/// Whether the byte at this PE's symmetric address `at` is there for `pe`, and where in this process, if it is mapped.
fn address(engine: &Engine, at: *const u8, pe: PeId) -> Option<Option<*mut u8>> {
    let offset = at.addr().wrapping_sub(engine.peers[engine.me.0 as usize].heap.addr());
    if (offset as u64) < engine.layout.symmetric.0 {
        let base = engine.peers[pe.0 as usize].heap;
        return Some((!base.is_null()).then(|| base.wrapping_add(offset)));
    }
    match engine.statics.find(at.addr(), 1).ok()?.place(pe) {
        StaticPlace::Mapped(at) => Some(Some(at)),
        StaticPlace::Far => Some(None),
        StaticPlace::Absent => None,
    }
}
