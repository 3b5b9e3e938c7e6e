//! Contexts and sessions (OpenSHMEM 1.6, 9.5 and 9.10).

use std::ffi::c_int;

use shmem_api::raw::{self, Call, Ctx, CtxSessionConfig, TeamHandle};

/// Stores what was made, for its caller: 0, or 1 if nothing was.
fn made(call: &'static str, ctx: Ctx, to: *mut Ctx) -> c_int {
    // SAFETY: the C program's promise.
    unsafe { Call::new(call).leave(to, ctx) };
    (ctx == Ctx::INVALID).into()
}

export! {
    fn shmem_ctx_create(options: i64, ctx: *mut Ctx) -> c_int {
        // SAFETY: the C program's promise; so for all below.
        made("shmem_ctx_create", unsafe { raw::ctx_create(options) }, ctx)
    }
    fn shmem_team_create_ctx(team: TeamHandle, options: i64, ctx: *mut Ctx) -> c_int {
        // SAFETY: as above.
        made("shmem_team_create_ctx", unsafe { raw::team_create_ctx(team, options) }, ctx)
    }
    fn shmem_ctx_destroy(ctx: Ctx) {
        // SAFETY: as above.
        unsafe { raw::ctx_destroy(ctx) }
    }
    fn shmem_ctx_get_team(ctx: Ctx, team: *mut TeamHandle) -> c_int {
        // SAFETY: as above.
        let of = unsafe { raw::ctx_get_team(ctx) };
        // SAFETY: as above.
        unsafe { Call::new("shmem_ctx_get_team").leave(team, of) };
        (of == TeamHandle::INVALID).into()
    }
    fn shmem_ctx_session_start(ctx: Ctx, options: i64, config: *const CtxSessionConfig, mask: i64) {
        // SAFETY: as above.
        unsafe { raw::ctx_session_start(ctx, options, config, mask) }
    }
    fn shmem_ctx_session_stop(ctx: Ctx) {
        // SAFETY: as above.
        unsafe { raw::ctx_session_stop(ctx) }
    }
}
