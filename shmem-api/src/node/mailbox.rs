//! What a PE lays open to the other members of a team, in its own segment: one [`Mailbox`] per team slot.
//!
//! ```text
//!   line    at, left, history, gone, shows, meeting                 written by the owner; the event of those who wait for it
//!   cells   word + arguments, twice         call k shows in cell k mod 2: arguments, and small payloads
//!   barrier arrivals | opened | blame       used on the mailbox of the team's first member only
//! ```
//!
//! All words are zero at first and only grow in meaning: the numbers of a slot's calls never start over, even
//! when the slot goes to another team, so a PE that is slow to leave a destroyed team sees later numbers
//! and knows that it may go.

use crate::node::central_barrier::CentralBarrier;
use crate::node::event::Event;
use crate::node::signature::{Signature, SignatureCell, Word};
use crate::sync::primitives::{AtomicU64, Ordering};
use crate::transport::part::Part;

/// What a PE shows to the members of one team.
#[repr(C, align(64))]
pub(crate) struct Mailbox {
    pub(crate) line: Line,
    pub(crate) cells: [SignatureCell; 2],
    pub(crate) barrier: CentralBarrier,
}

/// How many different sets (start, stride, size and `pSync`) a PE can be a member of.
pub(crate) const SETS: usize = 8192;
/// How many of them can have a zone.
pub(crate) const SET_ZONES: usize = 64;

/// What a PE keeps for one set it is a member of. All zero at first.
#[repr(C, align(64))]
pub(crate) struct SetMailbox {
    /// The key; the second word, which is not zero, is written last.
    pub(crate) key: [AtomicU64; 2],
    /// Where other hosts are met, on the first member of a host: its zone among those for sets, plus 1; 0 if it has none. Written before
    /// the key.
    pub(crate) zone: AtomicU64,
    pub(crate) mailbox: Mailbox,
}

/// Where its owner is in the team's calls.
#[repr(C, align(64))]
pub(crate) struct Line {
    /// The word of the call it entered last.
    pub(crate) at: AtomicU64,
    /// What it is through with; see [`Progress`].
    progress: AtomicU64,
    /// What was asked for since the last rendezvous, in calls without one; 0 if there was none.
    pub(crate) history: AtomicU64,
    /// The first call number of the team it has dropped last.
    pub(crate) gone: AtomicU64,
    /// Where other hosts are met: how many words it shows in the meeting it is at, beyond those to agree on.
    pub(crate) shows: AtomicU64,
    /// As that: which meeting it has arrived at, as hosts count them (`team::upper`, UPPER-U1).
    pub(crate) meeting: AtomicU64,
    /// Of those who wait for what the owner shows.
    pub(crate) event: Event,
    /// Of those who wait for its progress.
    pub(crate) progress_event: Event,
}

/// How far a PE is: the lowest call that it has not left. Ordered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Progress(u64);

impl Progress {
    /// Has left call `number`: it reads nothing more of what was shown in it.
    #[inline]
    pub(crate) fn left(number: u64) -> Progress {
        Progress(number + 1)
    }

    /// The lowest call that has not been left.
    #[inline]
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

impl Mailbox {
    /// The number of the last call that was left here, whichever team it was of.
    pub(crate) fn last_number(&self) -> u64 {
        self.line.progress().number().saturating_sub(1)
    }
}

/// A member's mailbox, wherever that PE is.
impl<'m> Part<'m, Mailbox> {
    /// The word of the call its owner entered last.
    pub(crate) fn at(&self) -> Word {
        Word::from_bits(self.field(|m| &m.line.at).load(Ordering::Acquire))
    }

    /// How far its owner is.
    #[inline]
    pub(crate) fn progress(&self) -> Progress {
        Progress(self.field(|m| &m.line.progress).load(Ordering::Acquire))
    }

    /// What its owner asked for since the last rendezvous, in calls without one.
    pub(crate) fn history(&self) -> u64 {
        self.field(|m| &m.line.history).load(Ordering::Relaxed)
    }

    /// Which meeting of hosts its owner has arrived at.
    pub(crate) fn meeting(&self) -> u64 {
        self.field(|m| &m.line.meeting).load(Ordering::Acquire)
    }

    /// The first call number of the team its owner has dropped last.
    pub(crate) fn gone(&self) -> u64 {
        self.field(|m| &m.line.gone).load(Ordering::Acquire)
    }

    /// The cell that call `number` uses.
    #[inline]
    pub(crate) fn cell(&self, number: u64) -> Part<'m, SignatureCell> {
        self.field(|m| &m.cells[(number & 1) as usize])
    }

    /// The words in which the members meet, if its owner is the first of them.
    #[inline]
    pub(crate) fn barrier(&self) -> Part<'m, CentralBarrier> {
        self.field(|m| &m.barrier)
    }

    /// What its owner is at: with the arguments, if it has shown them.
    pub(crate) fn is_at(&self) -> Signature {
        let at = self.at();
        self.shown_in(at.number()).unwrap_or(Signature::of(at))
    }

    /// What its owner has shown in a call, if it has, and it has not been overwritten.
    pub(crate) fn shown_in(&self, number: u64) -> Option<Signature> {
        let signature = self.cell(number).read();
        (signature.number() == number).then_some(signature)
    }
}

impl Line {
    #[inline]
    pub(crate) fn progress(&self) -> Progress {
        Progress(self.progress.load(Ordering::Acquire))
    }

    /// Says how far the owner is. `exact`: by a read-modify-write, which notifying an event wants (`wait`, WAIT-B1).
    #[inline]
    pub(crate) fn set_progress(&self, progress: Progress, exact: bool) {
        match exact {
            true => drop(self.progress.swap(progress.0, Ordering::AcqRel)),
            false => self.progress.store(progress.0, Ordering::Release),
        }
    }
}

#[cfg(test)]
impl Mailbox {
    pub(crate) fn new() -> Mailbox {
        let event = Event::new;
        let zero = || AtomicU64::new(0);
        Mailbox {
            line: Line {
                at: zero(),
                progress: zero(),
                history: zero(),
                gone: zero(),
                shows: zero(),
                meeting: zero(),
                event: event(),
                progress_event: event(),
            },
            cells: [SignatureCell::new(), SignatureCell::new()],
            barrier: CentralBarrier::new(event()),
        }
    }
}
