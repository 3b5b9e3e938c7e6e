//! Which PE is on which host: by its number in the world, the number of its host. Those of a host need not follow each other.
//!
//! Invariant **HOSTS-O1**: hosts are numbered from 0 in the order of their first PEs, so each has one.

use memheap::PeId;

/// See above.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HostOf(Vec<u32>);

impl HostOf {
    /// Of PEs that say where they are, each in its own way; who says the same is on one host.
    pub(crate) fn by<K: PartialEq>(where_pes_are: impl IntoIterator<Item = K>) -> HostOf {
        let mut known: Vec<K> = Vec::new();
        let number = |place: K| match known.iter().position(|other| *other == place) {
            Some(host) => host as u32,
            None => {
                known.push(place);
                known.len() as u32 - 1
            }
        };
        HostOf(where_pes_are.into_iter().map(number).collect())
    }

    /// All PEs are on one host; `fake`: they take themselves for so many.
    pub(crate) fn new(n_pes: u32, fake: Option<u32>) -> HostOf {
        let hosts = fake.unwrap_or(1).clamp(1, n_pes);
        HostOf::by((0..n_pes).map(|pe| u64::from(pe) * u64::from(hosts) / u64::from(n_pes)))
    }

    /// The host of a PE.
    #[inline]
    pub(crate) fn of(&self, pe: PeId) -> u32 {
        self.0[pe.0 as usize]
    }

    /// By PE.
    pub(crate) fn numbers(&self) -> &[u32] {
        &self.0
    }

    pub(crate) fn n_hosts(&self) -> u32 {
        self.0.iter().max().map_or(0, |last| last + 1)
    }

    pub(crate) fn are_several(&self) -> bool {
        self.0.iter().any(|host| *host != 0)
    }

    pub(crate) fn is_far(&self, me: PeId, pe: PeId) -> bool {
        self.of(me) != self.of(pe)
    }

    /// The PEs of a host.
    pub(crate) fn members(&self, host: u32) -> impl Iterator<Item = PeId> + '_ {
        self.0.iter().enumerate().filter(move |(_, of)| **of == host).map(|(pe, _)| PeId(pe as u32))
    }

    /// The first PE of a host.
    pub(crate) fn leader(&self, host: u32) -> Option<PeId> {
        self.members(host).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fake_hosts_are_stretches_of_pes() {
        let of = |n, fake| HostOf::new(n, fake).0;
        assert_eq!(of(4, None), [0; 4]);
        assert_eq!(of(4, Some(2)), [0, 0, 1, 1]);
        assert_eq!(of(5, Some(2)), [0, 0, 0, 1, 1]);
        assert_eq!(of(6, Some(3)), [0, 0, 1, 1, 2, 2]);
        assert_eq!(of(3, Some(8)), [0, 1, 2]);
        assert!(!HostOf::new(4, Some(1)).are_several() && HostOf::new(2, Some(2)).are_several());
        assert!(HostOf::new(4, Some(2)).is_far(PeId(1), PeId(2)));
    }

    #[test]
    fn hosts_have_numbers_in_the_order_of_their_first_pes() {
        let hosts = HostOf::by(["b", "a", "b", "c", "a"]);
        assert_eq!(hosts.numbers(), [0, 1, 0, 2, 1]);
        assert_eq!(hosts.n_hosts(), 3);
        assert_eq!(hosts.members(1).collect::<Vec<_>>(), [PeId(1), PeId(4)]);
        let leaders = [0, 1, 2, 3].map(|host| hosts.leader(host));
        assert_eq!(leaders, [Some(PeId(0)), Some(PeId(1)), Some(PeId(3)), None]);
    }
}
