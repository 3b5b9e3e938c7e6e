//! The rendezvous of a team: a barrier that also compares what its members ask for. *Agree first, then
//! mutate.*
//!
//! ```text
//!   each PE:   lay the arguments in its own cell (two cells, used in turn), show the word
//!
//!   two PEs:   write the word into the one line both have in common, and watch the other's word there;
//!              compare with the own; both come to the same verdict
//!
//!   more:      arrive at the central barrier on the first member's mailbox: one word {how many, who was last, which
//!              call, differs?, raised?}, and compare with the PE that arrived just before
//!              the last: if anything differs, read all signatures, write down who is to blame
//!                        open the barrier: one word {call number, verdict}
//! ```
//!
//! Of two PEs, the one that has the line finds it complete when it is the last to arrive, and arrives at the
//! next rendezvous while it still has it; so each rendezvous moves the line once, where two lines, one each,
//! would both move. For more, comparing neighbours in the order of arrival compares all, since equality is transitive. The central barrier
//! is one counter, not a tree or rounds of exchanges, because PEs outnumber cores as a matter of course: a
//! PE that is not running delays every round it takes part in, and a counter it takes part in once.
//!
//! What is compared is exact: the number of the call and of the rendezvous in it, the kind, the arguments. Calls in which
//! a PE meets nobody (the root of a small broadcast, `malloc(0)`) have a number, too, so a PE that made one more
//! or one less than another is found out here; and what they were is in a history that goes with the next rendezvous.
//!
//! Invariants: **RENDEZVOUS-A1** nobody leaves a rendezvous before everybody has arrived at it. **RENDEZVOUS-A2** all PEs leave with
//! the same verdict. **RENDEZVOUS-A3** what was shown in a call stays readable until the reader itself has left the call: the
//! cells alternate, and a cell is laid anew only when its readers have left (`TeamCore` sees to it). **RENDEZVOUS-A4**
//! the central barrier is ready for the next rendezvous before it opens. **RENDEZVOUS-A5** a word of two PEs, or of an open central barrier, with a later
//! ticket than one's own says that this rendezvous is over, and that all agreed: of two PEs the other one has seen this
//! one's word by then, since it does not use the place of a word again before this PE has left that call; and a central barrier
//! at which the numbers differ opens with [`BROKEN`], for good.

#[cfg(all(test, loom))]
mod models;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod verdict;

use memheap::PeId;

use crate::error::Diverged;
use crate::node::central_barrier::CentralBarrier;
use crate::node::mailbox::Mailbox;
use crate::node::signature::{Signature, Word};
use crate::sync::primitives::{AtomicU64, Ordering};
use crate::team::members::{Members, Waits};
use crate::team::rendezvous::verdict::{
    BROKEN, V_DIFFERS, V_FATAL, V_KINDS, V_RAISED, VERDICT_BITS, Verdict, said, said_after,
};
use crate::team::upper::Upper;
use crate::team::upper::block::{Asked, Flags};
use crate::transport::part::Part;

const COUNT: u64 = 0xffff;
const LAST_SHIFT: u32 = 16;
const DIFFERS: u64 = 1 << 32;
const RAISED: u64 = 1 << 33;
const TAG_SHIFT: u32 = 34;

/// What came of a rendezvous in which all agreed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Agreed {
    /// Somebody raised its hand.
    pub(crate) raised: bool,
}

/// Some PE differed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Differs {
    pub(crate) diverged: Diverged,
    /// Some PE was at the end of a phase: others hold handles, so the job cannot go on (rule PHASE-S3).
    pub(crate) fatal: bool,
    /// The PEs were at different calls, not just at one call with different arguments.
    pub(crate) kinds: bool,
}

/// One member's place in its team's rendezvous.
pub(crate) struct Place<'m> {
    /// This member's own mailbox.
    pub(crate) here: &'m Mailbox,
    /// Those on this host, if other hosts are met by `upper`; else all.
    pub(crate) members: Members<'m>,
    /// This member's rank among these.
    pub(crate) rank: usize,
    /// The other hosts, if the team has members there.
    pub(crate) upper: Option<Box<Upper<'m>>>,
}

impl<'m> Place<'m> {
    /// On a team of one host, or one that meets as if it were.
    pub(crate) fn new(here: &'m Mailbox, members: Members<'m>, rank: usize) -> Place<'m> {
        Place { here, members, rank, upper: None }
    }

    /// On a team that also has members on other hosts; of rank `rank` in the team.
    pub(crate) fn on_host(here: &'m Mailbox, upper: Upper<'m>, rank: usize) -> Place<'m> {
        let hosts = upper.hosts();
        let members = upper.all().only(hosts.ranks_here().iter().map(|rank| *rank as usize));
        let (_, rank) = hosts.place(rank as u32);
        Place { here, members, rank, upper: Some(Box::new(upper)) }
    }

    /// Shows `word` and `args` (of which the word says how many must agree), and the `history` if there is one (0: none);
    /// meets everybody, compares.
    #[inline]
    pub(crate) fn meet(
        &self,
        word: Word,
        args: &[u64],
        history: u64,
        waits: &impl Waits,
    ) -> Result<Agreed, Box<Differs>> {
        let here = self.here;
        let word = if history == 0 { word } else { word.with_history() };
        here.line.at.store(word.meeting().bits(), Ordering::Relaxed);
        if word.step() == 0 {
            let cell = &here.cells[turn(word)];
            cell.lay(args);
            if history != 0 {
                cell.lay_history(history);
            }
            cell.show(word, false);
        }
        let asked = Asked { word, args: &args[..word.agreed()], history };
        match &self.upper {
            None if self.members.len() == 2 => return self.meet_other(asked, waits),
            None => {}
            Some(upper) => {
                upper.arrive(&here.line, (word.step() == 0).then(|| args.len() - word.agreed()));
            }
        }
        self.meet_all(asked, waits)
    }

    /// More than two, or on several hosts: at the barrier.
    #[inline(never)]
    fn meet_all(&self, asked: Asked<'_>, waits: &impl Waits) -> Result<Agreed, Box<Differs>> {
        let word = asked.word;
        let ticket = word.ticket() << VERDICT_BITS;
        let (word_of, event) =
            (|b: &'m CentralBarrier| &b.opened.word, |b: &'m CentralBarrier| &b.opened.event);
        let opened = self.barrier().field(word_of);
        let verdict = match self.arrive(asked) {
            Some(flags) => {
                let verdict = self.judge(flags, ticket, asked, waits);
                self.open(verdict, waits);
                verdict
            }
            None => {
                waits.wait(self.barrier().field(event), || opened.load(Ordering::Acquire) >= ticket);
                opened.load(Ordering::Acquire)
            }
        };
        // RENDEZVOUS-A5.
        let mine = verdict == BROKEN || verdict >> VERDICT_BITS == word.ticket();
        if verdict & V_DIFFERS == 0 || !mine {
            return Ok(Agreed { raised: verdict & V_RAISED != 0 });
        }
        Err(Box::new(Differs {
            diverged: self
                .barrier()
                .field(|b| &b.blame[turn(word)])
                .look(|cell| cell.read(self.members.pes[self.rank])),
            fatal: verdict & V_FATAL != 0,
            kinds: verdict & V_KINDS != 0,
        }))
    }

    /// Two PEs: each watches the other's word.
    #[inline]
    fn meet_other(&self, asked: Asked<'_>, waits: &impl Waits) -> Result<Agreed, Box<Differs>> {
        let (mine, theirs, place) = (self.rank, 1 - self.rank, place(asked.word));
        match self.barrier() {
            // Said again, so that the compiler knows it where the words are watched.
            Part::Mapped(barrier) => {
                let words = |rank: usize| Part::Mapped(&barrier.pair.0[rank][place]);
                self.meet_by([words(mine), words(theirs)], asked, waits)
            }
            far @ Part::Far(_) => {
                let words = |rank: usize| far.field(|b| &b.pair.0[rank][place]);
                self.meet_by([words(mine), words(theirs)], asked, waits)
            }
        }
    }

    #[inline(always)]
    fn meet_by(
        &self,
        [mine, theirs]: [Part<'m, AtomicU64>; 2],
        asked: Asked<'_>,
        waits: &impl Waits,
    ) -> Result<Agreed, Box<Differs>> {
        let word = asked.word;
        let (here, there) = (self.here, &self.members.mailboxes[1 - self.rank]);
        // Release: who sees the word sees the arguments, and what this PE did before.
        match waits.exact() {
            true => drop(mine.swap(word.bits(), Ordering::AcqRel)),
            false => mine.store(word.bits(), Ordering::Release),
        }
        waits.notify(&here.line.event);
        let seen = || Word::from_bits(theirs.load(Ordering::Acquire));
        waits.wait(there.field(|m| &m.line.event), || seen().ticket() >= word.ticket());
        // One that was going to sleep while the word was on its way has counted itself by now.
        waits.notify(&here.line.event);
        let their_word = seen();
        // RENDEZVOUS-A5.
        if their_word.ticket() > word.ticket() || asked.agrees(their_word, there) {
            return Ok(Agreed { raised: word.is_raised() || their_word.is_raised() });
        }
        Err(self.blame(word))
    }

    fn barrier(&self) -> Part<'m, CentralBarrier> {
        self.members.mailboxes[0].barrier()
    }

    /// Joins the arrivals; the flags of all if this PE is the last.
    fn arrive(&self, asked: Asked<'_>) -> Option<Flags> {
        let word = asked.word;
        let mine = if word.is_raised() { RAISED } else { 0 };
        let arrivals = self.barrier().field(|b| &b.arrivals.0);
        let mut seen = arrivals.load(Ordering::Acquire);
        loop {
            let before = (seen >> LAST_SHIFT & COUNT) as usize;
            let pairs = seen >> TAG_SHIFT == word.tag();
            let agrees = before == 0 || (pairs && asked.agrees(word, &self.members.mailboxes[before - 1]));
            let flags = (seen & (DIFFERS | RAISED)) | mine | if agrees { 0 } else { DIFFERS };
            let count = (seen & COUNT) + 1;
            let next = count | (self.rank as u64 + 1) << LAST_SHIFT | flags | word.tag() << TAG_SHIFT;
            // Release: my signature is visible to the PE that arrives after me. Acquire: the signature of the
            // one before me, and everything all those before it did, is visible to me.
            match arrivals.compare_exchange(seen, next, Ordering::AcqRel, Ordering::Acquire) {
                Err(now) => seen = now,
                Ok(_) if count == self.members.len() as u64 => {
                    return Some(Flags { differs: flags & DIFFERS != 0, raised: flags & RAISED != 0 });
                }
                Ok(_) => return None,
            }
        }
    }

    /// The word to open the central barrier with.
    fn judge(&self, mut flags: Flags, ticket: u64, asked: Asked<'_>, waits: &impl Waits) -> u64 {
        if let Some(upper) = &self.upper {
            flags = upper.meet(&asked, &self.members, flags, waits);
        }
        let raised = if flags.raised { V_RAISED } else { 0 };
        if !flags.differs {
            return ticket | raised;
        }
        // Nobody has left yet.
        let verdict = self.verdict(|mailbox| mailbox.is_at());
        if let Some(upper) = &self.upper {
            upper.all_have_read(waits);
        }
        // Where the numbers differ, some PEs look into the one, some into the other.
        (0..2).for_each(|i| self.barrier().field(|b| &b.blame[i]).lay(|cell| cell.write(&verdict)));
        if verdict.numbers { BROKEN } else { ticket | raised | verdict.bits() }
    }

    /// RENDEZVOUS-A4, then the store that lets everybody go.
    fn open(&self, word: u64, waits: &impl Waits) {
        let barrier = self.barrier();
        barrier.field(|b| &b.arrivals.0).store(0, Ordering::Relaxed);
        // Release: who sees the central barrier open sees RENDEZVOUS-A4, the verdict, and what everybody did before it arrived. A
        // read-modify-write, as ringing wants it (`wait`, WAIT-B1).
        barrier.field(|b| &b.opened.word).swap(word, Ordering::AcqRel);
        if let Some(barrier) = barrier.mapped() {
            waits.notify(&barrier.opened.event);
        }
    }

    /// The verdict on what every member asks for, as `read` has it from its mailbox. If all ask for the same, but not after
    /// the same, the words are about the call before, where that tells them apart.
    fn verdict(&self, read: impl Fn(&Part<'_, Mailbox>) -> Signature) -> Verdict {
        let now = self.all_signatures(&read);
        let verdict = Verdict::of(&now);
        if !verdict.behind {
            return verdict;
        }
        let number = now[0].1.number().saturating_sub(1);
        let before =
            self.all_signatures(&|mailbox| mailbox.shown_in(number).unwrap_or(Signature::passed(number)));
        match Verdict::of(&before) {
            Verdict { behind: true, .. } => verdict,
            Verdict { culprit, reference, behind, .. } => Verdict { culprit, reference, behind, ..verdict },
        }
    }

    fn all_signatures(&self, read: &dyn Fn(&Part<'_, Mailbox>) -> Signature) -> Vec<(PeId, Signature)> {
        let members = self.upper.as_ref().map_or(&self.members, |upper| upper.all());
        let signatures = members.pes.iter().zip(members.mailboxes.iter());
        let mut all: Vec<_> = signatures.map(|(pe, mailbox)| (*pe, read(mailbox))).collect();
        all.sort_by_key(|(pe, _)| *pe);
        all
    }

    /// The verdict on two PEs that differ, which both come to.
    #[cold]
    fn blame(&self, word: Word) -> Box<Differs> {
        // The other one may have left for the next call.
        let shown =
            |mailbox: &Part<'_, Mailbox>| mailbox.shown_in(word.number()).unwrap_or_else(|| mailbox.is_at());
        let Verdict { culprit, reference, fatal, kinds, behind, .. } = self.verdict(shown);
        let diverged = Diverged {
            here: self.members.pes[self.rank],
            pe: culprit.0,
            got: said_after(&culprit.1, behind),
            reference: reference.0,
            expected: said(&reference.1),
        };
        Box::new(Differs { diverged, fatal, kinds })
    }
}

impl Asked<'_> {
    /// Whether a member that has shown `word` asks for the same.
    #[inline]
    fn agrees(&self, word: Word, mailbox: &Part<'_, Mailbox>) -> bool {
        word.pairs(self.word)
            && (word.step() > 0 || mailbox.cell(word.number()).agrees(word, self.args, self.history))
    }
}

/// Which of the two cells a call uses.
#[inline]
fn turn(word: Word) -> usize {
    (word.number() & 1) as usize
}

/// Which of the four places a rendezvous of two uses.
#[inline]
fn place(word: Word) -> usize {
    (word.number() & 1) as usize * 2 + (word.step() & 1) as usize
}
