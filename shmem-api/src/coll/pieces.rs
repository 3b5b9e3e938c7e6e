//! Elements in pieces: few of them as words that a member shows, many in parts and chunks; and how far they reach.

use std::mem::MaybeUninit;

use crate::call::bytes;
use crate::node::signature::ARGS;
use crate::types::elem::Elem;

/// More words than any call can show, in whole cache lines.
const WORDS: usize = ARGS.next_multiple_of(8);

/// A private place for the elements that a member has shown.
#[repr(align(64))]
pub(crate) struct Few([u64; WORDS]);

impl Few {
    pub(crate) const fn new() -> Few {
        Few([0; WORDS])
    }

    /// `n` elements, which come in so many words.
    #[inline]
    pub(super) fn read<T: Elem>(&mut self, n: usize, word: impl Fn(usize) -> u64) -> &mut [T] {
        const { assert!(align_of::<T>() <= 64) };
        let len = bytes::<T>(n);
        for (i, to) in self.0[..len.div_ceil(8)].iter_mut().enumerate() {
            *to = word(i);
        }
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.0);
        bytemuck::cast_slice_mut(&mut bytes[..len])
    }
}

/// Bytes of a [`Chunk`]: two of them stay in the first-level cache.
pub(crate) const CHUNK: usize = 8192;

/// A private place for some elements on their way: arithmetic is done on these, never on shared memory.
#[repr(align(64))]
pub(crate) struct Chunk(pub(super) MaybeUninit<[u8; CHUNK]>);

impl Chunk {
    pub(crate) const fn new() -> Chunk {
        Chunk(MaybeUninit::uninit())
    }

    /// How many elements it holds.
    pub(crate) const fn holds<T>() -> usize {
        CHUNK / size_of::<T>()
    }
}

/// This PE's part of `n` elements, if each of `size` PEs takes one: whole cache lines, the first PEs first.
pub(crate) fn part<T>(n: usize, rank: u32, size: u32) -> std::ops::Range<usize> {
    let line = (64 / size_of::<T>()).max(1);
    let each = n.div_ceil(size as usize).next_multiple_of(line);
    let start = each.saturating_mul(rank as usize).min(n);
    start..start.saturating_add(each).min(n)
}

/// The range in pieces that a [`Chunk`] holds, as start and length.
pub(crate) fn chunks<T>(range: std::ops::Range<usize>) -> impl Iterator<Item = (usize, usize)> {
    let end = range.end;
    range.step_by(Chunk::holds::<T>()).map(move |at| (at, (end - at).min(Chunk::holds::<T>())))
}

/// How many elements `n` of them reach over, so many from one to the next: all that there can be, if more.
#[inline]
pub(crate) fn extent(n: usize, stride: usize) -> usize {
    match n {
        0 => 0,
        n => (n - 1).saturating_mul(stride).saturating_add(1),
    }
}

/// Whether two ranges of addresses, by start and length, have a byte in common.
#[inline]
pub(super) fn overlap((a, a_len): (usize, usize), (b, b_len): (usize, usize)) -> bool {
    a < b + b_len && b < a + a_len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_everything_once() {
        for n in [0, 1, 7, 8, 9, 63, 64, 1000, 4097] {
            for size in 1..9 {
                let mut next = 0;
                for rank in 0..size {
                    let part = part::<u64>(n, rank, size);
                    assert!(part.start == next || part.is_empty(), "{n} {size} {rank}");
                    next = next.max(part.end);
                    let pieces: usize = chunks::<u64>(part.clone()).map(|(_, n)| n).sum();
                    assert_eq!(pieces, part.len());
                }
                assert_eq!(next, n);
            }
        }
    }

    #[test]
    fn ranges_that_touch_do_not_overlap() {
        assert!(overlap((100, 8), (100, 8)) && overlap((100, 8), (107, 1)) && overlap((104, 8), (100, 5)));
        assert!(!overlap((100, 8), (108, 8)) && !overlap((108, 8), (100, 8)) && !overlap((100, 0), (100, 0)));
    }

    #[test]
    fn elements_reach_from_the_first_to_the_last() {
        assert_eq!([extent(0, 7), extent(1, 7), extent(3, 1), extent(3, 2)], [0, 1, 3, 5]);
        assert_eq!(extent(usize::MAX, 2), usize::MAX);
    }

    #[test]
    fn shown_words_are_elements_of_any_size() {
        let word = |i: usize| 0x0706_0504_0302_0100 + 0x0808_0808_0808_0808 * i as u64;
        let mut few = Few::new();
        assert_eq!(few.read::<u8>(11, word), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(few.read::<[u8; 3]>(2, word), [[0, 1, 2], [3, 4, 5]]);
        assert_eq!(few.read::<u128>(1, word), [0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100]);
        assert!(few.read::<u64>(0, word).is_empty());
    }
}
