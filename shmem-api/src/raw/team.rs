//! Teams (OpenSHMEM 1.6, 9.4), and the synchronising collectives on them (9.9.1 to 9.9.3).

use crate::call::Call;
use crate::error::Error;
use crate::node::signature::Kind;
use crate::process::say::say;
use crate::team::contexts;
pub use crate::team::contexts::TeamHandle;
use crate::team::core::{TeamCore, end};
use crate::team::split::Wish;

/// The field [`TeamConfig::num_contexts`] in a mask (`SHMEM_TEAM_NUM_CONTEXTS`).
pub const TEAM_NUM_CONTEXTS: i64 = 1;

/// What a program wishes of a new team (`shmem_team_config_t`). A mask says which fields count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct TeamConfig {
    /// How many contexts the program means to have of the team at once. Nothing depends on it here: contexts
    /// are as many as there is room for, whatever was announced.
    pub num_contexts: std::ffi::c_int,
}

/// Collective over the job: returns when every PE has called it and all operations of every PE on the default
/// context are complete (`shmem_barrier_all`).
///
/// # Safety
/// The World stays up during the call, and the call keeps to the thread level it was brought up at.
pub unsafe fn barrier_all() {
    let engine = Call::new("shmem_barrier_all").engine();
    engine.quiet();
    engine.teams.world().sync_or_end(&engine, Kind::Barrier);
}

/// Collective over the job: returns when every PE has called it; what they stored before is visible
/// (`shmem_sync_all`).
///
/// # Safety
/// As for [`barrier_all`].
pub unsafe fn sync_all() {
    let engine = Call::new("shmem_sync_all").engine();
    engine.teams.world().sync_or_end(&engine, Kind::Sync);
}

/// Collective over the team: returns when every member has called it; what they stored before is visible
/// (`shmem_team_sync`). Returns 0.
///
/// # Safety
/// As for [`barrier_all`]; no other thread is in a collective of this team.
pub unsafe fn team_sync(team: TeamHandle) -> i32 {
    let call = Call::new("shmem_team_sync");
    let engine = call.engine();
    match call.team(team, &engine) {
        Some(core) => core.sync_or_end(&engine, Kind::Sync),
        None => call.fail("the team is SHMEM_TEAM_INVALID"),
    }
    0
}

/// This PE's number in a team (`shmem_team_my_pe`); -1 for [`TeamHandle::INVALID`].
///
/// # Safety
/// As for [`barrier_all`].
pub unsafe fn team_my_pe(team: TeamHandle) -> i32 {
    let call = Call::new("shmem_team_my_pe");
    call.team(team, &call.engine()).map_or(-1, |core| core.rank as i32)
}

/// How many PEs a team has (`shmem_team_n_pes`); -1 for [`TeamHandle::INVALID`].
///
/// # Safety
/// As for [`barrier_all`].
pub unsafe fn team_n_pes(team: TeamHandle) -> i32 {
    let call = Call::new("shmem_team_n_pes");
    call.team(team, &call.engine()).map_or(-1, |core| core.members.size as i32)
}

/// The number in `dest_team` of PE `src_pe` of `src_team` (`shmem_team_translate_pe`); -1 if there is none.
///
/// # Safety
/// As for [`barrier_all`].
pub unsafe fn team_translate_pe(src_team: TeamHandle, src_pe: i32, dest_team: TeamHandle) -> i32 {
    let call = Call::new("shmem_team_translate_pe");
    let engine = call.engine();
    let pe = call.team(src_team, &engine).and_then(|src| src.members.pe(u32::try_from(src_pe).ok()?));
    let rank = pe.and_then(|pe| call.team(dest_team, &engine)?.members.rank(pe));
    rank.map_or(-1, |rank| rank as i32)
}

/// Collective over `parent`: makes the team of its PEs `start`, `start + stride`, ..., `size` of them, numbered in
/// that order (`shmem_team_split_strided`). A PE that is none of them gets [`TeamHandle::INVALID`].
///
/// Returns 0, or, with [`TeamHandle::INVALID`], the same other number on every PE of the parent: if `parent` is
/// `INVALID`, if the triplet does not name different PEs of it, if the PEs gave different ones, if the
/// configuration differs between members, or if no team slot is free on all members. The lowest PE says which.
/// Parent and child may be used at once.
///
/// # Safety
/// As for [`team_sync`]; `new_team` is writable, and `config` readable, or null where the mask is 0.
pub unsafe fn team_split_strided(
    parent: TeamHandle,
    start: i32,
    stride: i32,
    size: i32,
    config: *const TeamConfig,
    config_mask: i64,
    new_team: *mut TeamHandle,
) -> i32 {
    let call = Call::new("shmem_team_split_strided");
    let engine = call.engine();
    call.can_leave(new_team);
    // SAFETY: RAW-R2: it is readable where the mask has a bit.
    let wish = unsafe { wish(config, config_mask) };
    let made = match call.team(parent, &engine) {
        Some(core) => core
            .split_strided(&engine, &engine.teams, (start, stride, size), wish)
            .map_err(|e| complain(call, core, &e)),
        None => Err(REFUSED),
    };
    let (code, made) = made.map_or_else(|code| (code, None), |team| (0, team));
    let handle = made.map_or(TeamHandle::INVALID, |core| TeamHandle::of(engine.teams.list(core)));
    // SAFETY: RAW-R2: there is room for it, which `can_leave` has looked at.
    unsafe { call.leave(new_team, handle) };
    code
}

/// Collective over `parent`: lays its PEs out in rows of `xrange`, and makes a team of each row and of each column;
/// this PE gets its own of each (`shmem_team_split_2d`). An `xrange` above the parent's size is that size; the
/// last row may be short.
///
/// Returns as [`team_split_strided`] does; after a failure both handles are [`TeamHandle::INVALID`] on all PEs.
/// Configurations must agree among the members of one new team only.
///
/// # Safety
/// As there, for both configurations and both new teams.
#[allow(clippy::too_many_arguments, reason = "the standard's arguments")]
pub unsafe fn team_split_2d(
    parent: TeamHandle,
    xrange: i32,
    xaxis_config: *const TeamConfig,
    xaxis_mask: i64,
    xaxis_team: *mut TeamHandle,
    yaxis_config: *const TeamConfig,
    yaxis_mask: i64,
    yaxis_team: *mut TeamHandle,
) -> i32 {
    let call = Call::new("shmem_team_split_2d");
    let engine = call.engine();
    call.can_leave(xaxis_team);
    call.can_leave(yaxis_team);
    // SAFETY: RAW-R2: it is readable where the mask has a bit.
    let x = unsafe { wish(xaxis_config, xaxis_mask) };
    // SAFETY: RAW-R2: it is readable where the mask has a bit.
    let y = unsafe { wish(yaxis_config, yaxis_mask) };
    let made = match call.team(parent, &engine) {
        Some(core) => {
            core.split_2d(&engine, &engine.teams, xrange, [x, y]).map_err(|e| complain(call, core, &e))
        }
        None => Err(REFUSED),
    };
    let (code, made) = made.map_or_else(|code| (code, [None, None]), |teams| (0, teams));
    let handle = |core| TeamHandle::of(engine.teams.list(core));
    let [x, y] = made.map(|team| team.map_or(TeamHandle::INVALID, handle));
    // SAFETY: RAW-R2: there is room for it, which `can_leave` has looked at.
    unsafe { call.leave(xaxis_team, x) };
    // SAFETY: RAW-R2: there is room for it, which `can_leave` has looked at.
    unsafe { call.leave(yaxis_team, y) };
    code
}

/// Writes what the team was made with to the fields of `config` that the mask names (`shmem_team_get_config`), and
/// returns 0; for [`TeamHandle::INVALID`] it writes nothing and returns another number.
///
/// # Safety
/// As for [`barrier_all`]; `config` is writable, or null where the mask is 0.
pub unsafe fn team_get_config(team: TeamHandle, config_mask: i64, config: *mut TeamConfig) -> i32 {
    let call = Call::new("shmem_team_get_config");
    let engine = call.engine();
    let Some(core) = call.team(team, &engine) else {
        return REFUSED;
    };
    if config_mask & TEAM_NUM_CONTEXTS != 0 {
        // SAFETY: RAW-R2: there is room for it, which `can_leave` has looked at.
        unsafe { call.leave(config, TeamConfig { num_contexts: core.num_contexts }) };
    }
    0
}

/// Collective over the team: ends it, with the contexts made of it, whose operations are completed
/// (`shmem_team_destroy`). [`TeamHandle::INVALID`]: nothing. A predefined team cannot be destroyed.
///
/// # Safety
/// As for [`team_sync`]; nobody uses the team any more on this PE, or its contexts.
pub unsafe fn team_destroy(team: TeamHandle) {
    let call = Call::new("shmem_team_destroy");
    let engine = call.engine();
    let Some(core) = call.team(team, &engine) else { return };
    if team == TeamHandle::WORLD || team == TeamHandle::SHARED {
        call.fail("a predefined team cannot be destroyed");
    }
    engine.quiet();
    if let Err(diverged) = core.sync(&engine, Kind::Destroy) {
        end(&engine, &diverged);
    }
    contexts::destroy_all_of(&engine.contexts, team);
    // SAFETY: by RAW-R4 and TEAM-D1 this is the last use of it.
    let core = unsafe { engine.teams.listed().take(usize::from(core.slot)) };
    core.into_iter().for_each(|core| engine.teams.destroy(core));
}

/// What a split returns that makes no team.
const REFUSED: i32 = 1;

/// What `config` asks for.
///
/// # Safety
/// It is readable, or null.
unsafe fn wish(config: *const TeamConfig, mask: i64) -> Wish {
    if mask & TEAM_NUM_CONTEXTS == 0 {
        return Some(0);
    }
    // SAFETY: not null, so readable (RAW-R2).
    (!config.is_null()).then(|| unsafe { config.read_unaligned() }.num_contexts)
}

/// One line from the team's first PE.
#[cold]
fn complain(call: Call, parent: &TeamCore, error: &Error) -> i32 {
    if parent.rank == 0 {
        say(&format!("{}: {error}", call.routine));
    }
    REFUSED
}
