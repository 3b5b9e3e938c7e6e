//! A team, on one of its members: who they are, where each lays open what it shows, and how far this PE is.

use std::fmt;
use std::sync::Arc;

use memheap::PeId;

use crate::error::Diverged;
use crate::exit::end::end_job;
use crate::exit::serial::Serial;
use crate::node::Node;
use crate::node::control_block::Control;
use crate::node::mailbox::Mailbox;
use crate::node::signature::{ARGS, Kind, Position, Signature, Word};
use crate::process::status::DIVERGED;
use crate::sync::primitives::Ordering;
use crate::team::members::Members;
use crate::team::rendezvous::Place;
use crate::team::rendezvous::verdict::said;
use crate::team::upper::{Hosts, Landing, Upper};
use crate::transport::part::Part;
use crate::types::host_of::HostOf;
use crate::types::pe_set::PeSet;

/// A team, on one of its members.
pub(crate) struct TeamCore {
    pub(crate) members: PeSet,
    /// This PE's rank in it.
    pub(crate) rank: u32,
    pub(crate) slot: u16,
    /// Tells teams of one slot apart.
    pub(crate) generation: u64,
    /// How many contexts its maker announced (`num_contexts`).
    pub(crate) num_contexts: i32,
    /// The `pSync` of an active set, as a position (see `Call::position`).
    pub(crate) psync: Option<u64>,
    /// The number of its first call, less one.
    pub(super) base: u64,
    /// By rank.
    pub(super) mailboxes: Arc<[Part<'static, Mailbox>]>,
    /// Among the members on this host.
    pub(super) place: Place<'static>,
    pub(super) calls: Serial<Calls>,
}

/// Where this PE is in the team's calls.
pub(crate) struct Calls {
    /// The number of the last one.
    pub(super) last: u64,
    /// What was asked for since the last rendezvous, in calls without one; 0 if there was none.
    pub(super) history: u64,
    /// Every member is known to have left all calls below this one.
    pub(super) all_left: u64,
}

/// What the members showed in a rendezvous.
pub(crate) struct Shown<'c> {
    pub(super) core: &'c TeamCore,
    pub(super) number: u64,
}

/// A call of that kind, as lines name it.
pub(super) struct Named(pub(super) Kind);

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Signature::of(Word::new(0, self.0, 0)).fmt(f)
    }
}

/// What makes a new team.
pub(crate) struct NewTeam {
    pub(crate) members: PeSet,
    pub(crate) slot: u16,
    pub(crate) generation: u64,
    pub(crate) num_contexts: i32,
    /// No member has used a number above it in this slot.
    pub(crate) base: u64,
}

/// What came of a rendezvous in which all agreed.
pub(crate) struct Met {
    /// Some PE raised its hand: it showed something.
    pub(crate) raised: bool,
    /// Which of the two places to show things in was used.
    pub(crate) turn: usize,
}

impl TeamCore {
    /// On a PE that is a member.
    pub(crate) fn new(new: NewTeam, me: PeId, controls: &[Control], hosts: &HostOf) -> Option<TeamCore> {
        let slot = usize::from(new.slot);
        let mailboxes = new.members.iter().map(|pe| controls[pe.0 as usize].mailbox(slot)).collect();
        let landing = |pe: PeId| {
            let control = &controls[pe.0 as usize];
            Some(Landing { first: pe, zone: control.zone(slot)?, event: control.waiters() })
        };
        let base = new.base;
        TeamCore::on(new, me, None, mailboxes, |all| Upper::new(all, (me, base), hosts, &landing))
    }

    /// The PEs of an active set that meet under `psync`, on a PE that is one of them. By rank, the mailboxes they keep for it.
    pub(crate) fn of_set(
        members: PeSet,
        me: PeId,
        psync: u64,
        mailboxes: Arc<[Part<'static, Mailbox>]>,
        upper: impl FnOnce(&Members<'static>) -> Option<Upper<'static>>,
    ) -> Option<TeamCore> {
        let new = NewTeam { members, slot: u16::MAX, generation: 0, num_contexts: 0, base: 0 };
        TeamCore::on(new, me, Some(psync), mailboxes, upper)
    }

    pub(super) fn on(
        new: NewTeam,
        me: PeId,
        psync: Option<u64>,
        mailboxes: Arc<[Part<'static, Mailbox>]>,
        upper: impl FnOnce(&Members<'static>) -> Option<Upper<'static>>,
    ) -> Option<TeamCore> {
        let NewTeam { members, slot, generation, num_contexts, base } = new;
        let rank = members.rank(me)?;
        let here = mailboxes[rank as usize].mapped()?;
        let all = Members { mailboxes: mailboxes.clone(), pes: members.iter().collect() };
        let upper = if mailboxes.iter().any(Part::is_far) { upper(&all) } else { None };
        let place = match upper {
            None => Place::new(here, all, rank as usize),
            Some(upper) => Place::on_host(here, upper, rank as usize),
        };
        let calls = Serial::new("the team", Calls { last: base, history: 0, all_left: base + 1 });
        Some(TeamCore { members, rank, slot, generation, num_contexts, psync, base, mailboxes, place, calls })
    }

    /// Whether a thread is in a collective of the team.
    pub(crate) fn in_use(&self) -> bool {
        self.calls.is_in_use()
    }

    /// The number below the first call of a later team in this slot. Above this team's base even if there was no
    /// call, so that what [`say_gone`](Self::say_gone) says grows, too (TEAM-T3).
    pub(crate) fn last_number(&self) -> u64 {
        self.calls.with("the end of a team", |calls| calls.last).max(self.base + 1)
    }

    /// Says, to members that ask, that this PE calls nothing on the team any more.
    pub(crate) fn say_gone(&self) {
        self.mailbox().line.gone.store(self.base + 1, Ordering::Release);
        if let Some(upper) = &self.place.upper {
            upper.drop_here();
        }
    }

    /// Whether every member has said that it calls nothing any more. Some may have had later teams in the slot since.
    pub(crate) fn all_gone(&self) -> bool {
        match &self.place.upper {
            Some(upper) => upper.all_gone(),
            None => self.mailboxes.iter().all(|mailbox| mailbox.gone() > self.base),
        }
    }

    /// Whether a member has, while this PE has not: it has had no later team in the slot then.
    pub(super) fn is_gone(&self, mailbox: &Part<'_, Mailbox>) -> bool {
        mailbox.gone() == self.base + 1
    }

    /// Who is on which host, if its members are on several, which meet as such.
    #[inline]
    pub(crate) fn hosts(&self) -> Option<&Hosts> {
        self.place.upper.as_ref().map(|upper| upper.hosts())
    }

    /// Whether members may store where others have promised that it is ready, before they have met in the call. In an active set they would have to know that all
    /// have left the call before (TEAM-T4), which far ones tell by a meeting.
    pub(crate) fn goes_ahead(&self) -> bool {
        self.psync.is_none() || !self.spans_hosts()
    }

    /// Whether there are such.
    #[inline]
    pub(crate) fn spans_hosts(&self) -> bool {
        self.place.upper.is_some()
    }

    /// Whether it meets members whose memory is not mapped here as if that were.
    pub(super) fn is_flat(&self) -> bool {
        !self.spans_hosts() && self.mailboxes.iter().any(Part::is_far)
    }

    /// How many words each member can show in a call, beside so many to agree on.
    pub(crate) fn room(&self, agreed: usize) -> usize {
        self.place.upper.as_ref().map_or(ARGS - agreed, |upper| upper.room(agreed))
    }

    /// Word `i` of what the member of that rank shows in call `number`, in which it was met.
    #[inline]
    pub(super) fn shown(&self, rank: usize, number: u64, i: usize) -> u64 {
        match self.mailboxes[rank] {
            Part::Mapped(mailbox) => mailbox.cells[(number & 1) as usize].arg(i),
            Part::Far(_) => self.shown_far(rank, number, i),
        }
    }

    #[cold]
    fn shown_far(&self, rank: usize, number: u64, i: usize) -> u64 {
        match &self.place.upper {
            Some(upper) => upper.shown(rank, number, i),
            None => self.mailboxes[rank].cell(number).arg(i),
        }
    }

    /// This PE's own.
    pub(super) fn mailbox(&self) -> &Mailbox {
        self.place.here
    }

    /// Keeps in mind that this was asked for in a call in which nobody was met. A digest, since such calls may be
    /// many; none of them touches another PE's memory.
    #[inline]
    pub(super) fn trace(&self, calls: &mut Calls, word: Word, args: &[u64]) {
        let mix = |history: u64, word: u64| {
            let mixed = (history.rotate_left(26) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed ^ mixed >> 32
        };
        calls.history = args.iter().fold(mix(calls.history, word.bits()), |h, arg| mix(h, *arg)).max(1);
        self.mailbox().line.history.store(calls.history, Ordering::Relaxed);
    }

    /// After the last rendezvous of the world: whether all members have made the same calls on this team, those included
    /// after which they met no more.
    pub(crate) fn all_alike(&self) -> Result<(), Diverged> {
        let done = |mailbox: &Part<'_, Mailbox>| (mailbox.progress(), mailbox.history());
        let (mine, me) = (&self.mailboxes[self.rank as usize], self.members.at(self.rank));
        let mut others = self.mailboxes.iter().zip(self.members.iter());
        let Some((other, pe)) = others.find(|(mailbox, _)| done(mailbox) != done(mine)) else {
            return Ok(());
        };
        let last = |mailbox: &Part<'_, Mailbox>| format!("the end of {} on {self}", said(&mailbox.is_at()));
        let (got, expected) = (last(other), last(mine));
        let expected = if got == expected { format!("{expected}, after other calls") } else { expected };
        Err(Diverged { here: me, pe, got, reference: me, expected })
    }
}

impl fmt::Display for TeamCore {
    /// As lines name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PeSet { start, stride, size } = self.members;
        match self.psync {
            Some(psync) => {
                let at = Position(psync);
                write!(f, "the active set of {size} PEs from PE {start}, {stride} apart, with pSync at {at}")
            }
            None if self.slot == 0 => f.write_str("the world"),
            None if self.members.is_in_host_order() => write!(f, "a team of {}", self.members),
            None => write!(f, "a team of {size} PEs from PE {start}, {stride} apart"),
        }
    }
}

impl Shown<'_> {
    /// Word `i` of what the member of that rank showed.
    pub(crate) fn word(&self, rank: usize, i: usize) -> u64 {
        self.core.shown(rank, self.number, i)
    }
}

/// Ends the job: the PEs are at different calls.
#[cold]
pub(crate) fn end(node: &Node, diverged: &Diverged) -> ! {
    end_job(node, DIVERGED, &format!("{diverged}; ending the job"))
}
