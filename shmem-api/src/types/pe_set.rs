//! Which PEs a team has: `size` of them, from `start`, `stride` apart, in the numbers of the world.
//!
//! A split of such a set by a start, a stride and a size is such a set again, and so are the rows and
//! the columns of a 2D split: so three numbers describe every team, and translating a PE is arithmetic.
//!
//! Invariant **PESET-B1**: every member is a PE of the world, and no PE is a member twice.

use std::fmt;

use memheap::PeId;

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

    /// Member `rank`, as a PE of the world.
    #[inline]
    pub(crate) fn pe(&self, rank: u32) -> Option<PeId> {
        (rank < self.size).then(|| self.at(rank))
    }

    /// As [`pe`](Self::pe), for a rank that is known to be one.
    #[inline]
    pub(crate) fn at(&self, rank: u32) -> PeId {
        PeId(self.start.wrapping_add((self.stride as u32).wrapping_mul(rank)))
    }

    /// The rank of a PE of the world, if it is a member.
    pub(crate) fn rank(&self, pe: PeId) -> Option<u32> {
        if self.size == 0 {
            return None;
        }
        if self.stride == 1 {
            let rank = pe.0.wrapping_sub(self.start);
            return (rank < self.size).then_some(rank);
        }
        let away = i64::from(pe.0) - i64::from(self.start);
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
        Some(PeSet { start: self.at(start).0, stride, size })
    }
}

impl fmt::Display for PeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.size, self.stride) {
            (1, _) => write!(f, "PE {}", self.start),
            (size, 1) => write!(f, "PEs {} to {}", self.start, self.at(size - 1)),
            (size, stride) => write!(f, "PEs {} to {} by {stride}", self.start, self.at(size - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_are_what_the_list_of_members_says() {
        let world = PeSet::world(12);
        let mut sets = vec![(world, (0..12).collect::<Vec<u32>>())];
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
                        if depth == 0 && sets.len() < 60 {
                            sets.push((split, picked));
                        }
                    }
                }
            }
        }
        assert_eq!(PeSet { start: 3, stride: 1, size: 0 }.rank(PeId(3)), None);
    }
}
