//! Who is on which host, and which process of a host serves whom.
//!
//! ```text
//!   host 0: PE 0 1 2      what PE 0 asks of host 1 goes to PE 3, what PE 1 asks to PE 4, what PE 2 asks to PE 3:
//!   host 1: PE 3 4        each PE by its own place on its host, so those of a host are spread over those of another
//! ```
//!
//! Every process has the memory of all PEs of its host mapped, so any of them can serve for all.
//!
//! Invariant: **FAR-H1** what a PE asks of a host always goes to the same process there: that one keeps the order of it.

use memheap::PeId;

/// Of a job, as one PE sees it.
pub(crate) struct Hosts {
    me: PeId,
    /// By PE: the number of its host, and its place among the PEs there.
    of: Vec<(u32, u32)>,
    /// By host.
    pes: Vec<Vec<PeId>>,
}

impl Hosts {
    /// `of`: the host of each PE; all numbers from 0 up to the largest are in it. `me` is one of the PEs.
    pub(crate) fn new(me: PeId, of: &[u32]) -> Hosts {
        let hosts = of.iter().max().map_or(0, |&most| most as usize + 1);
        let mut pes = vec![Vec::new(); hosts];
        let placed = of.iter().enumerate().map(|(pe, &host)| {
            let on = &mut pes[host as usize];
            on.push(PeId(pe as u32));
            (host, on.len() as u32 - 1)
        });
        let of = placed.collect();
        Hosts { me, of, pes }
    }

    pub(super) fn me(&self) -> PeId {
        self.me
    }

    /// How many hosts there are.
    pub(super) fn n(&self) -> usize {
        self.pes.len()
    }

    /// How many PEs there are.
    pub(super) fn n_pes(&self) -> usize {
        self.of.len()
    }

    /// The host of a PE, if there is such a PE.
    pub(super) fn host(&self, pe: PeId) -> Option<usize> {
        self.of.get(pe.0 as usize).map(|&(host, _)| host as usize)
    }

    /// Whether it is a PE of this host.
    pub(super) fn is_here(&self, pe: PeId) -> bool {
        self.host(pe).is_some_and(|host| Some(host) == self.host(self.me))
    }

    /// The process of a host that does what `of` asks of its PEs: FAR-H1.
    pub(super) fn server(&self, host: usize, of: PeId) -> Option<PeId> {
        let (_, place) = *self.of.get(of.0 as usize)?;
        let pes = self.pes.get(host)?;
        pes.get((place as usize).checked_rem(pes.len())?).copied()
    }

    /// Whether this process is to notice if that host is lost, whatever it asks of it: the first PE of a host sees to the next one.
    pub(super) fn watches(&self, host: usize) -> bool {
        let mine = self.host(self.me);
        mine.is_some_and(|mine| self.pes[mine][0] == self.me && (mine + 1) % self.n() == host)
    }

    /// Whether this process serves what that PE, of another host, asks.
    pub(super) fn serves(&self, of: PeId) -> bool {
        let (mine, theirs) = (self.host(self.me), self.host(of));
        mine != theirs && mine.is_some_and(|mine| self.server(mine, of) == Some(self.me))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_a_host_are_spread_over_those_of_another() {
        let of = [0, 0, 0, 1, 1, 2];
        let hosts: Vec<Hosts> = (0..6).map(|me| Hosts::new(PeId(me), &of)).collect();
        let servers = |of: u32, host| hosts[0].server(host, PeId(of)).map(|pe| pe.0);
        assert_eq!([0, 1, 2].map(|of| servers(of, 1)), [Some(3), Some(4), Some(3)]);
        assert_eq!([3, 4, 5].map(|of| servers(of, 0)), [Some(0), Some(1), Some(0)]);
        assert_eq!([0, 1, 2, 3].map(|of| servers(of, 2)), [Some(5); 4]);
        assert_eq!([servers(6, 0), servers(0, 3)], [None, None]);
        // Each is served by one process of each other host, which knows it.
        for (pe, &host) in of.iter().enumerate() {
            for other in (0..3).filter(|&other| other != host) {
                let serving = hosts.iter().filter(|h| h.serves(PeId(pe as u32)));
                let there = serving.filter(|h| h.host(h.me()) == Some(other as usize));
                assert_eq!(there.count(), 1, "PE {pe} at host {other}");
            }
        }
        assert!(!hosts[0].serves(PeId(1)) && !hosts[0].serves(PeId(77)));
        let watches = |pe: usize| (0..3).filter(|&host| hosts[pe].watches(host)).collect::<Vec<_>>();
        assert_eq!([0, 1, 2, 3, 4, 5].map(watches), [vec![1], vec![], vec![], vec![2], vec![], vec![0]]);
    }
}
