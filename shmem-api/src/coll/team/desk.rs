//! What a PE lays open to the other members of a team, in its own segment: one [`TeamDesk`] per team slot.
//!
//! ```text
//!   line    at, left, gone                  written by the owner; the bell of those who wait for it
//!   cells   word + arguments, twice         call k shows in cell k mod 2
//!   ring    16 lines of word + 48 bytes     small payloads, which others take without a rendezvous
//!   gate    arrivals | opened | blame       used on the desk of the team's first member only
//! ```
//!
//! All words are zero at first and only grow in meaning: the numbers of a slot's calls never start over, even
//! when the slot goes to another team, so a PE that is slow to leave a destroyed team sees later numbers
//! and knows that it may go.

use crate::coll::agree::Gate;
use crate::coll::slip::{Cell, SlipCell};
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// Lines of a ring.
pub(crate) const RING: usize = 16;
/// Words a line of a ring has beside its own.
pub(crate) const RING_WORDS: usize = 7;

/// What a PE shows to the members of one team.
#[repr(C, align(64))]
pub(crate) struct TeamDesk {
    pub(crate) line: Line,
    pub(crate) cells: [SlipCell; 2],
    pub(crate) ring: [Cell<RING_WORDS>; RING],
    pub(crate) gate: Gate,
}

/// Where its owner is in the team's calls.
#[repr(C, align(64))]
pub(crate) struct Line {
    /// The word of the call it entered last.
    pub(crate) at: AtomicU64,
    /// What it is through with; see [`Progress`].
    progress: AtomicU64,
    /// The first call number of the team it has dropped last.
    pub(crate) gone: AtomicU64,
    /// Of those who wait for what the owner shows.
    pub(crate) bell: Bell,
    /// Of those who wait for its progress.
    pub(crate) progress_bell: Bell,
}

/// Something to sleep on.
#[repr(C)]
pub(crate) struct Bell {
    pub(crate) rung: AtomicU32,
    pub(crate) asleep: AtomicU32,
}

/// How far a PE is: in call `number`, through with `steps` of it. Ordered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Progress(u64);

impl Progress {
    /// Through with `steps` steps of call `number`.
    #[inline]
    pub(crate) fn step(number: u64, steps: u8) -> Progress {
        Progress(number << 8 | u64::from(steps))
    }

    /// Has left call `number`: it reads nothing more of what was shown in it.
    #[inline]
    pub(crate) fn left(number: u64) -> Progress {
        Progress::step(number + 1, 0)
    }

    /// The lowest call that has not been left.
    #[inline]
    pub(crate) fn number(self) -> u64 {
        self.0 >> 8
    }
}

impl TeamDesk {
    /// The number of the last call that was left here, whichever team it was of.
    pub(crate) fn last_number(&self) -> u64 {
        self.line.progress().number().saturating_sub(1)
    }
}

impl Line {
    #[inline]
    pub(crate) fn progress(&self) -> Progress {
        Progress(self.progress.load(Ordering::Acquire))
    }

    /// Says how far the owner is. `exact`: by a read-modify-write, which ringing a bell wants (`wait`, B1).
    #[inline]
    pub(crate) fn set_progress(&self, progress: Progress, exact: bool) {
        match exact {
            true => drop(self.progress.swap(progress.0, Ordering::AcqRel)),
            false => self.progress.store(progress.0, Ordering::Release),
        }
    }
}

#[cfg(test)]
impl TeamDesk {
    pub(crate) fn new() -> TeamDesk {
        let bell = || Bell { rung: AtomicU32::new(0), asleep: AtomicU32::new(0) };
        let zero = || AtomicU64::new(0);
        TeamDesk {
            line: Line { at: zero(), progress: zero(), gone: zero(), bell: bell(), progress_bell: bell() },
            cells: [SlipCell::new(), SlipCell::new()],
            ring: std::array::from_fn(|_| Cell::new()),
            gate: Gate::new(bell()),
        }
    }
}
