//! Whether the PEs of a host have a core each. They tell each other what they may run on: a launcher may have bound each
//! to a core of its own, and then none of them sees more than one. Containers of one machine are hosts of their own that share
//! its cores: so the PEs of all of them count. All of a host come to the same answer, as waker and sleeper must (`wait`, WAIT-B1).

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

    /// Whether PEs share cores, given what those of a host may run on, and those of all hosts on its machine.
    pub(crate) fn are_crowded(host: &[Cores], machine: &[Cores]) -> bool {
        // A limit of the control block group is taken for one that all of the host have together.
        let limited = |c: &Cores| (c.count() == 0 || c.most < c.count()) && host.len() as u64 > c.most;
        let within = |c: &Cores| machine.iter().filter(|o| o.is_within(c)).count() as u64;
        let full = |c: &Cores| c.count() > 0 && within(c) > c.count();
        let any = machine.iter().fold([0; WORDS], |any, c| std::array::from_fn(|i| any[i] | c.mask[i]));
        let any = Cores { mask: any, most: 0 };
        host.iter().any(limited)
            || machine.iter().any(full)
            || any.count() > 0 && machine.len() as u64 > any.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(mask: u64) -> Cores {
        Cores { mask: std::array::from_fn(|i| if i == 0 { mask } else { 0 }), most: mask.count_ones().into() }
    }

    /// On a host that has the machine to itself.
    fn are_crowded(all: &[Cores]) -> bool {
        Cores::are_crowded(all, all)
    }

    #[test]
    fn pes_that_are_bound_are_crowded_only_where_they_share() {
        assert!(!are_crowded(&[on(0b01), on(0b10)]), "a core each");
        assert!(!are_crowded(&[on(0b11), on(0b11)]), "not bound");
        assert!(!are_crowded(&[on(0b01), on(0b11)]), "one of them bound");
        assert!(!are_crowded(&[on(0b0011), on(0b0011), on(0b1100), on(0b1100)]), "bound to sockets");
        assert!(are_crowded(&[on(0b01), on(0b01)]), "bound to one core");
        assert!(are_crowded(&[on(0b11); 3]), "more than there are");
        assert!(are_crowded(&[on(0xff), on(0b01), on(0b01)]), "two of them on one core");
        assert!(are_crowded(&[on(0b011), on(0b110), on(0b101), on(0b011)]), "more than there are together");
    }

    #[test]
    fn a_limit_counts_and_so_does_what_is_not_known() {
        let limited = |most| Cores { most, ..on(0xff) };
        assert!(are_crowded(&[limited(2); 3]) && !are_crowded(&[limited(3); 3]));
        let unknown = |most| Cores { most, ..on(0) };
        assert!(are_crowded(&[unknown(2); 3]) && !are_crowded(&[unknown(2); 2]));
    }

    #[test]
    fn containers_of_a_machine_share_its_cores_and_have_limits_of_their_own() {
        let (two, each) = ([on(0b11); 2], [on(0b01), on(0b10)]);
        assert!(Cores::are_crowded(&two, &[on(0b11); 4]), "two pairs on two cores");
        assert!(!Cores::are_crowded(&two, &[two, [on(0b1100); 2]].concat()), "each pair on cores of its own");
        assert!(Cores::are_crowded(&each, &[each, each].concat()), "bound to the same cores");
        let limited = [Cores { most: 2, ..on(0xff) }; 2];
        assert!(
            !Cores::are_crowded(&limited, &[limited; 4].concat()),
            "eight on eight, each pair with time for two"
        );
        assert!(Cores::are_crowded(&limited, &[limited; 5].concat()), "ten on eight");
    }

    #[test]
    fn this_process_may_run_somewhere() {
        let here = Cores::here();
        assert!(here.most > 0 && here.count() >= here.most, "{here:?}");
        assert!(!are_crowded(&[here]), "{here:?}");
    }
}
