//! Contexts (OpenSHMEM 1.6, 9.5): streams of operations that are ordered and completed apart from others.
//!
//! On one host every operation is done when its call returns, so nothing of it is left in the context: a
//! context is the team that its PEs are numbered in. Its options are permissions (who may use it, what
//! need not be ordered), and none is made use of here.

use crate::call::Call;
pub use crate::team::contexts::Ctx;
use crate::team::contexts::TeamHandle;
use crate::transport;
use crate::types::pe_set::PeSet;

/// Option of a context: it is never used by two threads at once.
pub const CTX_SERIALIZED: i64 = 1 << 1;
/// Option of a context: only the thread that created it uses it, and destroys it.
pub const CTX_PRIVATE: i64 = 1 << 0;
/// Option of a context: its fence and quiet need not order or complete plain stores.
pub const CTX_NOSTORE: i64 = 1 << 2;
/// Option of a session: its operations may wait for each other and go together.
pub const CTX_SESSION_BATCH: i64 = 1 << 0;
/// Bit of a session's mask: [`CtxSessionConfig::total_ops`] is given.
pub const CTX_SESSION_TOTAL_OPS: i64 = 1 << 0;

/// What is known of a session beforehand (`shmem_ctx_session_config_t`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct CtxSessionConfig {
    /// How many operations it has at most; `usize::MAX`: unknown.
    pub total_ops: usize,
}

/// A context of all PEs, or [`Ctx::INVALID`] if there are 65,534 already (`shmem_ctx_create`). Not collective.
///
/// `options` are any of [`CTX_SERIALIZED`], [`CTX_PRIVATE`] and [`CTX_NOSTORE`]; other bits ask for nothing.
///
/// # Safety
/// The World stays up during the call, which keeps to the thread level.
pub unsafe fn ctx_create(options: i64) -> Ctx {
    let _permissions = options;
    let engine = Call::new("shmem_ctx_create").engine();
    engine
        .contexts
        .with("shmem_ctx_create", |slots| slots.create(TeamHandle::WORLD, PeSet::world(engine.n_pes)))
}

/// As [`ctx_create`], of a team: its PEs are numbered as there (`shmem_team_create_ctx`). [`Ctx::INVALID`] of
/// [`TeamHandle::INVALID`].
///
/// # Safety
/// As there; `team` is a team that lives, or `INVALID`.
pub unsafe fn team_create_ctx(team: TeamHandle, options: i64) -> Ctx {
    let _permissions = options;
    let call = Call::new("shmem_team_create_ctx");
    let engine = call.engine();
    match call.team(team, &engine) {
        Some(core) => engine.contexts.with(call.routine, |slots| slots.create(team, core.members)),
        None => Ctx::INVALID,
    }
}

/// Completes all operations on `ctx`, as quiet does, and destroys it (`shmem_ctx_destroy`). Not collective.
/// [`Ctx::INVALID`]: nothing.
///
/// # Safety
/// As for [`ctx_create`]; no thread uses `ctx` any more, and one made with [`CTX_PRIVATE`] is destroyed by its
/// thread.
pub unsafe fn ctx_destroy(ctx: Ctx) {
    if ctx == Ctx::INVALID {
        return;
    }
    let call = Call::on("shmem_ctx_destroy", ctx);
    let engine = call.engine();
    if ctx == Ctx::DEFAULT {
        call.fail("the default context cannot be destroyed");
    }
    let Some(slot) = ctx.slot() else { call.no_context() };
    transport::quiet(call.stream());
    engine.contexts.with(call.routine, |slots| slots.destroy(ctx, slot));
}

/// The team that `ctx` was made from (`shmem_ctx_get_team`): [`TeamHandle::WORLD`] for the default context and
/// those of [`ctx_create`], [`TeamHandle::INVALID`] for [`Ctx::INVALID`].
///
/// # Safety
/// As for [`ctx_create`].
pub unsafe fn ctx_get_team(ctx: Ctx) -> TeamHandle {
    let call = Call::on("shmem_ctx_get_team", ctx);
    match (ctx, ctx.slot()) {
        (Ctx::INVALID, _) => TeamHandle::INVALID,
        (Ctx::DEFAULT, _) => TeamHandle::WORLD,
        (_, Some(slot)) => slot.team(),
        (_, None) => call.no_context(),
    }
}

/// Begins a session on `ctx`, or adds to the one that is on: a hint that many operations follow, which never
/// changes what they do (`shmem_ctx_session_start`). Here they are done at once, so the hint is not needed.
/// [`Ctx::INVALID`]: nothing.
///
/// # Safety
/// As for [`ctx_create`]; `config` may be null if `mask` is 0.
pub unsafe fn ctx_session_start(ctx: Ctx, _options: i64, config: *const CtxSessionConfig, mask: i64) {
    let call = Call::on("shmem_ctx_session_start", ctx);
    call.check_ctx();
    if mask & CTX_SESSION_TOTAL_OPS != 0 && ctx != Ctx::INVALID {
        call.local("the configuration, of which the mask names a field,", config, 1);
    }
}

/// Ends the session on `ctx`, if one is on; completes and orders nothing (`shmem_ctx_session_stop`).
/// [`Ctx::INVALID`]: nothing.
///
/// # Safety
/// As for [`ctx_create`].
pub unsafe fn ctx_session_stop(ctx: Ctx) {
    Call::on("shmem_ctx_session_stop", ctx).check_ctx();
}
