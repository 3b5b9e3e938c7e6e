//! The words in which the members of a team meet, on the mailbox of the first of them (`team::rendezvous` has how).

use crate::node::event::Event;
use crate::node::signature::SignatureCell;
use crate::sync::primitives::{AtomicU32, AtomicU64};

/// Where more than two PEs meet. All zero at first.
#[repr(C, align(64))]
pub(crate) struct CentralBarrier {
    pub(crate) pair: Pair,
    pub(crate) arrivals: Arrivals,
    pub(crate) opened: Opened,
    /// Who was to blame in the last two calls.
    pub(crate) blame: [BlameCell; 2],
}

/// The words of two PEs, one line: of each those of the last two calls, and in each the last two rendezvous, so that
/// the next one, whichever it is, has another place.
#[repr(C, align(64))]
pub(crate) struct Pair(pub(crate) [[AtomicU64; 4]; 2]);

/// How many have arrived, who was last (its rank, plus 1), at which call, and the flags so far.
#[repr(C, align(64))]
pub(crate) struct Arrivals(pub(crate) AtomicU64);

/// The ticket and the verdict of the rendezvous that opened last.
#[repr(C, align(64))]
pub(crate) struct Opened {
    pub(crate) word: AtomicU64,
    pub(crate) event: Event,
}

/// Where the PE that opens a central barrier lays the verdict's words.
#[repr(C, align(64))]
pub(crate) struct BlameCell {
    pub(crate) culprit: AtomicU32,
    pub(crate) reference: AtomicU32,
    pub(crate) got: SignatureCell,
    pub(crate) expected: SignatureCell,
    /// Not zero if they ask for the same, after calls that differed.
    pub(crate) behind: AtomicU32,
}

#[cfg(test)]
impl CentralBarrier {
    pub(crate) fn new(event: Event) -> CentralBarrier {
        CentralBarrier {
            pair: Pair(std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0)))),
            arrivals: Arrivals(AtomicU64::new(0)),
            opened: Opened { word: AtomicU64::new(0), event },
            blame: [BlameCell::new(), BlameCell::new()],
        }
    }
}

#[cfg(test)]
impl BlameCell {
    pub(crate) fn new() -> BlameCell {
        let zero = || AtomicU32::new(0);
        let (got, expected) = (SignatureCell::new(), SignatureCell::new());
        BlameCell { culprit: zero(), reference: zero(), got, expected, behind: zero() }
    }
}
