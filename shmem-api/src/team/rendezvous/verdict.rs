//! The verdict of a rendezvous in which PEs differ: who is to blame, what follows, and the words for it.
//!
//! It is on the call they meet in. If all ask for the same there, they differ in calls before in which nobody was met, and
//! only the words are about those.

use memheap::PeId;

use crate::error::Diverged;
use crate::node::central_barrier::BlameCell;
use crate::node::signature::{Kind, Signature};
use crate::sync::primitives::Ordering;

pub(crate) const VERDICT_BITS: u32 = 4;
pub(crate) const V_DIFFERS: u64 = 1;
pub(crate) const V_RAISED: u64 = 2;
pub(crate) const V_FATAL: u64 = 4;
pub(crate) const V_KINDS: u64 = 8;
/// The central barrier at which PEs with different numbers met: the job ends.
pub(crate) const BROKEN: u64 = u64::MAX;

/// A signature as lines for people have it.
pub(crate) fn said(signature: &Signature) -> String {
    format!("{signature} (call {})", signature.number())
}

/// As [`said`]; `behind` if it is not in this call that PEs differ.
pub(crate) fn said_after(signature: &Signature, behind: bool) -> String {
    if behind {
        format!("{}, after other calls in which nobody was met", said(signature))
    } else {
        said(signature)
    }
}

/// Who is to blame for a difference, and what follows.
pub(crate) struct Verdict {
    pub(crate) culprit: (PeId, Signature),
    pub(crate) reference: (PeId, Signature),
    pub(crate) fatal: bool,
    pub(crate) kinds: bool,
    /// They are not even at the same call: nothing can be right any more.
    pub(crate) numbers: bool,
    /// Culprit and reference ask for the same, after calls that differed.
    pub(crate) behind: bool,
}

impl Verdict {
    /// The reference is what most PEs ask for (of equally many, the lowest PE's); to blame is the
    /// lowest PE that differs from it.
    pub(crate) fn of(all: &[(PeId, Signature)]) -> Verdict {
        let votes = |signature: &Signature| all.iter().filter(|(_, s)| s == signature).count();
        let reference = all.iter().rev().max_by_key(|(_, signature)| votes(signature)).unwrap_or(&all[0]);
        let differ =
            |of: fn(&Signature) -> u64| all.iter().any(|(_, signature)| of(signature) != of(&all[0].1));
        let culprit = all.iter().find(|(_, signature)| *signature != reference.1).unwrap_or(&all[0]);
        Verdict {
            culprit: *culprit,
            reference: *reference,
            behind: culprit.1.same_call(&reference.1),
            fatal: differ(Signature::number)
                || all.iter().any(|(_, signature)| signature.kind_is(Kind::Exit)),
            numbers: differ(Signature::number),
            kinds: all.iter().any(|(_, signature)| !signature.same_kind(&all[0].1)),
        }
    }

    pub(crate) fn bits(&self) -> u64 {
        V_DIFFERS | if self.fatal { V_FATAL } else { 0 } | if self.kinds { V_KINDS } else { 0 }
    }
}

impl BlameCell {
    pub(crate) fn write(&self, verdict: &Verdict) {
        self.culprit.store(verdict.culprit.0.0, Ordering::Relaxed);
        self.reference.store(verdict.reference.0.0, Ordering::Relaxed);
        self.got.copy(&verdict.culprit.1);
        self.expected.copy(&verdict.reference.1);
        self.behind.store(verdict.behind.into(), Ordering::Relaxed);
    }

    pub(crate) fn read(&self, here: PeId) -> Diverged {
        Diverged {
            here,
            pe: PeId(self.culprit.load(Ordering::Relaxed)),
            got: said_after(&self.got.copied(), self.behind.load(Ordering::Relaxed) != 0),
            reference: PeId(self.reference.load(Ordering::Relaxed)),
            expected: said(&self.expected.copied()),
        }
    }
}
