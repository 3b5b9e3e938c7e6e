//! Which PEs a team has: `size` of them, from `start`, `stride` apart, in the numbers of the world.
//!
//! A split of such a set by a start, a stride and a size is such a set again, and so are the rows and
//! the columns of a 2D split: so three numbers describe every team, and translating a PE is arithmetic.
//!
//! The PEs of a host may stand in no such order. Then the numbers are places in the *order of hosts*, in which the PEs of each
//! host follow each other, and `start` says so by its top bit: all the arithmetic is the same.
//!
//! ```text
//!   place  0 1 2 | 3 4        host 0: PEs 0, 2, 3 = 3 places from place 0
//!   PE     0 2 3 | 1 4        host 1: PEs 1, 4    = plain: 2 from PE 1, 3 apart
//! ```
//!
//! Invariants: **PESET-B1** every member is a PE of the world, and no PE is a member twice. **PESET-B2** where there is a set in
//! the order of hosts, the order is there, and stays as long as the sets that were made of it.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use memheap::PeId;

use super::host_of::HostOf;

/// In [`PeSet::start`]: places in the order of hosts are meant.
const IN_HOST_ORDER: u32 = 1 << 31;

/// The order of hosts.
#[derive(PartialEq, Eq, Debug)]
struct HostOrder {
    /// By place.
    pes: Vec<u32>,
    /// By PE.
    places: Vec<u32>,
}

/// PESET-B2: of this start of the library; those of earlier ones stay.
static HOST_ORDER: RwLock<Option<&'static HostOrder>> = RwLock::new(None);

impl HostOrder {
    fn of(hosts: &HostOf) -> HostOrder {
        let pes: Vec<u32> =
            (0..hosts.n_hosts()).flat_map(|host| hosts.members(host)).map(|pe| pe.0).collect();
        let mut places = vec![0; pes.len()];
        for (place, pe) in (0..).zip(&pes) {
            places[*pe as usize] = place;
        }
        HostOrder { pes, places }
    }

    fn install(self) {
        if Self::get() != Some(&self) {
            *HOST_ORDER.write().unwrap_or_else(PoisonError::into_inner) = Some(Box::leak(Box::new(self)));
        }
    }

    fn get() -> Option<&'static HostOrder> {
        *HOST_ORDER.read().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    #[inline(never)]
    fn pe_at(place: u32) -> PeId {
        match Self::get() {
            Some(order) => PeId(order.pes[(place & !IN_HOST_ORDER) as usize]),
            None => unreachable!("PESET-B2"),
        }
    }

    #[cold]
    #[inline(never)]
    fn place_of(pe: PeId) -> Option<u32> {
        Some(*Self::get()?.places.get(pe.0 as usize)? | IN_HOST_ORDER)
    }
}

/// The PEs of a team.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PeSet {
    pub(crate) start: u32,
    /// Negative: the team counts backwards. Not zero unless there is one member.
    pub(crate) stride: i32,
    pub(crate) size: u32,
}

impl PeSet {
    /// All of `n_pes`.
    pub(crate) const fn world(n_pes: u32) -> PeSet {
        PeSet { start: 0, stride: 1, size: n_pes }
    }

    /// The PEs of the host of `pe`.
    pub(crate) fn of_host(hosts: &HostOf, pe: PeId) -> PeSet {
        let members = hosts.beside(pe);
        let (start, size) = (members[0].0, members.len() as u32);
        let stride = members.get(1).map_or(1, |second| second.0 - start);
        let plain = PeSet { start, stride: stride as i32, size };
        if plain.iter().eq(members.iter().copied()) {
            return plain;
        }
        let order = HostOrder::of(hosts);
        let place = order.places[start as usize];
        order.install();
        PeSet { start: place | IN_HOST_ORDER, stride: 1, size }
    }

    /// Whether `start` and `stride` are places in the order of hosts.
    #[inline]
    pub(crate) fn is_in_host_order(&self) -> bool {
        self.start & IN_HOST_ORDER != 0
    }

    /// Member `rank`, as a PE of the world.
    #[inline]
    pub(crate) fn pe(&self, rank: u32) -> Option<PeId> {
        (rank < self.size).then(|| self.at(rank))
    }

    /// As [`pe`](Self::pe), for a rank that is known to be one.
    #[inline]
    pub(crate) fn at(&self, rank: u32) -> PeId {
        let at = self.number(rank);
        if at & IN_HOST_ORDER == 0 { PeId(at) } else { HostOrder::pe_at(at) }
    }

    /// Its number, of a PE or a place.
    #[inline]
    fn number(&self, rank: u32) -> u32 {
        self.start.wrapping_add((self.stride as u32).wrapping_mul(rank))
    }

    /// The rank of a PE of the world, if it is a member.
    pub(crate) fn rank(&self, pe: PeId) -> Option<u32> {
        if self.size == 0 {
            return None;
        }
        let number = if self.is_in_host_order() { HostOrder::place_of(pe)? } else { pe.0 };
        if self.stride == 1 {
            let rank = number.wrapping_sub(self.start);
            return (rank < self.size).then_some(rank);
        }
        let away = i64::from(number) - i64::from(self.start);
        let stride = i64::from(self.stride);
        let rank = if away == 0 { 0 } else { (stride != 0 && away % stride == 0).then(|| away / stride)? };
        u32::try_from(rank).ok().filter(|r| *r < self.size)
    }

    /// All members as PEs of the world, by rank.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = PeId> + Clone + use<> {
        let this = *self;
        (0..this.size).map(move |rank| this.at(rank))
    }

    /// PeSet `start`, `start + stride`, ... of this team, `size` of them; `None` if one of them is not a member, if
    /// there is none, or if the stride is 0 and there are several.
    pub(crate) fn split(&self, start: i32, stride: i32, size: i32) -> Option<PeSet> {
        let (start, size) = (u32::try_from(start).ok()?, u32::try_from(size).ok()?);
        if size == 0 || (stride == 0 && size > 1) {
            return None;
        }
        let last = i64::from(start) + i64::from(stride) * (i64::from(size) - 1);
        let last = u32::try_from(last).ok()?;
        if start >= self.size || last >= self.size {
            return None;
        }
        // The ends are members, so the product is smaller than the world, unless there is one member.
        let stride = if size == 1 { 1 } else { self.stride.checked_mul(stride)? };
        Some(PeSet { start: self.number(start), stride, size })
    }
}

impl fmt::Display for PeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.size, self.stride) {
            (1, _) => write!(f, "PE {}", self.at(0)),
            _ if self.is_in_host_order() => {
                let list: Vec<String> = self.iter().map(|pe| pe.to_string()).collect();
                write!(f, "PEs {}", list.join(", "))
            }
            (size, 1) => write!(f, "PEs {} to {}", self.start, self.at(size - 1)),
            (size, stride) => write!(f, "PEs {} to {} by {stride}", self.start, self.at(size - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hosts 0: 0, 3, 4, 9, 11; 1: 1, 2, 8, 10; 2: 5, 6, 7.
    const ON: [u8; 12] = [0, 1, 1, 0, 0, 2, 2, 2, 1, 0, 1, 0];

    #[test]
    fn a_host_is_a_set_of_its_pes() {
        let hosts = HostOf::by(&ON);
        for pe in (0..12).map(PeId) {
            let set = PeSet::of_host(&hosts, pe);
            assert!(set.iter().eq(hosts.beside(pe).iter().copied()));
            assert_eq!(set.is_in_host_order(), hosts.of(pe) != 2);
        }
        assert_eq!(PeSet::of_host(&hosts, PeId(8)).to_string(), "PEs 1, 2, 8, 10");
        assert_eq!(PeSet::of_host(&hosts, PeId(6)).to_string(), "PEs 5 to 7");
        let cyclic = HostOf::by(&[0, 1, 0, 1, 0, 1]);
        assert_eq!(PeSet::of_host(&cyclic, PeId(3)), PeSet { start: 1, stride: 2, size: 3 });
        assert_eq!(PeSet::of_host(&HostOf::by(&[0, 1]), PeId(1)), PeSet { start: 1, stride: 1, size: 1 });
    }

    #[test]
    fn splits_are_what_the_list_of_members_says() {
        let world = PeSet::world(12);
        let host = PeSet::of_host(&HostOf::by(&ON), PeId(0));
        let mut sets = vec![(world, (0..12).collect::<Vec<u32>>()), (host, vec![0, 3, 4, 9, 11])];
        for depth in 0..2 {
            for (set, list) in sets.clone() {
                for (start, stride, size) in
                    (-1..4).flat_map(|a| (-3..4).flat_map(move |s| (-1..6).map(move |n| (a, s, n))))
                {
                    let picked: Option<Vec<u32>> = (0..size)
                        .map(|i| usize::try_from(start + i * stride).ok().and_then(|i| list.get(i)).copied())
                        .collect();
                    let picked = picked.filter(|p| !p.is_empty() && (stride != 0 || size == 1));
                    let split = set.split(start, stride, size);
                    assert_eq!(
                        split.map(|s| s.iter().map(|pe| pe.0).collect()),
                        picked,
                        "{start} {stride} {size}"
                    );
                    if let (Some(split), Some(picked)) = (split, picked) {
                        for pe in 0..14 {
                            let rank = picked.iter().position(|p| *p == pe).map(|r| r as u32);
                            assert_eq!(split.rank(PeId(pe)), rank);
                        }
                        assert_eq!(split.pe(size as u32), None);
                        if depth == 0 && sets.len() < 120 {
                            sets.push((split, picked));
                        }
                    }
                }
            }
        }
        assert_eq!(PeSet { start: 3, stride: 1, size: 0 }.rank(PeId(3)), None);
    }
}
