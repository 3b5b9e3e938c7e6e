//! Which bin holds chunks of a size, and which bins hold any.
//!
//! ```text
//!   granules   1 2 3 … 64 │ 65 … 67 │ 68 … 71 │ … │ 128 … 135 │ …
//!   bin        0 1 2 … 63 │   64    │   65    │ … │    80     │ …
//!              exact      │ 16 bins to each doubling
//!
//!   summary    1 1 0 1 …                         one bit to a word
//!   words      0110… 0001… 0000… 1000… …         one bit to a bin
//! ```

use crate::units::Granules;

/// Enough bins for every length that a 64-bit offset can have.
pub const BINS: usize = 1024;
const WORDS: usize = BINS / 64;
/// Chunks up to this size have a bin for each size, all in the first word: up to 1 KiB in steps of 16 bytes.
pub const EXACT: Granules = Granules(64);

/// The number of a bin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bin(pub(crate) usize);

impl Bin {
    /// The bin for chunks of `n` granules, of which there is one at least.
    #[inline(always)]
    pub fn of(n: Granules) -> Bin {
        if n <= EXACT {
            return Bin(n.0 as usize - 1);
        }
        let log = n.0.ilog2();
        // 64 granules would come to 16·6 + 16 - 48 = 64, so these bins continue where the exact ones end.
        Bin((16 * log) as usize + (n.0 >> (log - 4)) as usize - 48)
    }

    /// Every bin.
    pub fn all() -> impl Iterator<Item = Bin> {
        (0..BINS).map(Bin)
    }
}

/// Which bins are not empty.
#[derive(Clone, Default)]
pub struct BinMap {
    words: [u64; WORDS],
    summary: u32,
}

impl BinMap {
    /// Whether there is a chunk of exactly `n` granules, `n` having an exact bin.
    #[inline(always)]
    pub fn has_exactly(&self, n: Granules) -> bool {
        (self.words[0] >> ((n.0 - 1) % 64)) & 1 != 0
    }

    /// The first exact bin that holds a chunk, from the one for `n` granules on.
    #[inline(always)]
    pub fn exact_from(&self, n: Granules) -> Option<Bin> {
        let bin = (n.0 - 1) as u32 % 64;
        let here = self.words[0] >> bin;
        (here != 0).then(|| Bin((bin + here.trailing_zeros()) as usize))
    }

    /// The first bin that holds a chunk and is not exact.
    #[inline(always)]
    pub fn inexact(&self) -> Option<Bin> {
        self.later(self.summary & !1)
    }

    /// Whether no bin holds a chunk.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.summary == 0
    }

    /// Whether `bin` holds a chunk.
    #[inline(always)]
    pub fn has(&self, bin: Bin) -> bool {
        self.words[bin.0 / 64 % WORDS] >> (bin.0 % 64) & 1 != 0
    }

    /// Notes that `bin` holds a chunk.
    #[inline(always)]
    pub fn set(&mut self, bin: Bin) {
        self.words[bin.0 / 64 % WORDS] |= 1 << (bin.0 % 64);
        self.summary |= 1 << (bin.0 / 64 % WORDS);
    }

    /// Notes that `bin` is empty.
    #[inline(always)]
    pub fn clear(&mut self, bin: Bin) {
        let word = &mut self.words[bin.0 / 64 % WORDS];
        // To rotate a zero is one instruction; to shift a bit and invert it are three.
        *word &= (!1u64).rotate_left((bin.0 % 64) as u32);
        let emptied = u32::from(*word == 0);
        self.summary &= !(emptied << (bin.0 / 64 % WORDS));
    }

    /// The first bin above `bin` that holds a chunk: each of its chunks is larger than any in `bin`.
    #[inline(always)]
    pub fn above(&self, bin: Bin) -> Option<Bin> {
        let word = bin.0 / 64 % WORDS;
        // Two shifts, since a shift by 64 at once is not allowed.
        let here = self.words[word] & (!0 << (bin.0 % 64) << 1);
        if here != 0 {
            return Some(Bin(word * 64 + here.trailing_zeros() as usize));
        }
        self.later(self.summary & (!0 << word << 1))
    }

    /// The first bin of the first word in `summary`.
    #[inline(always)]
    fn later(&self, summary: u32) -> Option<Bin> {
        if summary == 0 {
            return None;
        }
        let word = summary.trailing_zeros() as usize % WORDS;
        Some(Bin(word * 64 + self.words[word].trailing_zeros() as usize % 64))
    }

    /// The last bin that holds a chunk.
    pub fn last(&self) -> Option<Bin> {
        let word = self.summary.checked_ilog2()? as usize % WORDS;
        Some(Bin(word * 64 + self.words[word].ilog2() as usize))
    }

    /// Whether each bit of the summary is set exactly if its word has a bit set.
    pub fn summary_is_exact(&self) -> bool {
        self.words.iter().enumerate().all(|(i, &w)| (w != 0) == (self.summary >> i & 1 != 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_ascend_with_the_size_and_leave_no_gap() {
        let mut last = Bin(0);
        assert_eq!(Bin::of(Granules(1)), last);
        for n in (2..4096).chain((12..60).flat_map(|e| (0..64).map(move |m| (1 << e) + (m << (e - 6))))) {
            let bin = Bin::of(Granules(n));
            assert!(bin == last || bin == Bin(last.0 + 1), "{n}: {bin:?} after {last:?}");
            assert!(n > EXACT.0 || bin == Bin(n as usize - 1));
            last = bin;
        }
        assert!(last.0 < BINS);
    }

    #[test]
    fn above_finds_the_first_one() {
        let mut map = BinMap::default();
        assert_eq!((map.above(Bin(0)), map.last()), (None, None));
        let held = [3, 63, 64, 127, 500, 975];
        held.iter().for_each(|&b| map.set(Bin(b)));
        for b in 0..BINS {
            let expected = held.iter().copied().find(|&h| h > b).map(Bin);
            assert_eq!(map.above(Bin(b)), expected, "{b}");
            assert_eq!(map.has(Bin(b)), held.contains(&b));
        }
        assert_eq!(map.last(), Some(Bin(975)));
        held.iter().for_each(|&b| map.clear(Bin(b)));
        assert!(map.summary_is_exact() && map.summary == 0);
    }
}
