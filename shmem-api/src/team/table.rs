//! The teams of a PE, by slot: which slots are taken, and finding a team by its handle.
//!
//! ```text
//!   split ──► TeamCore ──┬─ list: found by its handle ──── Shelf::take ──┬──► destroy
//!                        └─ lend: a value of the safe API ─ take_back ───┴──► or drop_here
//! ```
//!
//! A handle is a number, the slot and a generation: one that was destroyed, or never was, names no team, and
//! looking it up touches nothing but this table. What is lent is found by nobody: its holder has it.
//!
//! A slot is one PE's affair until a team is made: then it must be free on every member, so every PE shows
//! its free slots and all choose alike. A team that was destroyed, which all its members did together, gives
//! its slot back when every member has left that call, for which the next split waits; one that was dropped, when every
//! member has dropped it.
//!
//! Invariants: **TEAM-D1** whoever takes a team out of the list is the last to use it (TEAM-K1); a lent one has one holder. **TEAM-D2** a slot is free when
//! no member of its last team looks at what lies on it any more: of two PEs, the one that leaves the destruction second
//! still compares what the other one asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use memheap::PeId;
use parking_lot::Mutex;

use crate::error::Diverged;
use crate::node::Node;
use crate::node::control_block::Control;
use crate::process::private::{AtomicU64, Ordering};
use crate::team::core::{NewTeam, TeamCore};
use crate::team::shelf::Shelf;
use crate::types::host_of::HostOf;
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
    /// Those that a handle stands for, by slot.
    listed: Shelf<TeamCore>,
    /// Those that a value of the safe API stands for, by slot.
    lent: Mutex<BTreeMap<u16, Arc<TeamCore>>>,
    taken: [AtomicU64; SET_WORDS],
    /// The highest number a call on a team that is no more had.
    retired: AtomicU64,
    /// Dropped here, but not by every member yet.
    dropped: Mutex<Vec<TeamCore>>,
    /// Destroyed, but perhaps not left by every member yet.
    destroyed: Mutex<Vec<TeamCore>>,
}

impl Teams {
    /// With the world, and the team of those that share memory: the PEs of this one's host.
    pub(crate) fn new(me: PeId, controls: &[Control], hosts: &HostOf) -> Option<Teams> {
        let slots = controls.first()?.slots().min(MAX_SLOTS as usize);
        let new = |members, slot| NewTeam { members, slot, generation: 0, num_contexts: 0, base: 0 };
        let world = new(PeSet::world(controls.len() as u32), WORLD);
        let world = Box::new(TeamCore::new(world, me, controls, hosts)?);
        let teams = Teams {
            world,
            listed: Shelf::new(slots),
            lent: Mutex::default(),
            taken: std::array::from_fn(|_| AtomicU64::new(u64::MAX)),
            retired: AtomicU64::new(0),
            dropped: Mutex::default(),
            destroyed: Mutex::default(),
        };
        for slot in 2..slots as u16 {
            teams.release(slot);
        }
        let shared = new(PeSet::of_host(hosts, me), SHARED);
        teams.list(TeamCore::new(shared, me, controls, hosts)?);
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
        self.listed.get(slot).filter(|core| core.handle() == handle)
    }

    /// Whether all members of each team have made the same calls on it.
    pub(crate) fn all_alike(&self) -> Result<(), Diverged> {
        self.listed.iter().try_for_each(TeamCore::all_alike)?;
        self.lent.lock().values().try_for_each(|core| core.all_alike())
    }

    /// The free slots. Waits until those of destroyed teams are (TEAM-D2).
    pub(crate) fn free(&self, node: &Node) -> SlotSet {
        self.sweep(node);
        SlotSet(std::array::from_fn(|i| !self.taken[i].load(Ordering::Acquire)))
    }

    /// How many slots there are, those of the world and of the shared team included.
    pub(crate) fn slots(&self) -> usize {
        self.listed.len()
    }

    /// Words in which the slots are.
    pub(crate) fn set_words(&self) -> usize {
        self.listed.len().div_ceil(64)
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

    /// Puts a new team, whose slot was claimed, into the table: its handle stands for it.
    pub(crate) fn list(&self, core: TeamCore) -> &TeamCore {
        self.listed.put(usize::from(core.slot), core)
    }

    /// Those that are found by a handle, by slot.
    pub(crate) fn listed(&self) -> &Shelf<TeamCore> {
        &self.listed
    }

    /// A new team, whose slot was claimed, for the one value that stands for it.
    pub(crate) fn lend(&self, core: TeamCore) -> Arc<TeamCore> {
        let core = Arc::new(core);
        self.lent.lock().insert(core.slot, core.clone());
        core
    }

    /// A lent team comes back from its holder.
    pub(crate) fn take_back(&self, core: Arc<TeamCore>) -> TeamCore {
        self.lent.lock().remove(&core.slot);
        match Arc::into_inner(core) {
            Some(core) => core,
            None => unreachable!("TEAM-D1: a lent team has one holder"),
        }
    }

    /// A generation for a new team. Not even a later start of the library has it again.
    pub(crate) fn next_generation() -> u64 {
        static MADE: AtomicU64 = AtomicU64::new(0);
        MADE.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Ends a team that all its members have destroyed.
    pub(crate) fn destroy(&self, core: TeamCore) {
        self.destroyed.lock().push(core);
    }

    /// Ends a team on this PE; its slot comes back when every member has.
    pub(crate) fn drop_here(&self, core: TeamCore) {
        core.say_gone();
        self.dropped.lock().push(core);
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
