//! What of this PE's heap a core dump holds: what was touched.
//!
//! ```text
//!   granules   |■■■■■■■■|■■■■■■■■|        |■■■■■■■■|        |        |        |        |
//!   blocks      ▪▪ ▪▪▪ ▪▪▪▪▪ ▪              ▪▪▪     ▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪ (a large one)
//!   touched     ▪    ▪  ▪▪   ▪              ▪                  ▪▪         ▪
//!   at a crash |■   |■ |■■  |■            |■                  |■■        |■
//! ```
//!
//! The kernel writes a shared mapping whole, and takes a page for every hole in it. So the heap is out of dumps from
//! the start (`MADV_DONTDUMP`). When a signal is about to end the process with a core, a handler puts in what holds
//! data, whoever wrote it, and nothing else ([`fatal`], [`touched`]).
//!
//! Where that handler is not called, since the program has put one of its own in its place that does not call it, a core
//! holds the granules of small blocks: one comes in when a small block in it is handed out, which costs a system call for
//! every 2 MiB or more of a heap that grows, and a look at a bit for all other blocks. It goes out again when its pages
//! are given back to the system. Peers' heaps are never in: each PE has its own.
//!
//! This decides about dumps only, never about offsets.

pub(crate) mod fatal;
pub(crate) mod touched;

use crate::process::private::{AtomicU64, Ordering::Relaxed};

use memheap::region::memfd::MemfdRegion;
use memheap::{Align, Bytes, Offset};

/// So many at most, however large the heap: each change of mind may cost the kernel a mapping.
const MOST: u64 = 1 << 14;

/// Blocks up to this size are small: what they cost a dump, touched or not, is little.
const SMALL: u64 = 4 << 20;

/// Which granules of a heap are in.
pub(crate) struct Dumped {
    len: Bytes,
    granule: u64,
    /// A bit per granule; none where nothing of the heap is ever to be in.
    words: Box<[AtomicU64]>,
}

impl Dumped {
    /// For a heap of `len` bytes, all of it out; and for ever so if not `wanted`.
    pub(crate) fn new(len: Bytes, wanted: bool) -> Dumped {
        let granule = len.0.div_ceil(MOST).next_power_of_two().max(Align::HUGE.bytes());
        let words = if wanted { len.0.div_ceil(granule).div_ceil(64) } else { 0 };
        Dumped { len, granule, words: (0..words).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Whether anything of the heap is ever to be in.
    pub(crate) fn wanted(&self) -> bool {
        !self.words.is_empty()
    }

    /// In a signal handler: what was touched of the heap, which is the beginning of `own`, is in, and all else is out.
    pub(crate) fn admit_touched(&self, own: &MemfdRegion) {
        // Small blocks that are handed out after this come in anew.
        self.words.iter().for_each(|word| word.store(0, Relaxed));
        touched::admit(own, self.len);
    }

    /// In a child, whose mapping of the heap is a new one: it is out again.
    pub(crate) fn disown(&self, own: &MemfdRegion) {
        self.words.iter().for_each(|word| word.store(0, Relaxed));
        own.dump(Offset(0), self.len, false);
    }

    /// A block is handed out: calls `advise` with the parts of the heap that come in.
    pub(crate) fn hand_out(&self, at: Offset, len: Bytes, advise: impl FnMut(Offset, Bytes)) {
        if len.0 > SMALL {
            return;
        }
        let first = at.0 / self.granule;
        let end = at.0.saturating_add(len.0).div_ceil(self.granule);
        self.change(first, end, |word, bits| word.fetch_or(bits, Relaxed) & bits != bits, advise);
    }

    /// Pages are given back: calls `advise` with the parts of the heap that go out, which lie wholly inside.
    pub(crate) fn give_back(&self, at: Offset, len: Bytes, advise: impl FnMut(Offset, Bytes)) {
        let first = at.0.div_ceil(self.granule);
        let end = at.0.saturating_add(len.0) / self.granule;
        self.change(first, end, |word, bits| word.fetch_and(!bits, Relaxed) & bits != 0, advise);
    }

    /// Applies `set` to the granules `first..end`, word by word, and calls `advise` once for each run of words that it
    /// has changed.
    fn change(
        &self,
        first: u64,
        end: u64,
        set: impl Fn(&AtomicU64, u64) -> bool,
        mut advise: impl FnMut(Offset, Bytes),
    ) {
        let end = end.min(self.words.len() as u64 * 64);
        let mut run: Option<(u64, u64)> = None;
        let mut at = first;
        while at < end {
            let stop = end.min(at / 64 * 64 + 64);
            let bits = (u64::MAX >> (64 - (stop - at))) << (at % 64);
            if set(&self.words[(at / 64) as usize], bits) {
                run = Some((run.map_or(at, |(from, _)| from), stop));
            } else if let Some((from, to)) = run.take() {
                advise(Offset(from * self.granule), Bytes((to - from) * self.granule));
            }
            at = stop;
        }
        if let Some((from, to)) = run {
            advise(Offset(from * self.granule), Bytes((to - from) * self.granule));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// What `hand_out` or `give_back` advises, in MiB.
    fn told(by: impl FnOnce(&mut dyn FnMut(Offset, Bytes))) -> Vec<(u64, u64)> {
        let mut told = Vec::new();
        by(&mut |at, len| told.push((at.0 / MIB, len.0 / MIB)));
        told
    }

    #[test]
    fn granules_come_in_once_and_go_out_whole() {
        let dumped = Dumped::new(Bytes(1024 * MIB), true);
        let out = |at: u64, len: u64| told(|f| dumped.hand_out(Offset(at), Bytes(len), f));
        let back = |at: u64, len: u64| told(|f| dumped.give_back(Offset(at), Bytes(len), f));
        assert_eq!(out(100, 8), [(0, 2)]);
        assert_eq!(out(4096, 2 * MIB - 4096), []);
        assert_eq!(out(2 * MIB - 1, 2), [(0, 4)], "both, of which one was in");
        for at in (200..600).step_by(4) {
            assert_eq!(out(at * MIB, 4 * MIB), [(at, 4)]);
            assert_eq!(out(at * MIB, 4 * MIB), []);
        }
        assert_eq!(back(250 * MIB, 200 * MIB), [(250, 200)], "over several words");
        assert_eq!(back(201 * MIB, 10 * MIB), [(202, 8)]);
        assert_eq!(back(202 * MIB, 8 * MIB), []);
        assert_eq!(out(203 * MIB, 1), [(202, 2)]);
        assert_eq!(out(1022 * MIB, 2 * MIB), [(1022, 2)]);
        assert_eq!(out(0, 0), [], "no block, no granule");
    }

    #[test]
    fn large_blocks_do_not_come_in() {
        let dumped = Dumped::new(Bytes(1024 * MIB), true);
        assert_eq!(told(|f| dumped.hand_out(Offset(0), Bytes(SMALL), f)), [(0, SMALL / MIB)]);
        assert_eq!(told(|f| dumped.hand_out(Offset(8 * MIB), Bytes(SMALL + 1), f)), []);
    }

    #[test]
    fn nothing_comes_in_where_nothing_is_wanted() {
        let dumped = Dumped::new(Bytes(1024 * MIB), false);
        assert_eq!(told(|f| dumped.hand_out(Offset(0), Bytes(1 << 20), f)), []);
        assert!(!dumped.wanted());
    }

    #[test]
    fn a_huge_heap_has_no_more_granules() {
        let dumped = Dumped::new(Bytes(8 << 40), true);
        assert_eq!(dumped.words.len() as u64 * 64, MOST);
        assert_eq!(told(|f| dumped.hand_out(Offset((8 << 40) - 1), Bytes(1), f)).len(), 1);
    }
}
