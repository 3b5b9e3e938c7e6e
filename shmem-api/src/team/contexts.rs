//! Contexts and teams as programs have them: handles, which are numbers, and the slots contexts live in.
//!
//! ```text
//!   handle  │ how often the slot was used │ slot (16 bits) │      0: no context   1: the default context
//!                                            │
//!   slots   [ - | - | handle, team | free ──┼──► free | handle, team | never used ... ]   64 bytes each
//! ```
//!
//! Invariants: **TEAM-V1** the slots are never unmapped, and a slot holds the handle of its context while that
//! lives: a handle that its slot does not hold stands for no context. So one that was destroyed, one of a
//! library that was finalized, and a number that never was a handle are all found out by one comparison.
//! **TEAM-V3** slots are given and taken back within the engine's [`Serial`] only.

use std::sync::OnceLock;

use crate::exit::serial::Serial;
use crate::process::private::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use crate::team::core::TeamCore;
use crate::types::pe_set::PeSet;

/// A context: a handle local to this PE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Ctx(usize);

/// A team, as C has it: a handle local to this PE. It is a number, not an address: what was destroyed is known
/// as such. C passes it in a pointer's place, as it does a [`Ctx`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct TeamHandle(usize);

impl TeamHandle {
    /// All PEs (`SHMEM_TEAM_WORLD`).
    pub const WORLD: TeamHandle = TeamHandle(TeamCore::WORLD_HANDLE);
    /// The PEs whose heaps this one can load from and store to (`SHMEM_TEAM_SHARED`).
    pub const SHARED: TeamHandle = TeamHandle(2);
    /// No team (`SHMEM_TEAM_INVALID`).
    pub const INVALID: TeamHandle = TeamHandle(0);

    /// The number it is.
    #[inline]
    pub(crate) fn number(self) -> usize {
        self.0
    }

    pub(crate) fn of(core: &TeamCore) -> TeamHandle {
        TeamHandle(core.handle())
    }
}

/// How many slots there are; the first two stand for no context and the default one.
const SLOTS: usize = 1 << 16;

static POOL: OnceLock<Box<[Slot; SLOTS]>> = OnceLock::new();

/// Room for a context. Atomics, since a handle is looked up without any lock.
#[derive(bytemuck::Zeroable)]
#[repr(C, align(64))]
pub(crate) struct Slot {
    /// Of the context that lives here, or 0.
    handle: AtomicUsize,
    start: AtomicU32,
    stride: AtomicU32,
    size: AtomicU32,
    /// The next free slot, or 0.
    next: AtomicU32,
    team: AtomicUsize,
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

    /// The number it is.
    #[inline]
    pub(crate) fn number(self) -> usize {
        self.0
    }

    /// Where it lives; `None` for the default context and for what is none.
    #[inline]
    pub(crate) fn slot(self) -> Option<&'static Slot> {
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

impl Slot {
    /// The team of the context that lives here.
    pub(crate) fn team(&self) -> TeamHandle {
        TeamHandle(self.team.load(Relaxed))
    }
}

impl Slots {
    /// A context of `team`; none if all slots are taken.
    pub(crate) fn create(&mut self, team: TeamHandle, members: PeSet) -> Ctx {
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
        slot.team.store(team.0, Relaxed);
        let handle = uses * SLOTS + index as usize;
        slot.handle.store(handle, Relaxed);
        Ctx(handle)
    }

    pub(crate) fn destroy(&mut self, ctx: Ctx, slot: &Slot) {
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

/// Completes and destroys the contexts of a team that is being destroyed.
pub(crate) fn destroy_all_of(contexts: &Serial<Slots>, team: TeamHandle) {
    contexts.with("the end of a team", |slots| slots.destroy_where(|of| of == team));
}

/// Destroys every context, when the library goes down.
pub(crate) fn destroy_all(contexts: &Serial<Slots>) {
    contexts.with("finalize", |slots| slots.destroy_where(|_| true));
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
