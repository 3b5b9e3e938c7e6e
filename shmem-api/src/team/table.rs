//! The teams of a PE, by slot: which slots are taken, and finding a team by its handle.
//!
//! A handle is a number, the slot and a generation: one that was destroyed, or never was, names no team, and
//! looking it up touches nothing but this table.
//!
//! A slot is one PE's affair until a team is made: then it must be free on every member, so every PE shows
//! its free slots and all choose alike. A team that was destroyed, which all its members did together, gives
//! its slot back when every member has left that call, for which the next split waits; one that was dropped, when every
//! member has dropped it.
//!
//! Invariants: **TEAM-D1** a team in the table is alive; whoever takes it out is the last to use it. **TEAM-D2** a slot is free when
//! no member of its last team looks at what lies on it any more: of two PEs, the one that leaves the destruction second
//! still compares what the other one asked for.
#![allow(unsafe_code)]

use crate::process::private::{AtomicPtr, AtomicU64, Ordering};
use std::ptr;

use memheap::PeId;
use parking_lot::Mutex;

use crate::error::Diverged;
use crate::node::Node;
use crate::node::control_block::Control;
use crate::team::core::{NewTeam, TeamCore};
use crate::types::pe_set::PeSet;

/// Slots there can be at most.
pub(crate) const MAX_SLOTS: u64 = 1024;
/// Words of a set of slots.
pub(crate) const SET_WORDS: usize = MAX_SLOTS as usize / 64;

const WORLD: u16 = 0;
const SHARED: u16 = 1;
const SLOT_BITS: u32 = 16;

/// A set of slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SlotSet(pub(crate) [u64; SET_WORDS]);

impl SlotSet {
    /// What is in both.
    pub(crate) fn and(mut self, other: &SlotSet) -> SlotSet {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= b);
        self
    }

    pub(crate) fn without(mut self, slot: u16) -> SlotSet {
        self.0[usize::from(slot) / 64] &= !(1 << (slot % 64));
        self
    }

    /// The lowest from `from` on, around the end if need be.
    pub(crate) fn first_from(&self, from: u16) -> Option<u16> {
        let has = |slot: &u16| self.0[usize::from(*slot) / 64] >> (slot % 64) & 1 != 0;
        let from = from % MAX_SLOTS as u16;
        (from..MAX_SLOTS as u16).find(has).or_else(|| (0..from).find(has))
    }
}

/// All teams of this PE.
pub(crate) struct Teams {
    world: Box<TeamCore>,
    /// By slot; null where no team is.
    cores: Box<[AtomicPtr<TeamCore>]>,
    taken: [AtomicU64; SET_WORDS],
    /// The highest number a call on a team that is no more had.
    retired: AtomicU64,
    /// Dropped here, but not by every member yet.
    dropped: Mutex<Vec<TeamCore>>,
    /// Destroyed, but perhaps not left by every member yet.
    destroyed: Mutex<Vec<TeamCore>>,
}

impl Teams {
    /// With the world, and the team of those that share memory, which on one host are all.
    pub(crate) fn new(me: PeId, controls: &[Control]) -> Option<Teams> {
        let slots = controls.first()?.slots().min(MAX_SLOTS as usize);
        let members = PeSet::world(controls.len() as u32);
        let new = |slot| NewTeam { members, slot, generation: 0, num_contexts: 0, base: 0 };
        let world = Box::new(TeamCore::new(new(WORLD), me, controls)?);
        let teams = Teams {
            world,
            cores: (0..slots).map(|_| AtomicPtr::default()).collect(),
            taken: std::array::from_fn(|_| AtomicU64::new(u64::MAX)),
            retired: AtomicU64::new(0),
            dropped: Mutex::default(),
            destroyed: Mutex::default(),
        };
        for slot in 2..slots as u16 {
            teams.release(slot);
        }
        teams.publish(TeamCore::new(new(SHARED), me, controls)?);
        Some(teams)
    }

    /// The team of all PEs.
    #[inline]
    pub(crate) fn world(&self) -> &TeamCore {
        &self.world
    }

    /// Whether a thread is in a collective of the world.
    pub(crate) fn in_use(&self) -> bool {
        self.world.in_use()
    }

    /// The team a handle stands for.
    #[inline]
    pub(crate) fn find(&self, handle: usize) -> Option<&TeamCore> {
        if handle == TeamCore::WORLD_HANDLE {
            return Some(&self.world);
        }
        let slot = (handle & ((1 << SLOT_BITS) - 1)).wrapping_sub(1);
        let core = self.cores.get(slot)?.load(Ordering::Acquire);
        // SAFETY: TEAM-D1.
        let core = unsafe { core.as_ref() }?;
        (core.handle() == handle).then_some(core)
    }

    /// Whether all members of each team have made the same calls on it.
    pub(crate) fn all_alike(&self) -> Result<(), Diverged> {
        // SAFETY: TEAM-D1.
        let mut cores = self.cores.iter().filter_map(|core| unsafe { core.load(Ordering::Acquire).as_ref() });
        cores.try_for_each(TeamCore::all_alike)
    }

    /// The free slots. Waits until those of destroyed teams are (TEAM-D2).
    pub(crate) fn free(&self, node: &Node) -> SlotSet {
        self.sweep(node);
        SlotSet(std::array::from_fn(|i| !self.taken[i].load(Ordering::Acquire)))
    }

    /// How many slots there are, those of the world and of the shared team included.
    pub(crate) fn slots(&self) -> usize {
        self.cores.len()
    }

    /// Words in which the slots are.
    pub(crate) fn set_words(&self) -> usize {
        self.cores.len().div_ceil(64)
    }

    /// No call on a team that gave its slot back before had a higher number. Read it after [`free`](Self::free).
    pub(crate) fn retired(&self) -> u64 {
        self.retired.load(Ordering::Acquire)
    }

    /// Takes a slot, unless another thread has.
    pub(crate) fn claim(&self, slot: u16) -> bool {
        let bit = 1 << (slot % 64);
        self.taken[usize::from(slot) / 64].fetch_or(bit, Ordering::AcqRel) & bit == 0
    }

    /// Gives a slot back.
    pub(crate) fn release(&self, slot: u16) {
        self.taken[usize::from(slot) / 64].fetch_and(!(1 << (slot % 64)), Ordering::AcqRel);
    }

    /// Puts a new team, whose slot was claimed, into the table.
    pub(crate) fn publish(&self, core: TeamCore) -> &TeamCore {
        let entry = &self.cores[usize::from(core.slot)];
        let core = Box::leak(Box::new(core));
        entry.store(ptr::from_mut(core), Ordering::Release);
        core
    }

    /// A generation for a new team. Not even a later start of the library has it again.
    pub(crate) fn next_generation() -> u64 {
        static MADE: AtomicU64 = AtomicU64::new(0);
        MADE.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Frees a team that all its members have destroyed.
    ///
    /// # Safety
    /// It is in the table, and nobody uses it any more on this PE.
    pub(crate) unsafe fn destroy(&self, core: *const TeamCore) {
        // SAFETY: by contract.
        let core = unsafe { self.take_out(core) };
        self.destroyed.lock().push(*core);
    }

    /// Drops a team on this PE; its slot comes back when every member has.
    ///
    /// # Safety
    /// As for [`destroy`](Self::destroy).
    pub(crate) unsafe fn drop_here(&self, core: *const TeamCore) {
        // SAFETY: by contract.
        let core = unsafe { self.take_out(core) };
        core.say_gone();
        self.dropped.lock().push(*core);
    }

    /// # Safety
    /// As for [`destroy`](Self::destroy).
    unsafe fn take_out(&self, core: *const TeamCore) -> Box<TeamCore> {
        // SAFETY: by contract it is in the table, so it is alive.
        let slot = unsafe { (*core).slot };
        self.cores[usize::from(slot)].store(ptr::null_mut(), Ordering::Release);
        // SAFETY: leaked in `publish`, and by contract and TEAM-D1 nobody uses it any more.
        unsafe { Box::from_raw(core.cast_mut()) }
    }

    fn retire(&self, core: &TeamCore) {
        self.retired.fetch_max(core.last_number(), Ordering::AcqRel);
        self.release(core.slot);
    }

    /// Gives back the slots of destroyed teams, and of those that every member has dropped.
    fn sweep(&self, node: &Node) {
        for core in self.destroyed.lock().drain(..) {
            core.wait_until_left(node);
            self.retire(&core);
        }
        self.dropped.lock().retain(|core| {
            let over = core.all_gone();
            if over {
                self.retire(core);
            }
            !over
        });
    }
}

impl Drop for Teams {
    fn drop(&mut self) {
        for entry in &mut self.cores {
            let core = *entry.get_mut();
            if !core.is_null() {
                // SAFETY: TEAM-D1: leaked in `publish`, and with the engine its last user goes.
                drop(unsafe { Box::from_raw(core) });
            }
        }
    }
}

impl TeamCore {
    /// The handle of the world's team.
    pub(crate) const WORLD_HANDLE: usize = WORLD as usize + 1;

    /// What stands for it on this PE. Never zero.
    #[inline]
    pub(crate) fn handle(&self) -> usize {
        handle_of(self.slot, self.generation)
    }
}

#[inline]
fn handle_of(slot: u16, generation: u64) -> usize {
    (usize::from(slot) + 1) | (generation as usize) << SLOT_BITS
}
