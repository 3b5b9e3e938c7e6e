//! Contexts (OpenSHMEM 1.6, 9.5): streams of operations that are ordered and completed apart from others.
//!
//! On one host every operation is done when its call returns, so nothing of it is left in the context: a
//! context is the team that its PEs are numbered in. Its options are permissions (who may use it, what
//! need not be ordered), and none is made use of here.
//!
//! ```text
//!   handle  │ how often the slot was used │ slot (16 bits) │      0: no context   1: the default context
//!                                            │
//!   slots   [ - | - | handle, team | free ──┼──► free | handle, team | never used ... ]   64 bytes each
//! ```
//!
//! Invariants: **V1** the slots are never unmapped, and a slot holds the handle of its context while that
//! lives: a handle that its slot does not hold stands for no context. So one that was destroyed, one of a
//! library that was finalized, and a number that never was a handle are all found out by one comparison.
//! **V3** slots are given and taken back within the engine's [`Serial`](crate::exit::serial::Serial) only.
#![allow(unsafe_code)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering::Relaxed};

use crate::engine::Engine;
use crate::sync::fences;
use crate::types::pe_set::PeSet;

use crate::call::Call;
use crate::raw::team::TeamHandle;

/// A context: a handle local to this PE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Ctx(usize);

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

/// How many slots there are; the first two stand for no context and the default one.
const SLOTS: usize = 1 << 16;

static POOL: OnceLock<Box<[Slot; SLOTS]>> = OnceLock::new();

/// Room for a context. Atomics, since a handle is looked up without any lock.
#[derive(bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Slot {
    /// Of the context that lives here, or 0.
    handle: AtomicUsize,
    start: AtomicU32,
    stride: AtomicU32,
    size: AtomicU32,
    /// The next free slot, or 0.
    next: AtomicU32,
    team: AtomicPtr<()>,
    uses: AtomicUsize,
}

/// Which slots are free, in this start of the library.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    /// The last one that was given back, or 0.
    free: u32,
    /// As many as ever were in use at once. Those above were not used in this start.
    used: u32,
}

impl Ctx {
    /// The context of all calls that name none (`SHMEM_CTX_DEFAULT`).
    pub const DEFAULT: Ctx = Ctx(1);
    /// No context (`SHMEM_CTX_INVALID`).
    pub const INVALID: Ctx = Ctx(0);

    /// Where it lives; `None` for the default context and for what is none.
    #[inline]
    fn slot(self) -> Option<&'static Slot> {
        let slot = &POOL.get()?[self.0 % SLOTS];
        (slot.handle.load(Relaxed) == self.0 && self != Ctx::INVALID).then_some(slot)
    }

    /// The PEs of its team; `None` for the default context and for what is none.
    #[inline]
    pub(crate) fn members(self) -> Option<PeSet> {
        let slot = self.slot()?;
        let (start, size) = (slot.start.load(Relaxed), slot.size.load(Relaxed));
        Some(PeSet { start, stride: slot.stride.load(Relaxed) as i32, size })
    }
}

impl Slots {
    /// A context of `team`; none if all slots are taken.
    fn create(&mut self, team: TeamHandle, members: PeSet) -> Ctx {
        let pool = POOL.get_or_init(bytemuck::zeroed_box);
        let index = match self.free {
            0 if self.used as usize + 2 == SLOTS => return Ctx::INVALID,
            0 => {
                self.used += 1;
                self.used + 1
            }
            free => free,
        };
        let slot = &pool[index as usize % SLOTS];
        if index == self.free {
            self.free = slot.next.load(Relaxed);
        }
        let uses = slot.uses.load(Relaxed) + 1;
        slot.uses.store(uses, Relaxed);
        slot.start.store(members.start, Relaxed);
        slot.stride.store(members.stride as u32, Relaxed);
        slot.size.store(members.size, Relaxed);
        slot.team.store(team.0.cast_mut(), Relaxed);
        let handle = uses * SLOTS + index as usize;
        slot.handle.store(handle, Relaxed);
        Ctx(handle)
    }

    fn destroy(&mut self, ctx: Ctx, slot: &Slot) {
        slot.handle.store(0, Relaxed);
        slot.next.store(self.free, Relaxed);
        self.free = (ctx.0 % SLOTS) as u32;
    }

    /// Destroys all that `doomed` says of their teams.
    fn destroy_where(&mut self, doomed: impl Fn(TeamHandle) -> bool) {
        let Some(pool) = POOL.get() else { return };
        for slot in &pool[2..2 + self.used as usize] {
            let handle = slot.handle.load(Relaxed);
            if handle != 0 && doomed(TeamHandle(slot.team.load(Relaxed))) {
                self.destroy(Ctx(handle), slot);
            }
        }
    }
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
    match team.core(call, &engine) {
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
    fences::full_fence();
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
        (_, Some(slot)) => TeamHandle(slot.team.load(Relaxed)),
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

/// Completes and destroys the contexts of a team that is being destroyed.
pub(crate) fn destroy_all_of(engine: &Engine, team: TeamHandle) {
    engine.contexts.with("the end of a team", |slots| slots.destroy_where(|of| of == team));
}

/// Destroys every context, when the library goes down.
pub(crate) fn destroy_all(engine: &Engine) {
    engine.contexts.with("finalize", |slots| slots.destroy_where(|_| true));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_stands_for_one_context_ever() {
        let mut slots = Slots::default();
        let members = PeSet { start: 5, stride: -2, size: 3 };
        let mut seen = std::collections::HashSet::new();
        let mut live = Vec::new();
        for round in 0..1000 {
            for _ in 0..round % 7 {
                let ctx = slots.create(TeamHandle::WORLD, members);
                assert!(seen.insert(ctx.0) && ctx.members() == Some(members));
                live.push(ctx);
            }
            for _ in 0..round % 5 {
                let Some(ctx) = (!live.is_empty()).then(|| live.remove(round % live.len())) else { break };
                slots.destroy(ctx, ctx.slot().unwrap());
                assert_eq!(ctx.members(), None);
            }
        }
        assert!(live.iter().all(|ctx| ctx.members() == Some(members)));
        assert!(seen.iter().filter(|h| Ctx(**h).members().is_some()).count() == live.len());
        for number in [0, 1, 2, 77, usize::MAX, seen.iter().max().unwrap() + SLOTS] {
            assert_eq!(Ctx(number).members(), None);
        }
        // All that there are, and then no more; each of them is another.
        while let Some(ctx) = Some(slots.create(TeamHandle::SHARED, members)).filter(|c| *c != Ctx::INVALID) {
            assert!(seen.insert(ctx.0));
            live.push(ctx);
        }
        assert_eq!(live.len(), SLOTS - 2);
        slots.destroy_where(|team| team == TeamHandle::SHARED);
        live.retain(|ctx| ctx.members().is_some());
        assert!(!live.is_empty());
        slots.destroy_where(|_| true);
        assert!(live.iter().all(|ctx| ctx.members().is_none()));
        // The next start of the library has the same slots, and others than all before live in them.
        let mut again = Slots::default();
        let next: Vec<_> = (0..100).map(|_| again.create(TeamHandle::WORLD, members)).collect();
        assert!(next.iter().all(|ctx| ctx.members() == Some(members) && seen.insert(ctx.0)));
        assert!(live.iter().all(|ctx| ctx.members().is_none()));
    }
}
