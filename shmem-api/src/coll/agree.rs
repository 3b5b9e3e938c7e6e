//! The rendezvous of a team: a barrier that also compares what its members ask for. *Agree first, then
//! mutate.*
//!
//! ```text
//!   each PE:   lay the arguments in its own cell (two cells, used in turn), show the word
//!
//!   two PEs:   write the word into the one line both have in common, and watch the other's word there;
//!              compare with the own; both come to the same verdict
//!
//!   more:      arrive at the gate on the first member's desk: one word {how many, who was last, which
//!              call, differs?, raised?}, and compare with the PE that arrived just before
//!              the last: if anything differs, read all slips, write down who is to blame
//!                        open the gate: one word {call number, verdict}
//! ```
//!
//! Of two PEs, the one that has the line finds it complete when it is the last to arrive, and arrives at the
//! next rendezvous while it still has it; so each rendezvous moves the line once, where two lines, one each,
//! would both move. For more, comparing neighbours in the order of arrival compares all, since equality is transitive. The gate
//! is one counter, not a tree or rounds of exchanges, because PEs outnumber cores as a matter of course: a
//! PE that is not running delays every round it takes part in, and a counter it takes part in once.
//!
//! Invariants: **A1** nobody leaves rendezvous k before everybody has arrived at k. **A2** all PEs leave with
//! the same verdict. **A3** the slips of rendezvous k stay readable until the reader itself has left k: the
//! cells alternate, and a cell is laid anew only when its readers have left (`TeamCore` sees to it). **A4**
//! the gate is ready for k + 1 before it opens for k. **A5** a word with a later number than one's own is seen
//! by those only who are the last to leave the destruction of a team, whose slot is in use again: had anything
//! differed there, the job would have ended.

use memheap::PeId;

use super::slip::{Kind, Slip, SlipCell, Word};
use super::team::desk::{Bell, TeamDesk};
use crate::error::Diverged;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// Where more than two PEs meet. All zero at first.
#[repr(C, align(64))]
pub(crate) struct Gate {
    pair: Pair,
    arrivals: Arrivals,
    opened: Opened,
    /// Who was to blame in the last two calls.
    blame: [BlameCell; 2],
}

/// The words of two PEs, of each the last two: one line.
#[repr(C, align(64))]
struct Pair([[AtomicU64; 2]; 2]);

/// How many have arrived, who was last (its rank, plus 1), at which call, and the flags so far.
#[repr(C, align(64))]
struct Arrivals(AtomicU64);

/// The number and the verdict of the rendezvous that opened last.
#[repr(C, align(64))]
struct Opened {
    word: AtomicU64,
    bell: Bell,
}

#[repr(C, align(64))]
struct BlameCell {
    culprit: AtomicU32,
    reference: AtomicU32,
    got: SlipCell,
    expected: SlipCell,
}

const COUNT: u64 = 0xffff;
const LAST_SHIFT: u32 = 16;
const DIFFERS: u64 = 1 << 32;
const RAISED: u64 = 1 << 33;
const TAG_SHIFT: u32 = 34;

const VERDICT_BITS: u32 = 4;
const V_DIFFERS: u64 = 1;
const V_RAISED: u64 = 2;
const V_FATAL: u64 = 4;
const V_KINDS: u64 = 8;

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
    /// Some PE was at the end of a phase: others hold handles, so the job cannot go on (rule S3).
    pub(crate) fatal: bool,
    /// The PEs were at different calls, not just at one call with different arguments.
    pub(crate) kinds: bool,
}

/// What the hosts tell each other; on one host there is nobody to tell.
pub(crate) trait Upper: Send + Sync {
    /// Called by the last PE of each host to arrive, with its slip and its host's flags. Returns the
    /// flags of all hosts, `differs` set also if the hosts' slips are not all equal.
    fn meet(&self, slip: &Slip, flags: Flags) -> Flags;

    /// Called after `meet` said that something differs: all slips of all hosts, with their PEs.
    fn gather(&self, own: Vec<(PeId, Slip)>) -> Vec<(PeId, Slip)>;
}

/// What travels with a rendezvous.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) differs: bool,
    pub(crate) raised: bool,
}

/// How a PE waits for another, and wakes it.
pub(crate) trait Waits {
    /// Waits until `ready`, asleep on `bell` if it takes long.
    fn wait(&self, bell: &Bell, ready: impl Fn() -> bool);
    /// Wakes those asleep on `bell`.
    fn ring(&self, bell: &Bell);
    /// Whether sleeping is so common that whoever has news must see every sleeper: its store is a full
    /// fence, too.
    fn exact(&self) -> bool;
}

/// One member's place in its team's rendezvous.
pub(crate) struct Place<'m> {
    /// By rank.
    pub(crate) desks: Box<[&'m TeamDesk]>,
    /// By rank.
    pub(crate) pes: Box<[PeId]>,
    /// This member's rank.
    pub(crate) rank: usize,
    /// The other hosts, if the team has members there.
    pub(crate) upper: Option<&'m dyn Upper>,
}

impl Place<'_> {
    /// Shows `word` and `args` (of which the word says how many must agree), meets everybody, compares.
    #[inline]
    pub(crate) fn meet(&self, word: Word, args: &[u64], waits: &impl Waits) -> Result<Agreed, Box<Differs>> {
        let here = self.desks[self.rank];
        let cell = &here.cells[turn(word)];
        cell.lay(args);
        cell.show(word, false);
        let args = &args[..word.agreed()];
        if self.desks.len() == 2 && self.upper.is_none() {
            return self.meet_other(word, args, waits);
        }
        self.meet_all(word, args, waits)
    }

    /// More than two, or on several hosts: at the gate.
    #[inline(never)]
    fn meet_all(&self, word: Word, args: &[u64], waits: &impl Waits) -> Result<Agreed, Box<Differs>> {
        let ticket = word.number() << VERDICT_BITS;
        let opened = &self.gate().opened;
        let verdict = match self.arrive(word, args) {
            Some(flags) => {
                let verdict = self.judge(flags, word);
                self.open(ticket | verdict, waits);
                ticket | verdict
            }
            None => {
                waits.wait(&opened.bell, || opened.word.load(Ordering::Acquire) >= ticket);
                opened.word.load(Ordering::Acquire)
            }
        };
        // A5.
        if verdict & V_DIFFERS == 0 || verdict >> VERDICT_BITS != word.number() {
            return Ok(Agreed { raised: verdict & V_RAISED != 0 });
        }
        Err(Box::new(Differs {
            diverged: self.gate().blame[turn(word)].read(self.pes[self.rank]),
            fatal: verdict & V_FATAL != 0,
            kinds: verdict & V_KINDS != 0,
        }))
    }

    /// Two PEs: each watches the other's word.
    #[inline]
    fn meet_other(&self, word: Word, args: &[u64], waits: &impl Waits) -> Result<Agreed, Box<Differs>> {
        let (here, there) = (self.desks[self.rank], self.desks[1 - self.rank]);
        let [mine, theirs] = [self.rank, 1 - self.rank].map(|rank| &self.gate().pair.0[rank][turn(word)]);
        // Release: who sees the word sees the arguments, and what this PE did before.
        match waits.exact() {
            true => drop(mine.swap(word.bits(), Ordering::AcqRel)),
            false => mine.store(word.bits(), Ordering::Release),
        }
        waits.ring(&here.line.bell);
        let seen = || Word::from_bits(theirs.load(Ordering::Acquire));
        waits.wait(&there.line.bell, || seen().number() >= word.number());
        // One that was going to sleep while the word was on its way has counted itself by now.
        waits.ring(&here.line.bell);
        let their_word = seen();
        // A5.
        if their_word.number() > word.number()
            || (their_word.pairs(word) && there.cells[turn(word)].has(args))
        {
            return Ok(Agreed { raised: word.is_raised() || their_word.is_raised() });
        }
        Err(self.blame(word))
    }

    fn gate(&self) -> &Gate {
        &self.desks[0].gate
    }

    /// Joins the arrivals; the flags of all if this PE is the last.
    fn arrive(&self, word: Word, args: &[u64]) -> Option<Flags> {
        let mine = if word.is_raised() { RAISED } else { 0 };
        let arrivals = &self.gate().arrivals.0;
        let mut seen = arrivals.load(Ordering::Acquire);
        loop {
            let before = (seen >> LAST_SHIFT & COUNT) as usize;
            let pairs = seen >> TAG_SHIFT == word.tag();
            let agrees = before == 0 || (pairs && self.desks[before - 1].cells[turn(word)].has(args));
            let flags = (seen & (DIFFERS | RAISED)) | mine | if agrees { 0 } else { DIFFERS };
            let count = (seen & COUNT) + 1;
            let next = count | (self.rank as u64 + 1) << LAST_SHIFT | flags | word.tag() << TAG_SHIFT;
            // Release: my slip is visible to the PE that arrives after me. Acquire: the slip of the
            // one before me, and everything all those before it did, is visible to me.
            match arrivals.compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Acquire) {
                Err(now) => seen = now,
                Ok(_) if count == self.desks.len() as u64 => {
                    return Some(Flags { differs: flags & DIFFERS != 0, raised: flags & RAISED != 0 });
                }
                Ok(_) => return None,
            }
        }
    }

    fn judge(&self, mut flags: Flags, word: Word) -> u64 {
        if let Some(upper) = self.upper {
            flags = upper.meet(&self.desks[self.rank].cells[turn(word)].read().0, flags);
        }
        let raised = if flags.raised { V_RAISED } else { 0 };
        if !flags.differs {
            return raised;
        }
        let all = self.all_slips(turn(word));
        let verdict = Verdict::of(&all);
        self.gate().blame[turn(word)].write(&verdict, word.number());
        raised | verdict.bits()
    }

    /// A4, then the store that lets everybody go.
    fn open(&self, word: u64, waits: &impl Waits) {
        let gate = self.gate();
        gate.arrivals.0.store(0, Ordering::Relaxed);
        // Release: who sees the gate open sees A4, the verdict, and what everybody did before it arrived. A
        // read-modify-write, as ringing wants it (`wait`, B1).
        gate.opened.word.swap(word, Ordering::AcqRel);
        waits.ring(&gate.opened.bell);
    }

    /// What every member shows in this rendezvous.
    fn all_slips(&self, turn: usize) -> Vec<(PeId, Slip)> {
        let own =
            self.pes.iter().zip(&self.desks).map(|(pe, desk)| (*pe, desk.cells[turn].read().0)).collect();
        let mut all = match self.upper {
            Some(upper) => upper.gather(own),
            None => own,
        };
        all.sort_by_key(|(pe, _)| *pe);
        all
    }

    /// The verdict on two PEs that differ, which both come to.
    #[cold]
    fn blame(&self, word: Word) -> Box<Differs> {
        let all = self.all_slips(turn(word));
        let verdict = Verdict::of(&all);
        let text = |slip: &Slip| said(slip, word.number());
        let diverged = Diverged {
            here: self.pes[self.rank],
            pe: verdict.culprit.0,
            got: text(verdict.culprit.1),
            reference: verdict.reference.0,
            expected: text(verdict.reference.1),
        };
        Box::new(Differs { diverged, fatal: verdict.fatal, kinds: verdict.kinds })
    }
}

/// Which of the two cells a call uses.
fn turn(word: Word) -> usize {
    (word.number() & 1) as usize
}

/// A slip as lines for people have it.
pub(crate) fn said(slip: &Slip, number: u64) -> String {
    format!("{slip} (call {number})")
}

/// Who is to blame for a difference, and what follows.
struct Verdict<'a> {
    culprit: (PeId, &'a Slip),
    reference: (PeId, &'a Slip),
    fatal: bool,
    kinds: bool,
}

impl<'a> Verdict<'a> {
    /// The reference is what most PEs ask for (of equally many, the lowest PE's); to blame is the
    /// lowest PE that differs from it.
    fn of(all: &'a [(PeId, Slip)]) -> Verdict<'a> {
        let votes = |slip: &Slip| all.iter().filter(|(_, s)| s == slip).count();
        let reference = all.iter().rev().max_by_key(|(_, slip)| votes(slip)).unwrap_or(&all[0]);
        let culprit = all.iter().find(|(_, slip)| *slip != reference.1).unwrap_or(&all[0]);
        Verdict {
            culprit: (culprit.0, &culprit.1),
            reference: (reference.0, &reference.1),
            fatal: all.iter().any(|(_, slip)| slip.kind_is(Kind::Exit)),
            kinds: all.iter().any(|(_, slip)| !slip.same_kind(&all[0].1)),
        }
    }

    fn bits(&self) -> u64 {
        V_DIFFERS | if self.fatal { V_FATAL } else { 0 } | if self.kinds { V_KINDS } else { 0 }
    }
}

impl BlameCell {
    fn write(&self, verdict: &Verdict<'_>, number: u64) {
        self.culprit.store(verdict.culprit.0.0, Ordering::Relaxed);
        self.reference.store(verdict.reference.0.0, Ordering::Relaxed);
        self.got.copy(verdict.culprit.1, number);
        self.expected.copy(verdict.reference.1, number);
    }

    fn read(&self, here: PeId) -> Diverged {
        let text = |cell: &SlipCell| {
            let (slip, number) = cell.read();
            said(&slip, number)
        };
        Diverged {
            here,
            pe: PeId(self.culprit.load(Ordering::Relaxed)),
            got: text(&self.got),
            reference: PeId(self.reference.load(Ordering::Relaxed)),
            expected: text(&self.expected),
        }
    }
}

#[cfg(test)]
impl Gate {
    pub(crate) fn new(bell: Bell) -> Gate {
        let blame = || BlameCell {
            culprit: AtomicU32::new(0),
            reference: AtomicU32::new(0),
            got: SlipCell::new(),
            expected: SlipCell::new(),
        };
        Gate {
            pair: Pair(std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0)))),
            arrivals: Arrivals(AtomicU64::new(0)),
            opened: Opened { word: AtomicU64::new(0), bell },
            blame: [blame(), blame()],
        }
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(test)]
mod tests;
