//! The small pages left over between runs, which later requests can use.

use std::collections::BTreeMap;

use crate::units::Align;

/// The length of each hole by its start, counted in small pages. No two touch: adjacent ones are joined.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Holes {
    by_start: BTreeMap<u64, u64>,
}

impl Holes {
    /// Adds `len` pages from `start`.
    pub(super) fn put(&mut self, mut start: u64, mut len: u64) {
        if len == 0 {
            return;
        }
        if let Some((&s, &n)) = self.by_start.range(..start).next_back().filter(|&(&s, &n)| s + n == start) {
            (start, len) = (s, n + len);
        }
        if let Some(n) = self.by_start.remove(&(start + len)) {
            len += n;
        }
        self.by_start.insert(start, len);
    }

    /// Takes `n` pages at a multiple of `align` from the shortest hole that has them, the first of equally short ones.
    pub(super) fn take(&mut self, n: u64, align: Align) -> Option<u64> {
        let fits = |(&start, &len): (&u64, &u64)| {
            let at = aligned(start, align)?;
            (at.checked_add(n)? <= start + len).then_some((len, start, at))
        };
        let (len, start, at) = self.by_start.iter().filter_map(fits).min()?;
        self.by_start.remove(&start);
        self.put(start, at - start);
        self.put(at + n, start + len - (at + n));
        Some(at)
    }

    /// All pages in holes.
    pub(super) fn pages(&self) -> u64 {
        self.by_start.values().sum()
    }

    /// Pages of the longest hole.
    pub(super) fn longest(&self) -> u64 {
        self.by_start.values().copied().max().unwrap_or(0)
    }
}

/// The first small page from `start` on whose offset is a multiple of `align`.
pub(super) fn aligned(start: u64, align: Align) -> Option<u64> {
    start.checked_next_multiple_of((align.bytes() / Align::PAGE.bytes()).max(1))
}
