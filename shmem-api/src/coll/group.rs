//! What a collective needs of the PEs that call it together.
//!
//! ```text
//!   raw::coll         a team ───────┐                         ┌ broadcast  collect  fcollect
//!                                   ├─► Group: who, meet, ────┤ alltoall   reduce   scan
//!   raw::active_set   an active set ┘   show, give and take   └ one file each
//! ```
//!
//! A member's bytes are found by the translation every raw call uses, from this PE's own symmetric
//! address: so heap objects and statics work alike, wherever a peer has them.
//!
//! What the standard lets an algorithm rely on, and what it must see to (invariants of every algorithm here):
//! **K1** every member's `dest` is ready before *any* member calls: it may be written at once. **K2** a member's
//! `src` is ready only when that member has called: whoever reads it meets the others first. **K3** a member
//! returns when its own `dest` is complete and its own `src` is no longer read; a peer may still be inside,
//! and this PE's next call with the same group must not disturb it there.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use crate::copy;
use crate::elem::Elem;
use crate::members::Members;
use crate::raw::via::{Via, bytes};

/// The PEs of a collective call, as the one that calls sees them.
pub(crate) trait Group {
    /// Which routine it is.
    fn via(&self) -> Via;

    /// Who takes part.
    fn members(&self) -> Members;

    /// This PE's number among them.
    fn rank(&self) -> u32;

    /// Returns when every member has called it; what each stored before is then visible to all.
    fn sync(&mut self);

    /// How many words a call can show that meets only once; one word can be shown in any call that meets twice.
    fn room(&self) -> usize;

    /// Lays words open to the others, who may look from the next meeting to the one after it, or to the end of the
    /// call.
    fn show(&mut self, words: &[u64]);

    /// Word `i` of what a member has shown.
    fn shown(&self, rank: u32, i: usize) -> u64;

    /// How many bytes [`give`](Self::give) takes.
    fn eager(&self) -> usize;

    /// Gives all other members `n` bytes, at most [`eager`](Self::eager), without waiting for them.
    ///
    /// # Safety
    /// `src` is readable and every member's `dest` writable for `n` bytes.
    unsafe fn give(&mut self, dest: *mut u8, src: *const u8, n: usize);

    /// Takes what `root` gives to `dest`.
    ///
    /// # Safety
    /// `dest` is writable for `n` bytes.
    unsafe fn take(&mut self, dest: *mut u8, n: usize, root: u32);

    /// How many members there are.
    #[inline]
    fn size(&self) -> u32 {
        self.members().size
    }

    /// Where `n` elements at this PE's symmetric address `at` are for a member.
    #[inline]
    fn of<T>(&self, rank: u32, at: *const T, n: usize) -> *mut T {
        self.via().place(at.cast(), bytes::<T>(n), self.members().at(rank).0 as i32).at.cast()
    }

    /// The members, beginning with the one after this PE: so that not all turn to the same one at once.
    #[inline]
    fn round(&self) -> impl Iterator<Item = u32> + use<Self> {
        let (rank, size) = (self.rank(), self.size());
        (rank + 1..size).chain(0..=rank)
    }
}

/// More words than any group has room for.
const ROOM: usize = 40;

/// Bytes of a [`Chunk`]: two of them stay in the first-level cache.
pub(crate) const CHUNK: usize = 8192;

/// A private place for some elements on their way: arithmetic is done on these, never on shared memory.
#[repr(align(64))]
pub(crate) struct Chunk(MaybeUninit<[u8; CHUNK]>);

impl Chunk {
    pub(crate) const fn new() -> Chunk {
        Chunk(MaybeUninit::uninit())
    }

    /// How many elements it holds.
    pub(crate) const fn holds<T>() -> usize {
        CHUNK / size_of::<T>()
    }

    /// Copies `n` elements from shared memory, at most as many as it holds.
    ///
    /// # Safety
    /// `from` is readable for `n` elements.
    #[inline]
    pub(crate) unsafe fn get<T: Elem>(&mut self, from: *const T, n: usize) -> &mut [T] {
        const { assert!(align_of::<T>() <= 64 && size_of::<T>() <= CHUNK) };
        assert!(n <= Self::holds::<T>());
        let to = self.0.as_mut_ptr().cast::<T>();
        // SAFETY: by contract, and the chunk is as large as just asserted.
        unsafe { copy::get(to, from, n) };
        // SAFETY: `n` elements have just been written there, aligned, and any bytes are a valid T.
        unsafe { std::slice::from_raw_parts_mut(to, n) }
    }
}

/// Shows `n` elements, which fit in the [room](Group::room).
///
/// # Safety
/// `from` is readable for them.
pub(crate) unsafe fn show<T: Elem>(group: &mut impl Group, from: *const T, n: usize) {
    let mut words = [0u64; ROOM];
    let words = &mut words[..bytes::<T>(n).div_ceil(8)];
    // SAFETY: by contract; there are words enough.
    unsafe { copy::get(words.as_mut_ptr().cast::<T>(), from, n) };
    group.show(words);
}

/// The elements a member has shown.
pub(crate) fn shown<'c, T: Elem>(group: &impl Group, rank: u32, n: usize, to: &'c mut Chunk) -> &'c mut [T] {
    let mut words = [0u64; ROOM];
    let words = &mut words[..bytes::<T>(n).div_ceil(8)];
    for (i, word) in words.iter_mut().enumerate() {
        *word = group.shown(rank, i);
    }
    // SAFETY: they were shown as so many elements.
    unsafe { to.get(words.as_ptr().cast::<T>(), n) }
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
}
