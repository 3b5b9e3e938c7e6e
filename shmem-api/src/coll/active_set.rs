//! Active sets (OpenSHMEM 1.6, deprecated collectives): the arguments of a call on one, as the PEs it names.
//!
//! From there on it is a team like any other ([`crate::team::active_set`]).

use crate::call::Call;
use crate::engine::Engine;
use crate::node::mailbox::SETS;
use crate::team::core::TeamCore;
use crate::types::pe_set::PeSet;

/// What every element of a `pSync` is before a call, and after it (`SHMEM_SYNC_VALUE`).
pub const SYNC_VALUE: i64 = 0;
/// Elements of a `pSync` for any call (`SHMEM_SYNC_SIZE`, and the sizes for single calls).
pub const SYNC_SIZE: usize = 32;

/// The set of PEs `start`, `start + 2^log_stride`, ..., `size` of them, of which this PE is one, that meet under `psync`.
/// Ends the job if that cannot be. The first call of a set waits until every member has made its own.
#[inline]
pub(crate) fn active_set(
    call: Call,
    engine: &Engine,
    (start, log_stride, size): (i32, i32, i32),
    psync: *mut i64,
) -> &TeamCore {
    let members = members(call, engine, (start, log_stride, size));
    call.amo_target(psync, engine.me.0 as i32);
    let psync = call.position(psync, 1);
    match engine.sets.find(engine, call.routine, members, psync) {
        Some(core) => core,
        None => call.fail(&format!(
            "this PE is a member of {SETS} active sets that differ in PEs or pSync, and there is no room for more: use \
             the same pSync arrays again, or teams"
        )),
    }
}

#[inline]
fn members(call: Call, engine: &Engine, (start, log_stride, size): (i32, i32, i32)) -> PeSet {
    let inside = (0..31).contains(&log_stride) && size > 0;
    let split = || PeSet::world(engine.n_pes).split(start, 1 << log_stride, size);
    match if inside { split() } else { None } {
        Some(members) if members.rank(engine.me).is_some() => members,
        _ => refuse(call, engine, (start, log_stride, size)),
    }
}

#[cold]
fn refuse(call: Call, engine: &Engine, (start, log_stride, size): (i32, i32, i32)) -> ! {
    let set = format!("the active set of {size} PEs from PE {start}, 2^{log_stride} apart,");
    if size < 1 {
        call.fail(&format!("{set} has no PE: PE_size must be at least 1"));
    }
    if !(0..31).contains(&log_stride) {
        call.fail(&format!("{set} is none: logPE_stride must be 0 to 30"));
    }
    if PeSet::world(engine.n_pes).split(start, 1 << log_stride, size).is_none() {
        call.fail(&format!("{set} does not fit: the job has PEs 0 to {}", engine.n_pes - 1));
    }
    call.fail(&format!("{set} does not contain this PE: only its members may call"));
}
