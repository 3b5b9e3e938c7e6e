//! Which PE is on which host.
//!
//! ```text
//!   PE     0 1 2 3 4          host 0: PE 0, 2, 3    its leader: PE 0
//!   host   0 1 0 0 1          host 1: PE 1, 4       its leader: PE 1
//! ```
//!
//! Invariant: **HOSTOF-H1** hosts are numbered by their first PEs, from 0, and each has one; its PEs are in rising order.

use memheap::PeId;

/// By PE: the number of its host, and by host its PEs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HostOf {
    of: Box<[u32]>,
    members: Vec<Vec<PeId>>,
}

impl HostOf {
    /// PEs for which `of` is equal are on one host.
    pub(crate) fn by<T: PartialEq>(of: &[T]) -> HostOf {
        let mut members: Vec<Vec<PeId>> = Vec::new();
        let host = |pe: usize| {
            let like_it = |there: &Vec<PeId>| of[there[0].0 as usize] == of[pe];
            let host = members.iter().position(like_it).unwrap_or_else(|| {
                members.push(Vec::new());
                members.len() - 1
            });
            members[host].push(PeId(pe as u32));
            host as u32
        };
        HostOf { of: (0..of.len()).map(host).collect(), members }
    }

    /// All are on one host.
    pub(crate) fn one(n_pes: u32) -> HostOf {
        HostOf::by(&vec![(); n_pes as usize])
    }

    /// The same, with each host cut into parts.
    pub(crate) fn cut(&self, shape: &FakeHosts) -> HostOf {
        let mut parts = vec![0; self.of.len()];
        for there in &self.members {
            for (place, pe) in there.iter().enumerate() {
                parts[pe.0 as usize] = shape.part(place, there.len());
            }
        }
        HostOf::by(&self.of.iter().zip(parts).collect::<Vec<_>>())
    }

    /// By PE.
    pub(crate) fn as_slice(&self) -> &[u32] {
        &self.of
    }

    /// The host of a PE.
    #[inline]
    pub(crate) fn of(&self, pe: PeId) -> u32 {
        self.of[pe.0 as usize]
    }

    /// How many hosts there are.
    pub(crate) fn n_hosts(&self) -> u32 {
        self.members.len() as u32
    }

    /// The PEs of a host, in rising order.
    pub(crate) fn members(&self, host: u32) -> &[PeId] {
        &self.members[host as usize]
    }

    /// The PEs of the host of `pe`.
    pub(crate) fn beside(&self, pe: PeId) -> &[PeId] {
        self.members(self.of(pe))
    }

    /// The first PE of a host.
    pub(crate) fn leader(&self, host: u32) -> PeId {
        self.members(host)[0]
    }

    /// The host of a PE for a reader, `called` so if it has a name, and all that are on it.
    pub(crate) fn name(&self, pe: PeId, called: &str) -> String {
        let there = self.beside(pe);
        let in_a_row = there.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0);
        let pes = match there {
            [one] => format!("PE {one}"),
            [first, .., last] if in_a_row => format!("PEs {first} to {last}"),
            all => format!("PEs {}", all.iter().map(PeId::to_string).collect::<Vec<_>>().join(", ")),
        };
        match called {
            "" => format!("host {} ({pes})", self.of(pe)),
            called => format!("host {called} ({pes})"),
        }
    }

    pub(crate) fn are_several(&self) -> bool {
        self.members.len() > 1
    }

    /// Whether they are on one host.
    #[inline]
    pub(crate) fn share(&self, one: PeId, other: PeId) -> bool {
        self.of(one) == self.of(other)
    }
}

/// How the PEs of one machine take themselves for several hosts: `SHMEM_FAKE_HOSTS`, for tests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum FakeHosts {
    /// `2`: so many stretches of PEs, as equal as can be.
    Stretches(usize),
    /// `1+3`: stretches of so many; the last takes all that are left, and those for whom none are left do not exist.
    Sizes(Vec<usize>),
    /// `cyclic:2`: to so many in turn.
    Cyclic(usize),
}

impl FakeHosts {
    /// From a value of the setting that its grammar accepts.
    pub(crate) fn parse(text: &str) -> Option<FakeHosts> {
        let number = |text: &str| text.trim().parse().ok().filter(|n| *n > 0);
        match text.trim().strip_prefix("cyclic:") {
            Some(n) => number(n).map(FakeHosts::Cyclic),
            None if text.contains('+') => {
                text.split('+').map(number).collect::<Option<_>>().map(FakeHosts::Sizes)
            }
            None => number(text).map(FakeHosts::Stretches),
        }
    }

    /// Which part the PE at that place among the `n` of a machine belongs to.
    fn part(&self, place: usize, n: usize) -> usize {
        match self {
            FakeHosts::Stretches(parts) => place * (*parts).clamp(1, n) / n,
            FakeHosts::Cyclic(parts) => place % parts,
            FakeHosts::Sizes(sizes) => {
                let ends = sizes.iter().scan(0, |end, size| {
                    *end += size;
                    Some(*end)
                });
                ends.take_while(|end| *end <= place).count().min(sizes.len() - 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_host_is_named_with_its_pes() {
        let named = |of: &[u32], pe, called| HostOf::by(of).name(PeId(pe), called);
        assert_eq!(named(&[0, 0, 1, 1, 1], 3, ""), "host 1 (PEs 2 to 4)");
        assert_eq!(named(&[0, 1, 0, 1, 2], 1, ""), "host 1 (PEs 1, 3)");
        assert_eq!(named(&[0, 1, 0, 1, 2], 4, "node7"), "host node7 (PE 4)");
    }

    fn pes(all: &[u32]) -> Vec<PeId> {
        all.iter().copied().map(PeId).collect()
    }

    #[test]
    fn hosts_are_numbered_by_their_first_pes() {
        let hosts = HostOf::by(&["b", "a", "b", "b", "a", "c"]);
        assert_eq!(hosts.as_slice(), [0, 1, 0, 0, 1, 2]);
        assert_eq!((hosts.n_hosts(), hosts.are_several()), (3, true));
        assert_eq!(hosts.members(0), pes(&[0, 2, 3]));
        assert_eq!(hosts.beside(PeId(4)), pes(&[1, 4]));
        assert_eq!([0, 1, 2].map(|host| hosts.leader(host).0), [0, 1, 5]);
        assert!(hosts.share(PeId(0), PeId(3)) && !hosts.share(PeId(0), PeId(4)));
        assert!(!HostOf::one(3).are_several());
    }

    #[test]
    fn fake_hosts_cut_one_machine() {
        let of = |n, shape| HostOf::one(n).cut(&FakeHosts::parse(shape).unwrap()).as_slice().to_vec();
        assert_eq!(of(4, "1"), [0; 4]);
        assert_eq!(of(4, "2"), [0, 0, 1, 1]);
        assert_eq!(of(5, "2"), [0, 0, 0, 1, 1]);
        assert_eq!(of(6, "3"), [0, 0, 1, 1, 2, 2]);
        assert_eq!(of(3, "8"), [0, 1, 2]);
        assert_eq!(of(4, "1+3"), [0, 1, 1, 1]);
        assert_eq!(of(6, " 1 + 3 "), [0, 1, 1, 1, 1, 1]);
        assert_eq!(of(5, "3+1+1"), [0, 0, 0, 1, 2]);
        assert_eq!(of(2, "1+3"), [0, 1]);
        assert_eq!(of(1, "1+3"), [0]);
        assert_eq!(of(5, "cyclic:2"), [0, 1, 0, 1, 0]);
        assert_eq!(of(2, "cyclic:9"), [0, 1]);
        for wrong in ["", "0", "+", "1+", "1+0", "cyclic", "cyclic:", "cyclic:0", "-1", "2+x"] {
            assert_eq!(FakeHosts::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_host_is_cut_by_itself() {
        let hosts = HostOf::by(&[7, 8, 7, 8, 7]);
        assert_eq!(hosts.cut(&FakeHosts::Stretches(2)).as_slice(), [0, 1, 0, 2, 3]);
    }
}
