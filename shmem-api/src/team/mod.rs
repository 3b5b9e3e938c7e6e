//! Teams as the engine has them: who the members are, and how they meet.
//!
//! ```text
//!   TeamCore ── members, my rank, a slot ──► Mailbox[slot] in each member's segment
//!      │
//!      ├─ meet, meet_showing, sync   a rendezvous of all members that compares (see `agree`)
//!      └─ call                       any other collective: see `call`
//! ```
//!
//! The world is a team in slot 0, and the PEs of this host are one in slot 1. An active set meets in the same way, on
//! mailboxes of its own (`active_set`). Every collective call of a team has a number, the same on all members, since all
//! call in the same order; what a PE shows names its number and its kind, so a call never pairs with another. Calls in
//! which a PE meets nobody have a number as all others, and leave a trace, which the next rendezvous compares.
//!
//! Invariants: **T1** one call at a time on a team of a PE: other threads wait for the team's [`Serial`], those
//! on other teams do not. **T2** a PE that shows something in call k has waited until every member has left call k - 2:
//! so a cell is laid anew only when nobody reads it, and who gives is never more than one call ahead of who
//! takes. **T3** the numbers of a slot grow, whichever team has it. **T4** a PE that goes ahead of others in call k has
//! waited until every member has left call k - 2; in an active set, call k - 1: programs alternate between two `pSync`,
//! each of which counts by itself, and take the first call for finished everywhere before the third begins.

pub(crate) mod call;
pub(crate) mod rendezvous;
pub(crate) mod split;
pub(crate) mod table;

use std::fmt;

use memheap::PeId;

use crate::engine::{Engine, Met};
use crate::error::Diverged;
use crate::exit;
use crate::exit::serial::Serial;
use crate::node::control_block::ControlBlock;
use crate::node::mailbox::{Mailbox, Progress};
use crate::node::signature::{Kind, Position, Signature, Word};
use crate::sync::primitives::Ordering;
use crate::team::call::{TeamCall, Waiting};
use crate::team::rendezvous::{Agreed, Differs, Place, said};
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
    base: u64,
    place: Place<'static>,
    calls: Serial<Calls>,
}

/// Where this PE is in the team's calls.
pub(crate) struct Calls {
    /// The number of the last one.
    last: u64,
    /// What was asked for since the last rendezvous, in calls without one; 0 if there was none.
    history: u64,
    /// Every member is known to have left all calls below this one.
    all_left: u64,
}

/// What the members showed in a rendezvous.
pub(crate) struct Shown<'c> {
    core: &'c TeamCore,
    turn: usize,
}

/// A call of that kind, as lines name it.
struct Named(Kind);

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

impl TeamCore {
    /// On a PE that is a member.
    pub(crate) fn new(new: NewTeam, me: PeId, mailboxes: &[ControlBlock<'static>]) -> Option<TeamCore> {
        let slot = usize::from(new.slot);
        let mailboxes = new.members.iter().map(|pe| &mailboxes[pe.0 as usize].teams[slot]).collect();
        TeamCore::on(new, me, None, mailboxes)
    }

    /// The PEs of an active set that meet under `psync`, on a PE that is one of them. By rank, the mailboxes they keep for it.
    pub(crate) fn of_set(
        members: PeSet,
        me: PeId,
        psync: u64,
        mailboxes: Box<[&'static Mailbox]>,
    ) -> Option<TeamCore> {
        let new = NewTeam { members, slot: u16::MAX, generation: 0, num_contexts: 0, base: 0 };
        TeamCore::on(new, me, Some(psync), mailboxes)
    }

    fn on(
        new: NewTeam,
        me: PeId,
        psync: Option<u64>,
        mailboxes: Box<[&'static Mailbox]>,
    ) -> Option<TeamCore> {
        let NewTeam { members, slot, generation, num_contexts, base } = new;
        let rank = members.rank(me)?;
        let place = Place { mailboxes, pes: members.iter().collect(), rank: rank as usize, upper: None };
        let calls = Serial::new("the team", Calls { last: base, history: 0, all_left: base + 1 });
        Some(TeamCore { members, rank, slot, generation, num_contexts, psync, base, place, calls })
    }

    /// Collective: shows `signature` to all members and compares it with theirs.
    pub(crate) fn meet(&self, engine: &Engine, signature: &Signature) -> Result<(), Diverged> {
        settle(engine, self.try_meet(engine, signature, |_| ()))
    }

    /// As [`meet`](Self::meet); `show` gets this PE's mailbox and the turn, lays something on it, and says
    /// whether it did; `read` is told whether some member did, and can read what they laid there. A PE that
    /// is alone agrees with itself: it makes no signature.
    pub(crate) fn meet_showing<R>(
        &self,
        engine: &Engine,
        signature: impl FnOnce() -> Signature,
        show: impl FnOnce(&ControlBlock<'_>, usize) -> bool,
        read: impl FnOnce(Met) -> R,
    ) -> Result<R, Diverged> {
        let met = self.calls.with("a collective call", |calls| {
            let number = self.enter(engine, calls);
            let turn = (number & 1) as usize;
            let raised = show(engine.control(), turn);
            let agreed = if self.members.size == 1 {
                Ok(Agreed { raised })
            } else {
                let signature = signature();
                self.rendezvous(engine, calls, signature.word(number).raised(raised), signature.args())
            };
            let result = agreed.map(|agreed| read(Met { raised: agreed.raised, turn }));
            self.leave(engine, calls);
            result
        });
        settle(engine, met)
    }

    /// As [`meet`](Self::meet), for a caller that decides itself what follows from a difference. `read` gets
    /// what each member showed, by rank.
    pub(crate) fn try_meet<R>(
        &self,
        engine: &Engine,
        signature: &Signature,
        read: impl FnOnce(Shown<'_>) -> R,
    ) -> Result<R, Box<Differs>> {
        self.calls.with(signature, |calls| {
            let number = self.enter(engine, calls);
            let agreed = self.rendezvous(engine, calls, signature.word(number), signature.args());
            let result = agreed.map(|_| read(Shown { core: self, turn: (number & 1) as usize }));
            self.leave(engine, calls);
            result
        })
    }

    /// Collective: a rendezvous without arguments: all members have arrived, and are at the same.
    #[inline]
    pub(crate) fn sync(&self, engine: &Engine, kind: Kind) -> Result<(), Diverged> {
        let met = self.calls.with(Named(kind), |calls| {
            let number = self.enter(engine, calls);
            let agreed = self.rendezvous(engine, calls, Word::new(number, kind, 0), &[]);
            self.leave(engine, calls);
            agreed
        });
        settle(engine, met).map(drop)
    }

    /// As [`sync`](Self::sync); a difference ends the job.
    #[inline]
    pub(crate) fn sync_or_end(&self, engine: &Engine, kind: Kind) {
        if let Err(diverged) = self.sync(engine, kind) {
            end(engine, &diverged);
        }
    }

    /// Runs one collective call other than a plain rendezvous. See [`call`] for how one is written.
    #[inline]
    pub(crate) fn call<R>(
        &self,
        engine: &Engine,
        kind: Kind,
        body: impl FnOnce(&mut TeamCall<'_>) -> R,
    ) -> R {
        self.calls.with(Named(kind), |calls| {
            calls.last += 1;
            let number = calls.last;
            let mut call = TeamCall::new(engine, self, calls, Word::new(number, kind, 0));
            let result = body(&mut call);
            self.leave(engine, calls);
            result
        })
    }

    /// A call that does nothing, and meets nobody for it: it has a number, and leaves a trace.
    pub(crate) fn pass(&self, engine: &Engine, kind: Kind) {
        self.calls.with(Named(kind), |calls| {
            calls.last += 1;
            let word = Word::new(calls.last, kind, 0);
            self.mailbox().line.at.store(word.bits(), Ordering::Relaxed);
            self.trace(calls, word, &[]);
            self.leave(engine, calls);
        });
    }

    /// Whether a thread is in a collective of the team.
    pub(crate) fn in_use(&self) -> bool {
        self.calls.is_in_use()
    }

    /// The number below the first call of a later team in this slot. Above this team's base even if there was no
    /// call, so that what [`say_gone`](Self::say_gone) says grows, too (T3).
    pub(crate) fn last_number(&self) -> u64 {
        self.calls.with("the end of a team", |calls| calls.last).max(self.base + 1)
    }

    /// Waits until every member has left the last call.
    pub(crate) fn wait_until_left(&self, engine: &Engine) {
        self.calls.with("the end of a team", |calls| self.wait_left(engine, calls, calls.last + 1));
    }

    /// Says, to members that ask, that this PE calls nothing on the team any more.
    pub(crate) fn say_gone(&self) {
        self.mailbox().line.gone.store(self.base + 1, Ordering::Release);
    }

    /// Whether every member has said that it calls nothing any more. Some may have had later teams in the slot since.
    pub(crate) fn all_gone(&self) -> bool {
        self.place.mailboxes.iter().all(|mailbox| mailbox.line.gone.load(Ordering::Acquire) > self.base)
    }

    /// Whether a member has, while this PE has not: it has had no later team in the slot then.
    fn is_gone(&self, mailbox: &Mailbox) -> bool {
        mailbox.line.gone.load(Ordering::Acquire) == self.base + 1
    }

    fn mailbox(&self) -> &Mailbox {
        self.place.mailboxes[self.rank as usize]
    }

    /// Takes the next number, and sees to T2 for its cell.
    #[inline]
    fn enter(&self, engine: &Engine, calls: &mut Calls) -> u64 {
        calls.last += 1;
        self.wait_left(engine, calls, calls.last - 1);
        calls.last
    }

    /// Waits until every member has left all calls below `number`.
    #[inline]
    fn wait_left(&self, engine: &Engine, calls: &mut Calls, number: u64) {
        if calls.all_left < number {
            self.wait_left_slowly(engine, calls, number);
        }
    }

    #[cold]
    fn wait_left_slowly(&self, engine: &Engine, calls: &mut Calls, number: u64) {
        let waiting = Waiting::to_go_on(engine, self, calls.last);
        let mut least = u64::MAX;
        for (rank, mailbox) in self.place.mailboxes.iter().enumerate() {
            if rank != self.rank as usize {
                waiting.for_progress(&mailbox.line, Progress::left(number - 1));
                least = least.min(mailbox.line.progress().number());
            }
        }
        calls.all_left = least.min(calls.last);
    }

    /// One rendezvous, in a call that has been entered.
    #[inline]
    fn rendezvous(
        &self,
        engine: &Engine,
        calls: &mut Calls,
        word: Word,
        args: &[u64],
    ) -> Result<Agreed, Box<Differs>> {
        if self.members.size == 1 {
            if word.step() == 0 {
                self.mailbox().cells[(word.number() & 1) as usize].lay(args);
            }
            return Ok(Agreed { raised: word.is_raised() });
        }
        let history = calls.history;
        if history != 0 {
            calls.history = 0;
            self.mailbox().line.history.store(0, Ordering::Relaxed);
        }
        let agreed = self.place.meet(word, args, history, &Waiting::new(engine, self, word.meeting()));
        // All have arrived here, so all have left what came before.
        calls.all_left = word.number();
        agreed
    }

    /// This PE reads nothing more of what was shown in the call.
    #[inline]
    fn leave(&self, engine: &Engine, calls: &Calls) {
        let line = &self.mailbox().line;
        line.set_progress(Progress::left(calls.last), engine.policy.crowded());
        call::notify(&line.progress_event);
    }
}

impl TeamCore {
    /// Keeps in mind that this was asked for in a call in which nobody was met. A digest, since such calls may be
    /// many; none of them touches another PE's memory.
    #[inline]
    fn trace(&self, calls: &mut Calls, word: Word, args: &[u64]) {
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
        let done =
            |mailbox: &Mailbox| (mailbox.line.progress(), mailbox.line.history.load(Ordering::Relaxed));
        let (mine, me) = (self.mailbox(), self.place.pes[self.rank as usize]);
        let mut others = self.place.mailboxes.iter().zip(&self.place.pes);
        let Some((other, pe)) = others.find(|(mailbox, _)| done(mailbox) != done(mine)) else {
            return Ok(());
        };
        let last = |mailbox: &Mailbox| format!("the end of {} on {self}", said(&mailbox.is_at()));
        let (got, expected) = (last(other), last(mine));
        let expected = if got == expected { format!("{expected}, after other calls") } else { expected };
        Err(Diverged { here: me, pe: *pe, got, reference: me, expected })
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
            None => write!(f, "a team of {size} PEs from PE {start}, {stride} apart"),
        }
    }
}

impl Shown<'_> {
    /// Word `i` of what the member of that rank showed.
    pub(crate) fn word(&self, rank: usize, i: usize) -> u64 {
        self.core.place.mailboxes[rank].cells[self.turn].arg(i)
    }
}

/// What follows from a rendezvous for a caller that may go on after a difference.
fn settle<T>(engine: &Engine, met: Result<T, Box<Differs>>) -> Result<T, Diverged> {
    match met {
        Ok(met) => {
            if engine.diverged.load(Ordering::Relaxed) {
                engine.diverged.store(false, Ordering::Relaxed);
            }
            Ok(met)
        }
        Err(differs) => Err(diverged(engine, *differs)),
    }
}

/// The PEs differ, and the caller may go on.
#[cold]
fn diverged(engine: &Engine, differs: Differs) -> Diverged {
    engine.diverged.store(true, Ordering::Relaxed);
    if differs.fatal {
        end(engine, &differs.diverged);
    }
    differs.diverged
}

/// Ends the job: the PEs are at different calls.
#[cold]
pub(crate) fn end(engine: &Engine, diverged: &Diverged) -> ! {
    exit::end_job(engine, exit::DIVERGED, &format!("{diverged}; ending the job"))
}
