//! Contexts and sessions (OpenSHMEM 1.6, 9.5 and 9.10).

use std::ffi::c_int;

use shmem_api::raw::{self, Call, Ctx, CtxSessionConfig, TeamHandle};

/// Stores what was made, for its caller: 0, or 1 if nothing was.
fn made(call: &'static str, ctx: Ctx, to: *mut Ctx) -> c_int {
    // SAFETY: CSKIN-C4.
    unsafe { Call::new(call).leave(to, ctx) };
    (ctx == Ctx::INVALID).into()
}

export! {
    fn shmem_ctx_create(options: i64, ctx: *mut Ctx) -> c_int {
        // SAFETY: CSKIN-C4.
        made("shmem_ctx_create", unsafe { raw::ctx_create(options) }, ctx)
    }
    fn shmem_team_create_ctx(team: TeamHandle, options: i64, ctx: *mut Ctx) -> c_int {
        // SAFETY: CSKIN-C4.
        made("shmem_team_create_ctx", unsafe { raw::team_create_ctx(team, options) }, ctx)
    }
    fn shmem_ctx_destroy(ctx: Ctx) {
        // SAFETY: CSKIN-C4.
        unsafe { raw::ctx_destroy(ctx) }
    }
    fn shmem_ctx_get_team(ctx: Ctx, team: *mut TeamHandle) -> c_int {
        // SAFETY: CSKIN-C4.
        let of = unsafe { raw::ctx_get_team(ctx) };
        // SAFETY: CSKIN-C4.
        unsafe { Call::new("shmem_ctx_get_team").leave(team, of) };
        (of == TeamHandle::INVALID).into()
    }
    fn shmem_ctx_session_start(ctx: Ctx, options: i64, config: *const CtxSessionConfig, mask: i64) {
        // SAFETY: CSKIN-C4.
        unsafe { raw::ctx_session_start(ctx, options, config, mask) }
    }
    fn shmem_ctx_session_stop(ctx: Ctx) {
        // SAFETY: CSKIN-C4.
        unsafe { raw::ctx_session_stop(ctx) }
    }
}
