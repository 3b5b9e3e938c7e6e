//! Whether the PEs of a host have a core each. They tell each other what they may run on: a launcher may have bound each
//! to a core of its own, and then none of them sees more than one. All come to the same answer, as waker and sleeper must
//! (`wait`, WAIT-B1).

use bytemuck::{Pod, Zeroable};
use rustix::thread::{CpuSet, sched_getaffinity};

const WORDS: usize = 16;

/// What a PE may run on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Cores {
    /// A bit for each core, none if that is not known.
    mask: [u64; WORDS],
    /// How many at a time.
    most: u64,
}

impl Cores {
    pub(crate) fn here() -> Cores {
        // Counts the control block group's limit, too.
        let most = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
        let mut mask = [0; WORDS];
        if let Ok(set) = sched_getaffinity(None) {
            let there = (0..CpuSet::MAX_CPU.min(64 * WORDS)).filter(|core| set.is_set(*core));
            there.for_each(|core| mask[core / 64] |= 1 << (core % 64));
        }
        Cores { mask, most }
    }

    fn count(&self) -> u64 {
        self.mask.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    fn is_within(&self, other: &Cores) -> bool {
        self.mask.iter().zip(&other.mask).all(|(mine, theirs)| mine & !theirs == 0)
    }

    /// Whether so many PEs, which may run there, share cores.
    pub(crate) fn are_crowded(all: &[Cores]) -> bool {
        let n = all.len() as u64;
        // A limit of the control block group is taken for one that all have together.
        let limited = |c: &Cores| (c.count() == 0 || c.most < c.count()) && n > c.most;
        let full =
            |c: &Cores| c.count() > 0 && all.iter().filter(|o| o.is_within(c)).count() as u64 > c.count();
        let any = all.iter().fold([0; WORDS], |any, c| std::array::from_fn(|i| any[i] | c.mask[i]));
        let any = Cores { mask: any, most: 0 };
        all.iter().any(|c| limited(c) || full(c)) || any.count() > 0 && n > any.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(mask: u64) -> Cores {
        Cores { mask: std::array::from_fn(|i| if i == 0 { mask } else { 0 }), most: mask.count_ones().into() }
    }

    #[test]
    fn pes_that_are_bound_are_crowded_only_where_they_share() {
        assert!(!Cores::are_crowded(&[on(0b01), on(0b10)]), "a core each");
        assert!(!Cores::are_crowded(&[on(0b11), on(0b11)]), "not bound");
        assert!(!Cores::are_crowded(&[on(0b01), on(0b11)]), "one of them bound");
        assert!(!Cores::are_crowded(&[on(0b0011), on(0b0011), on(0b1100), on(0b1100)]), "bound to sockets");
        assert!(Cores::are_crowded(&[on(0b01), on(0b01)]), "bound to one core");
        assert!(Cores::are_crowded(&[on(0b11); 3]), "more than there are");
        assert!(Cores::are_crowded(&[on(0xff), on(0b01), on(0b01)]), "two of them on one core");
        assert!(
            Cores::are_crowded(&[on(0b011), on(0b110), on(0b101), on(0b011)]),
            "more than there are together"
        );
    }

    #[test]
    fn a_limit_counts_and_so_does_what_is_not_known() {
        let limited = |most| Cores { most, ..on(0xff) };
        assert!(Cores::are_crowded(&[limited(2); 3]) && !Cores::are_crowded(&[limited(3); 3]));
        let unknown = |most| Cores { most, ..on(0) };
        assert!(Cores::are_crowded(&[unknown(2); 3]) && !Cores::are_crowded(&[unknown(2); 2]));
    }

    #[test]
    fn this_process_may_run_somewhere() {
        let here = Cores::here();
        assert!(here.most > 0 && here.count() >= here.most, "{here:?}");
        assert!(!Cores::are_crowded(&[here]), "{here:?}");
    }
}
