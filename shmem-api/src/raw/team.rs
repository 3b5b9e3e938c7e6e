//! Teams (OpenSHMEM 1.6, 9.4), and the synchronising collectives on them (9.9.1 to 9.9.3).
#![allow(dead_code)] // remove as the rooms that use it land

use std::ptr;

use super::Via;
use crate::coll::slip::Kind;
use crate::coll::team::TeamCore;
use crate::engine::Handle;

/// A team, as C has it: a handle local to this PE. It is a number, not an address: what was destroyed is known
/// as such.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct TeamHandle(pub(super) *const ());

// SAFETY: a handle is a number.
unsafe impl Send for TeamHandle {}
// SAFETY: as above.
unsafe impl Sync for TeamHandle {}

impl TeamHandle {
    /// All PEs (`SHMEM_TEAM_WORLD`).
    pub const WORLD: TeamHandle = TeamHandle(ptr::without_provenance(1));
    /// The PEs whose heaps this one can load from and store to (`SHMEM_TEAM_SHARED`).
    pub const SHARED: TeamHandle = TeamHandle(ptr::without_provenance(2));
    /// No team (`SHMEM_TEAM_INVALID`).
    pub const INVALID: TeamHandle = TeamHandle(ptr::null());

    pub(crate) fn of(core: &TeamCore) -> TeamHandle {
        TeamHandle(ptr::without_provenance(core.handle()))
    }

    /// The team it stands for; `None` for [`INVALID`](Self::INVALID). Any other handle that names no team ends
    /// the job.
    pub(super) fn core(self, via: Via, engine: &Handle) -> Option<&TeamCore> {
        if self == TeamHandle::INVALID {
            return None;
        }
        match engine.teams.find(self.0.addr()) {
            None => via.fail(&format!("{:#x} is no team; it may have been destroyed", self.0.addr())),
            team => team,
        }
    }
}

/// Collective over the job: returns when every PE has called it and all operations of every PE on the default
/// context are complete (`shmem_barrier_all`).
///
/// # Safety
/// The World stays up during the call, and the call keeps to the thread level it was brought up at.
pub unsafe fn barrier_all() {
    let engine = Via::new("shmem_barrier_all").engine();
    engine.quiet();
    engine.teams.world().sync_or_end(&engine, Kind::Barrier);
}

/// Collective over the job: returns when every PE has called it; what they stored before is visible
/// (`shmem_sync_all`).
///
/// # Safety
/// As for [`barrier_all`].
pub unsafe fn sync_all() {
    let engine = Via::new("shmem_sync_all").engine();
    engine.teams.world().sync_or_end(&engine, Kind::Sync);
}

/// Collective over the team: returns when every member has called it; what they stored before is visible
/// (`shmem_team_sync`). Returns 0.
///
/// # Safety
/// As for [`barrier_all`]; no other thread is in a collective of this team.
pub unsafe fn team_sync(team: TeamHandle) -> i32 {
    let via = Via::new("shmem_team_sync");
    let engine = via.engine();
    match team.core(via, &engine) {
        Some(core) => core.sync_or_end(&engine, Kind::Sync),
        None => via.fail("the team is SHMEM_TEAM_INVALID"),
    }
    0
}

/// This PE's number in a team (`shmem_team_my_pe`); -1 for [`TeamHandle::INVALID`].
///
/// # Safety
/// As for [`barrier_all`].
pub unsafe fn team_my_pe(team: TeamHandle) -> i32 {
    let via = Via::new("shmem_team_my_pe");
    team.core(via, &via.engine()).map_or(-1, |core| core.rank as i32)
}

/// How many PEs a team has (`shmem_team_n_pes`); -1 for [`TeamHandle::INVALID`].
///
/// # Safety
/// As for [`barrier_all`].
pub unsafe fn team_n_pes(team: TeamHandle) -> i32 {
    let via = Via::new("shmem_team_n_pes");
    team.core(via, &via.engine()).map_or(-1, |core| core.members.size as i32)
}

/// The number in `dest_team` of PE `src_pe` of `src_team` (`shmem_team_translate_pe`); -1 if there is none.
///
/// # Safety
/// As for [`barrier_all`].
pub unsafe fn team_translate_pe(src_team: TeamHandle, src_pe: i32, dest_team: TeamHandle) -> i32 {
    let via = Via::new("shmem_team_translate_pe");
    let engine = via.engine();
    let pe = src_team.core(via, &engine).and_then(|src| src.members.pe(u32::try_from(src_pe).ok()?));
    let rank = pe.and_then(|pe| dest_team.core(via, &engine)?.members.rank(pe));
    rank.map_or(-1, |rank| rank as i32)
}
