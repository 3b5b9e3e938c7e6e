//! Active sets (OpenSHMEM 1.6, deprecated collectives): PEs that call together without having made a team before.
//!
//! ```text
//!   (start, stride, size, pSync) ──hash──► an entry on each member: | key | mailbox |     in its own segment
//!                                          made by the member's first call with that key; the others wait for it
//!   entry of each member ──► TeamCore: from then on a call is a call on a team
//! ```
//!
//! What lies in the program's `pSync` does not matter, and stays as it is: its address is a part of the name under which
//! PEs meet, so that two sets, or two threads of a PE, do not disturb each other as long as their `pSync`s differ.
//! PEs that give different sets or different `pSync`s never meet; `exit::deadlock` finds that out.
//!
//! Invariant **TEAM-Q1**: an entry with a key is its owner's for good, as long as the library is up; only the owner makes
//! entries, one thread at a time, and none ever goes: so who looks for a key on another PE from the place it hashes to
//! comes to it, or to a free entry, if it is not made yet.

use std::sync::Arc;

use memheap::PeId;
use parking_lot::Mutex;

use crate::error::Diverged;
use crate::node::Node;
use crate::node::control_block::ControlBlock;
use crate::node::mailbox::{Mailbox, SET_ZONES, SETS, SetMailbox};
use crate::node::signature::Position;
use crate::sync::primitives::Ordering;
use crate::team::core::TeamCore;
use crate::team::shelf::Shelf;
use crate::team::upper::{Landing, Upper};
use crate::transport::part::Part;
use crate::types::pe_set::PeSet;

/// Under which name PEs meet: start, stride and size; and the position of the `pSync`, plus 1.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key([u64; 2]);

/// The sets of this PE.
pub(crate) struct ActiveSets {
    mine: &'static [SetMailbox],
    /// By entry; none where the members have not been looked up yet. None is ever taken out.
    cores: Shelf<TeamCore>,
    /// Held by whoever makes an entry: how many zones have been given to entries.
    making: Mutex<usize>,
}

impl Key {
    fn new(members: PeSet, psync: u64) -> Key {
        let PeSet { start, stride, size } = members;
        // A stride is a power of two: its exponent fits above the size.
        Key([u64::from(stride.trailing_zeros()) << 58 | u64::from(size) << 32 | u64::from(start), psync + 1])
    }

    /// The entries in the order in which they are looked at.
    fn places(self) -> impl Iterator<Item = usize> {
        let hash = (self.0[0].rotate_left(32) ^ self.0[1]).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let first = (hash >> 40) as usize;
        (0..SETS).map(move |i| (first + i) % SETS)
    }

    /// Where it is among a PE's entries, or the first free one.
    fn find<'m>(self, entry: impl Fn(usize) -> Part<'m, SetMailbox>) -> Option<(usize, bool)> {
        let word = |at, i: usize, order| entry(at).field(|set| &set.key[i]).load(order);
        self.places().find_map(|at| match word(at, 1, Ordering::Acquire) {
            0 => Some((at, false)),
            psync if psync == self.0[1] && word(at, 0, Ordering::Relaxed) == self.0[0] => Some((at, true)),
            _ => None,
        })
    }
}

impl ActiveSets {
    pub(crate) fn new(mine: &ControlBlock<'static>) -> ActiveSets {
        ActiveSets { mine: mine.sets, cores: Shelf::new(SETS), making: Mutex::new(0) }
    }

    /// The entry of a key on this PE, made if it is not there; with a zone, if there is one and it is wanted.
    fn entry(&self, key: Key, zone: impl FnOnce() -> bool) -> Option<usize> {
        if let (at, true) = key.find(|at| Part::Mapped(&self.mine[at]))? {
            return Some(at);
        }
        let mut zones = self.making.lock();
        let (at, made) = key.find(|at| Part::Mapped(&self.mine[at]))?;
        if !made {
            if *zones < SET_ZONES && zone() {
                *zones += 1;
                self.mine[at].zone.store(*zones as u64, Ordering::Relaxed);
            }
            self.mine[at].key[0].store(key.0[0], Ordering::Relaxed);
            // Release: who sees this word sees the others. TEAM-Q1.
            self.mine[at].key[1].store(key.0[1], Ordering::Release);
        }
        Some(at)
    }

    /// The set of `members`, of which this PE is one, that meet under the pSync at `psync` (see [`Position`]); `None` if there
    /// is no room for another. The first call of a set waits until every member has made its own, in the call `routine`.
    #[inline]
    pub(crate) fn find(&self, node: &Node, routine: &str, members: PeSet, psync: u64) -> Option<&TeamCore> {
        let first = || Some(node.me) == members.iter().find(|pe| node.hosts.share(*pe, node.me));
        let zone = || first() && members.iter().any(|pe| !node.hosts.share(pe, node.me));
        let at = self.entry(Key::new(members, psync), zone)?;
        match self.cores.get(at) {
            Some(core) => Some(core),
            None => self.join(node, routine, members, psync, at),
        }
    }

    /// The first call: waits for those of the other members.
    #[cold]
    fn join(&self, node: &Node, routine: &str, members: PeSet, psync: u64, at: usize) -> Option<&TeamCore> {
        let key = Key::new(members, psync);
        let entries = members.iter().map(|pe| {
            let theirs = node.control_of(pe);
            let found = || {
                let (at, made) = key.find(|at| theirs.set(at))?;
                made.then(|| theirs.set(at))
            };
            let place = || {
                let PeSet { start, stride, size } = members;
                let set = format!("the active set of {size} PEs from PE {start}, {stride} apart");
                format!("{routine}, the first on {set}, with pSync at {}", Position(psync))
            };
            // A member notifies nobody when it makes its entry: it is looked for again and again.
            node.wait_for_members(|| found().is_some(), place);
            found()
        });
        let entries = entries.collect::<Option<Vec<Part<'_, SetMailbox>>>>()?;
        let mailboxes: Arc<[Part<'_, Mailbox>]> =
            entries.iter().map(|entry| entry.field(|set| &set.mailbox)).collect();
        let landing = |first: PeId| {
            let entry = entries[members.rank(first)? as usize];
            let zone = entry.field(|set| &set.zone).load(Ordering::Relaxed).checked_sub(1)?;
            let control = node.control_of(first);
            Some(Landing { first, zone: control.set_zone(zone as usize)?, event: control.waiters() })
        };
        let core = TeamCore::of_set(members, node.me, psync, mailboxes, |all| {
            Upper::new(all, (node.me, 0), &node.hosts, &landing)
        })?;
        // Unless another thread of this PE was first.
        Some(self.cores.put(at, core))
    }

    /// Whether all PEs of each set have made the same calls on it.
    pub(crate) fn all_alike(&self) -> Result<(), Diverged> {
        self.cores.iter().try_for_each(TeamCore::all_alike)
    }
}
