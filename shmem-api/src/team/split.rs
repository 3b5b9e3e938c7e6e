//! Making teams out of a team, and ending them.
//!
//! ```text
//!   every PE of the parent shows: the shape it asks for │ its free slots, its highest number so far, its wishes
//!                                 (must agree)            (are read by all)
//!   from what all have shown, all compute alike: who the members of each new team are, and its slot: the
//!   lowest that is free on all its members; or why there is no team
//! ```
//!
//! So every PE of the parent comes to the same result, and a failure leaves nothing behind on any of them.
//! Where several threads may be splitting at once, a slot that was free when it was shown can be gone by then:
//! each member claims the slot and the PEs meet again to hear whether all could; if not, they try again,
//! looking elsewhere first, and give up after [`TRIES`].

use crate::error::{Error, SplitError};
use crate::node::Node;
use crate::node::signature::{Kind, Signature};
use crate::team::core::{NewTeam, Shown, TeamCore, end};
use crate::team::meet::diverged;
use crate::team::table::{SET_WORDS, SlotSet, Teams};
use crate::types::pe_set::PeSet;

/// How often a split that other threads' splits get in the way of is tried.
const TRIES: u16 = 64;

/// What a maker wishes of its new team; `None` where it could not be read.
pub(crate) type Wish = Option<i32>;

/// A new team, as all PEs of its parent compute it.
#[derive(Clone, Copy)]
struct Plan {
    members: PeSet,
    slot: u16,
    num_contexts: i32,
    base: u64,
}

/// What the PEs of the parent have shown, after the shape.
struct Offers<'s> {
    shown: Shown<'s>,
    /// Words of the shape.
    shape: usize,
    /// Words of a set of slots.
    set: usize,
    /// How many slots there are.
    slots: usize,
    /// Where to look for one first.
    from: u16,
}

const RETIRED: usize = 0;
const WISHES: usize = 1;
const SET: usize = 3;
/// Stands for a wish that cannot be.
const NO_WISH: u64 = u64::MAX;

impl TeamCore {
    // What is made belongs to whoever asked for it: [`Teams`] lists it for a handle, or keeps it for a value.

    /// Collective over this team: the team of members `start`, `start + stride`, ..., `size` of them; `None` on PEs
    /// that are none of them. The same result on all PEs of this team.
    pub(crate) fn split_strided(
        &self,
        node: &Node,
        teams: &Teams,
        (start, stride, size): (i32, i32, i32),
        wish: Wish,
    ) -> Result<Option<TeamCore>, Error> {
        let shape = [start, stride, size].map(|n| i64::from(n) as u64);
        let [team, _] = self.split(node, teams, Kind::SplitStrided, &shape, [wish, Some(0)], |offers| {
            let members = self.members.split(start, stride, size);
            let ranks = || (0..size).map(|i| (start + i * stride) as usize);
            let plan = offers.plan(members.ok_or(SplitError::Shape)?, ranks, 0, |_, set| set)?;
            Ok([plan.members.rank(node.me).map(|_| plan), None])
        })?;
        Ok(team)
    }

    /// Collective over this team: its PEs laid out in rows of `xrange`, the last one perhaps shorter; this PE's
    /// row and its column. The same result on all PEs of this team.
    pub(crate) fn split_2d(
        &self,
        node: &Node,
        teams: &Teams,
        xrange: i32,
        wishes: [Wish; 2],
    ) -> Result<[Option<TeamCore>; 2], Error> {
        let shape = [i64::from(xrange) as u64];
        self.split(node, teams, Kind::Split2d, &shape, wishes, |offers| {
            let size = self.members.size as i32;
            let width = if xrange < 1 { return Err(SplitError::Shape) } else { xrange.min(size) };
            let rows = (0..size).step_by(width as usize).map(|start| {
                let len = width.min(size - start);
                let members = self.members.split(start, 1, len).ok_or(SplitError::Shape)?;
                offers.plan(members, || (start..start + len).map(|i| i as usize), 0, |_, set| set)
            });
            let rows = rows.collect::<Result<Vec<Plan>, _>>()?;
            let row_of = |rank: usize| &rows[rank / width as usize];
            let columns = (0..width).map(|start| {
                let len = (size - start + width - 1) / width;
                let members = self.members.split(start, width, len).ok_or(SplitError::Shape)?;
                let ranks = || (0..len).map(|i| (start + i * width) as usize);
                offers.plan(members, ranks, 1, |rank, set| set.without(row_of(rank).slot))
            });
            let columns = columns.collect::<Result<Vec<Plan>, _>>()?;
            let mine = self.rank as usize;
            Ok([Some(*row_of(mine)), Some(columns[mine % width as usize])])
        })
    }

    fn split(
        &self,
        node: &Node,
        teams: &Teams,
        kind: Kind,
        shape: &[u64],
        wishes: [Wish; 2],
        plan: impl Fn(Offers<'_>) -> Result<[Option<Plan>; 2], SplitError>,
    ) -> Result<[Option<TeamCore>; 2], Error> {
        for tried in 0..TRIES {
            let signature = offer(node, teams, Signature::new(kind).with(shape), wishes);
            let from = tried.wrapping_mul(self.slot + 1);
            let (set, slots) = (teams.set_words(), teams.slots());
            let read = |shown: Shown<'_>| plan(Offers { shown, shape: shape.len(), set, slots, from });
            let planned = self.try_meet(node, &signature, read);
            let planned = match planned {
                Err(differs) if differs.kinds => end(node, &differs.diverged),
                Err(differs) => return Err(diverged(node, *differs).into()),
                Ok(planned) => planned,
            };
            let failed = |why| Error::Split { pe: node.me, why };
            let plans = planned.map_err(failed)?;
            if let Some(made) = self.make(node, teams, plans) {
                return Ok(made);
            }
        }
        Err(Error::Split { pe: node.me, why: SplitError::NoSlot { slots: teams.slots() } })
    }

    /// Makes the teams of this PE, if every PE of the parent can.
    fn make(&self, node: &Node, teams: &Teams, plans: [Option<Plan>; 2]) -> Option<[Option<TeamCore>; 2]> {
        let claim = |plan: &Plan| {
            teams
                .claim(plan.slot)
                .then(|| node.control().teams[usize::from(plan.slot)].last_number() <= plan.base)
        };
        let claimed = plans.map(|plan| plan.as_ref().map(claim));
        let all = claimed.iter().flatten().all(|claim| *claim == Some(true));
        // Whether another thread can come between is known to its own PE only: all meet, always.
        let raised = self.meet_showing(node, || Signature::new(Kind::Claim), |_, _| !all, |met| met.raised);
        if raised.unwrap_or_else(|diverged| end(node, &diverged)) {
            let taken = plans.iter().zip(&claimed).filter(|(_, claim)| matches!(claim, Some(Some(_))));
            taken.filter_map(|(plan, _)| *plan).for_each(|plan| teams.release(plan.slot));
            return None;
        }
        Some(plans.map(|plan| {
            let Plan { members, slot, num_contexts, base } = plan?;
            let generation = Teams::next_generation();
            let new = NewTeam { members, slot, generation, num_contexts, base };
            TeamCore::new(new, node.me, &node.controls, &node.hosts)
        }))
    }
}

/// What this PE shows after the shape.
fn offer(node: &Node, teams: &Teams, mut signature: Signature, wishes: [Wish; 2]) -> Signature {
    let free = teams.free(node);
    // In this order: a slot that was freed by now has been accounted for by then.
    let [x, y] = wishes.map(|wish| wish.and_then(|n| u64::try_from(n).ok()).unwrap_or(NO_WISH));
    signature.show(&[teams.retired(), x, y]);
    signature.show(&free.0[..teams.set_words()]);
    signature
}

impl Offers<'_> {
    /// The team of `members`, whose ranks in the parent are `ranks`. `left` says which of a PE's free slots are
    /// left to it.
    fn plan<R: Iterator<Item = usize>>(
        &self,
        members: PeSet,
        ranks: impl Fn() -> R,
        wish: usize,
        left: impl Fn(usize, SlotSet) -> SlotSet,
    ) -> Result<Plan, SplitError> {
        let word = |rank, i| self.shown.word(rank, self.shape + i);
        let wishes = || ranks().map(|rank| word(rank, WISHES + wish));
        let num_contexts = wishes().next().unwrap_or(NO_WISH);
        if num_contexts == NO_WISH || wishes().any(|wish| wish != num_contexts) {
            return Err(SplitError::Config);
        }
        let free = |rank: usize| {
            let mut set = SlotSet([0; SET_WORDS]);
            set.0.iter_mut().take(self.set).enumerate().for_each(|(i, w)| *w = word(rank, SET + i));
            left(rank, set)
        };
        let common = ranks().map(free).reduce(|a, b| a.and(&b)).unwrap_or(SlotSet([0; SET_WORDS]));
        let slot = common.first_from(self.from).ok_or(SplitError::NoSlot { slots: self.slots })?;
        let base = ranks().map(|rank| word(rank, RETIRED)).max().unwrap_or(0);
        Ok(Plan { members, slot, num_contexts: num_contexts as i32, base })
    }
}
