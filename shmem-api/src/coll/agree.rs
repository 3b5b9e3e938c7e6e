//! The rendezvous: a barrier that also compares what the PEs ask for. *Agree first, then mutate.*
//!
//! ```text
//!   each PE:   show its slip in its own cell (two cells, used in turn)
//!              arrive at the host's gate: one word {how many, who was last, differs?, raised?}
//!                 and compare its slip with that of the PE that arrived just before it
//!   the last:  (other hosts: meet them through `Upper`)
//!              if anything differs, read all slips, write down who is to blame
//!              open the gate: one word {call number, verdict}
//! ```
//!
//! Equality is transitive, so comparing neighbours in the order of arrival compares all, exactly, for
//! one extra cache line per PE. Central counter, because PEs outnumber cores as a matter of course and
//! a tree of PEs that are not running is slower than one word that is.
//!
//! Invariants: **A1** nobody leaves rendezvous k before everybody has arrived at k. **A2** all PEs of
//! all hosts leave with the same verdict. **A3** the slips of rendezvous k stay readable until the
//! reader itself has arrived at k + 1: the cells alternate, and a cell is overwritten only after the
//! next rendezvous. **A4** the gate is ready for k + 1 before it opens for k.

use memheap::PeId;

use super::slip::{Kind, Slip, SlipCell};
use crate::error::Diverged;
use crate::order;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// Where the PEs of one host meet. All zero at first.
#[repr(C, align(64))]
pub(crate) struct Gate {
    /// How many have arrived, who was last (number within the host, plus 1), and the flags so far.
    arrivals: AtomicU64,
    /// The call number (its low 29 bits) and the verdict of the rendezvous that opened last.
    opened: AtomicU32,
    /// PEs asleep on `opened`.
    asleep: AtomicU32,
    /// Who was to blame in the last two calls.
    blame: [BlameCell; 2],
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

const VERDICT_BITS: u32 = 3;
const V_DIFFERS: u32 = 1;
const V_RAISED: u32 = 2;
const V_FATAL: u32 = 4;

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

/// No other host.
pub(crate) struct OneHost;

impl Upper for OneHost {
    fn meet(&self, _: &Slip, flags: Flags) -> Flags {
        flags
    }
    fn gather(&self, own: Vec<(PeId, Slip)>) -> Vec<(PeId, Slip)> {
        own
    }
}

/// One PE's place in a host's rendezvous.
pub(crate) struct Place<'m> {
    pub(crate) gate: &'m Gate,
    /// The two cells of each PE of this host, by number within the host.
    pub(crate) cells: Vec<&'m [SlipCell; 2]>,
    /// The PE of each place.
    pub(crate) pes: Vec<PeId>,
    /// This PE's number within the host.
    pub(crate) here: usize,
}

impl Place<'_> {
    /// Shows `slip` (numbered `call`), meets everybody, compares. `raised` says that this PE raises its
    /// hand: the one bit that need not agree, and that everybody hears of.
    /// `wait` is called with the word to watch, the count of sleepers on it, and the readiness test.
    pub(crate) fn meet(
        &self,
        call: u64,
        slip: &Slip,
        raised: bool,
        upper: &dyn Upper,
        wait: impl FnOnce(&AtomicU32, &AtomicU32, &dyn Fn() -> bool),
        wake: impl FnOnce(&AtomicU32),
    ) -> Result<Agreed, Differs> {
        let turn = (call & 1) as usize;
        self.cells[self.here][turn].show(slip);
        let ticket = (call as u32) << VERDICT_BITS;
        if let Some(flags) = self.arrive(slip, turn, raised) {
            let flags = upper.meet(slip, flags);
            let verdict = self.judge(flags, turn, upper);
            self.open(ticket | verdict, wake);
        } else {
            let opened = || self.gate.opened.load(Ordering::Acquire) & !((1 << VERDICT_BITS) - 1) == ticket;
            wait(&self.gate.opened, &self.gate.asleep, &opened);
        }
        let verdict = self.gate.opened.load(Ordering::Acquire);
        if verdict & V_DIFFERS == 0 {
            return Ok(Agreed { raised: verdict & V_RAISED != 0 });
        }
        Err(Differs {
            diverged: self.gate.blame[turn].read(self.pes[self.here]),
            fatal: verdict & V_FATAL != 0,
        })
    }

    /// Joins the arrivals; the flags of all if this PE is the last.
    fn arrive(&self, slip: &Slip, turn: usize, raised: bool) -> Option<Flags> {
        let mine = if raised { RAISED } else { 0 };
        let mut seen = self.gate.arrivals.load(Ordering::Acquire);
        loop {
            let before = (seen >> LAST_SHIFT & COUNT) as usize;
            let differs = before != 0 && !self.cells[before - 1][turn].shows(slip);
            let flags = (seen & (DIFFERS | RAISED)) | mine | if differs { DIFFERS } else { 0 };
            let count = (seen & COUNT) + 1;
            let next = count | ((self.here as u64 + 1) << LAST_SHIFT) | flags;
            // Release: my slip is visible to the PE that arrives after me. Acquire: the slip of the
            // one before me, and everything all those before it did, is visible to me.
            match self.gate.arrivals.compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Acquire) {
                Err(now) => seen = now,
                Ok(_) if count == self.cells.len() as u64 => {
                    return Some(Flags { differs: flags & DIFFERS != 0, raised: flags & RAISED != 0 });
                }
                Ok(_) => return None,
            }
        }
    }

    fn judge(&self, flags: Flags, turn: usize, upper: &dyn Upper) -> u32 {
        let raised = if flags.raised { V_RAISED } else { 0 };
        if !flags.differs {
            return raised;
        }
        let own = self.pes.iter().zip(&self.cells).map(|(pe, cells)| (*pe, cells[turn].read())).collect();
        let mut all = upper.gather(own);
        all.sort_by_key(|(pe, _)| *pe);
        let fatal = all.iter().any(|(_, slip)| slip.kind_is(Kind::Exit));
        self.gate.blame[turn].write(&all);
        raised | V_DIFFERS | if fatal { V_FATAL } else { 0 }
    }

    /// A4, then the store that lets everybody go.
    fn open(&self, word: u32, wake: impl FnOnce(&AtomicU32)) {
        self.gate.arrivals.store(0, Ordering::Relaxed);
        // Release: who sees the gate open sees A4, the verdict, and what everybody did before it arrived.
        self.gate.opened.swap(word, Ordering::AcqRel);
        // Here and at the sleeper's count: either the sleeper sees the gate open before it sleeps, or the
        // opener sees the sleeper (`wait`, B1).
        order::fence_after_amo();
        if self.gate.asleep.load(Ordering::Relaxed) != 0 {
            wake(&self.gate.opened);
        }
    }
}

impl BlameCell {
    /// The reference is what most PEs ask for (of equally many, the lowest PE's); to blame is the
    /// lowest PE that differs from it.
    fn write(&self, all: &[(PeId, Slip)]) {
        let votes = |slip: &Slip| all.iter().filter(|(_, s)| s == slip).count();
        let Some((reference, expected)) = all.iter().rev().max_by_key(|(_, slip)| votes(slip)) else {
            return;
        };
        let (culprit, got) = all.iter().find(|(_, slip)| slip != expected).unwrap_or(&all[0]);
        self.culprit.store(culprit.0, Ordering::Relaxed);
        self.reference.store(reference.0, Ordering::Relaxed);
        self.got.show(got);
        self.expected.show(expected);
    }

    fn read(&self, here: PeId) -> Diverged {
        Diverged {
            here,
            pe: PeId(self.culprit.load(Ordering::Relaxed)),
            got: self.got.read().to_string(),
            reference: PeId(self.reference.load(Ordering::Relaxed)),
            expected: self.expected.read().to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
