//! A collective call as its algorithm sees it: the PEs that call together, and what they have of each other.
//!
//! ```text
//!   raw::coll         a team ───────┐   Group                              ┌ broadcast  collect  fcollect
//!   raw::active_set   an active set ┼─► who, meet, show, where bytes are ──┤ alltoall   reduce   scan
//!   collectives       safe objects ─┘                                      └ one file each
//!
//!   first meeting   the arguments all must agree on, and what this PE shows, in its cell: compared as they meet
//!      or follow    the same of one member, which goes on; the others wait for it, and compare
//!   later ones      plain
//! ```
//!
//! A member's bytes are found by the translation every raw call uses, from this PE's own symmetric
//! address: so heap objects and statics work alike, wherever a peer has them.
//!
//! What the standard lets an algorithm rely on, and what it must see to (invariants of every algorithm here):
//! **COLL-K1** every member's `dest` is ready before *any* member calls: it may be written at once. **COLL-K2** a member's
//! `src` is ready only when that member has called: whoever reads it meets the others first. **COLL-K3** a member
//! returns when its own `dest` is complete and its own `src` is no longer read; a peer may still be inside,
//! and this PE's next call with the same group must not disturb it there. **COLL-K4** which way an algorithm takes depends on
//! nothing but what is compared in the first meeting; so a count of 0 meets, too.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use crate::call::{Call, bytes};
use crate::engine::Engine;
use crate::memory::copy;
use crate::node::signature::{ARGS, Kind};
use crate::team::call::TeamCall;
use crate::team::core::TeamCore;
use crate::transport::Target;
use crate::types::elem::Elem;
use crate::types::pe_set::PeSet;
use crate::types::word::type_word;

/// Arguments that all members must agree on; and nothing but them decides which way the call takes.
pub(crate) struct Agreed {
    words: [u64; Agreed::MOST],
    len: usize,
}

impl Agreed {
    const MOST: usize = 6;

    /// A call on `n` elements of `T`, with what else the call has for an argument.
    pub(crate) fn elements<T: 'static>(n: usize, more: u64) -> Agreed {
        let words = [n as u64, size_of::<T>() as u64, type_word::<T>(), more, 0, 0];
        Agreed { words, len: 4 }
    }

    /// And the objects that have to be the same on all members: `dest` and `src`, as positions.
    pub(crate) fn at(mut self, objects: [u64; 2]) -> Agreed {
        self.words[4..].copy_from_slice(&objects);
        self.len = 6;
        self
    }
}

/// A collective call under way.
pub(crate) struct Group<'a, 'c> {
    call: Call,
    members: PeSet,
    team_call: &'a mut TeamCall<'c>,
    /// The agreed arguments, then what is shown.
    words: [u64; ARGS],
    agreed: usize,
    len: usize,
    met: bool,
}

/// Runs a collective on a team or an active set.
#[inline]
pub(crate) fn collective<R>(
    call: Call,
    engine: &Engine,
    team: &TeamCore,
    (kind, agreed): (Kind, &Agreed),
    body: impl FnOnce(&mut Group<'_, '_>) -> R,
) -> R {
    team.call(engine, kind, |team_call| {
        let mut words = [0; ARGS];
        words[..Agreed::MOST].copy_from_slice(&agreed.words);
        let n = agreed.len;
        body(&mut Group { call, members: team.members, team_call, words, agreed: n, len: n, met: false })
    })
}

impl Group<'_, '_> {
    /// Which routine it is.
    #[inline]
    pub(crate) fn call(&self) -> Call {
        self.call
    }

    /// This PE's number among them.
    #[inline]
    pub(crate) fn rank(&self) -> u32 {
        self.team_call.rank() as u32
    }

    /// How many members there are.
    #[inline]
    pub(crate) fn size(&self) -> u32 {
        self.members.size
    }

    /// Returns when every member has called it; what each stored before is then visible to all.
    #[inline]
    pub(crate) fn sync(&mut self) {
        if self.met {
            self.team_call.sync();
        } else {
            self.met = true;
            self.team_call.meet(&self.words[..self.len], self.agreed);
        }
    }

    /// Before this PE stores into a `dest` whose owner it may not have met.
    #[inline]
    pub(crate) fn go_ahead(&mut self) {
        if !self.met {
            self.team_call.go_ahead();
        }
    }

    /// In the place of the first meeting: `root` goes on at once; the others wait until it has called.
    #[inline]
    pub(crate) fn follow(&mut self, root: u32) {
        debug_assert!(!self.met, "one that has been met need not be followed");
        self.met = true;
        if self.rank() == root {
            self.team_call.give(&self.words[..self.len], self.agreed);
        } else {
            self.team_call.take(root as usize, &self.words[..self.agreed]);
        }
    }

    /// How many words a call can show.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        ARGS - self.agreed
    }

    /// Lays words open to the others, who may look after the first meeting, until the end of the call.
    #[inline]
    pub(crate) fn show(&mut self, words: &[u64]) {
        self.len = self.agreed + words.len();
        self.words[self.agreed..self.len].copy_from_slice(words);
    }

    /// Word `i` of what a member has shown.
    #[inline]
    pub(crate) fn shown(&self, rank: u32, i: usize) -> u64 {
        self.team_call.words_of(rank as usize).arg(self.agreed + i)
    }

    /// Where `n` elements at this PE's symmetric address `at` are for a member: checked, to be stored to or read from.
    #[inline]
    pub(crate) fn target<T>(&self, rank: u32, at: *const T, n: usize) -> Target {
        self.call.target(at.cast(), bytes::<T>(n), self.members.at(rank).0 as i32).target()
    }

    /// As [`target`](Self::target), of this PE's own.
    #[inline]
    pub(crate) fn own<T>(&self, at: *const T, n: usize) -> *mut T {
        self.call.own_target(at.cast(), bytes::<T>(n)).cast()
    }

    /// Copies `n` elements to where this PE's `dest` is on a member.
    ///
    /// # Safety
    /// COLL-K1; `from` is readable for them, and does not overlap.
    #[inline]
    pub(crate) unsafe fn put<T: Elem>(&self, rank: u32, dest: *mut T, from: *const T, n: usize) {
        // SAFETY: by contract; `target` checked the place.
        unsafe { self.target(rank, dest, n).put(from, n) }
    }

    /// The members, beginning with the one after this PE: so that not all turn to the same one at once.
    #[inline]
    pub(crate) fn round(&self) -> impl Iterator<Item = u32> + use<> {
        let (rank, size) = (self.rank(), self.size());
        (rank + 1..size).chain(0..=rank)
    }
}

/// More words than any group has room for.
const ROOM: usize = ARGS;

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
    /// `from` is readable for `n` elements (TRANSPORT-T1).
    #[inline]
    pub(crate) unsafe fn get<T: Elem>(&mut self, from: Target, n: usize) -> &mut [T] {
        const { assert!(align_of::<T>() <= 64 && size_of::<T>() <= CHUNK) };
        assert!(n <= Self::holds::<T>());
        let to = self.0.as_mut_ptr().cast::<T>();
        // SAFETY: by contract, and the chunk is as large as just asserted.
        unsafe { from.get(to, n) };
        // SAFETY: `n` elements have just been written there, aligned, and any bytes are a valid T.
        unsafe { std::slice::from_raw_parts_mut(to, n) }
    }
}

/// Shows `n` elements, which fit in the [room](Group::room).
///
/// # Safety
/// `from` is readable for them.
pub(crate) unsafe fn show<T: Elem>(group: &mut Group<'_, '_>, from: *const T, n: usize) {
    let mut words = [0u64; ROOM];
    let words = &mut words[..bytes::<T>(n).div_ceil(8)];
    // SAFETY: by contract; there are words enough.
    unsafe { copy::get(words.as_mut_ptr().cast::<T>(), from, n) };
    group.show(words);
}

/// The elements a member has shown.
pub(crate) fn shown<'c, T: Elem>(
    group: &Group<'_, '_>,
    rank: u32,
    n: usize,
    to: &'c mut Chunk,
) -> &'c mut [T] {
    let mut words = [0u64; ROOM];
    let words = &mut words[..bytes::<T>(n).div_ceil(8)];
    for (i, word) in words.iter_mut().enumerate() {
        *word = group.shown(rank, i);
    }
    // SAFETY: they were shown as so many elements.
    unsafe { to.get(Target::Mapped(words.as_mut_ptr().cast()), n) }
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
