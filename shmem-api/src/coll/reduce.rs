//! Reduction (OpenSHMEM 1.6, 9.11.9): every member gets the sources of all, combined element by element.
//!
//! ```text
//!   very few         show them · meet · each PE folds what all have shown
//!
//!   few elements     meet · each PE reads all sources, folds them in a private chunk · meet · writes its own dest
//!
//!   many elements    meet · each PE folds its part of all sources, and writes it to all dests · meet
//!
//!      sources   PE 0 |AAAA|BBBB|      dests  PE 0 |AAAA|BBBB|     PE 0 does part A, PE 1 part B, chunk by
//!                PE 1 |AAAA|BBBB|  ──►        PE 1 |AAAA|BBBB|     chunk: read from all, then write to all
//! ```
//!
//! That is reduce-scatter and allgather in one, in place: each byte is read once and written once per member,
//! by one PE, with no staging but a chunk in the first-level cache. All members fold in the order of ranks, so
//! all get the same bits, floating point included.
//!
//! The first meeting is COLL-K2: sources are ready. The second is COLL-K3: sources are no longer read, and in the second
//! form `dest` is complete. In place is safe: few elements are written after the second meeting, and of many, a
//! chunk is written by the one PE that reads it, after it has read it from all.
#![allow(unsafe_code)]

use crate::coll::group::{CHUNK, Chunk, Group, chunks, part, show, shown};
use crate::coll::ops::{Operator, fold};
use crate::types::elem::Elem;

/// Up to so many bytes, every PE reads them all. (One chunk at most.)
const FEW: usize = if CHUNK < 4096 { CHUNK } else { 4096 };

/// Reduces `n` elements.
///
/// # Safety
/// COLL-K1; `src` and `dest` are `n` elements on every member, the same object or apart.
pub(crate) unsafe fn reduce<T: Elem, O: Operator<T>>(
    group: &mut Group<'_, '_>,
    dest: *mut T,
    src: *const T,
    n: usize,
) {
    if n == 0 {
        // COLL-K4.
        return group.sync();
    }
    let (mut acc, mut next) = (Chunk::new(), Chunk::new());
    if n.saturating_mul(size_of::<T>()) <= group.room() * 8 {
        // SAFETY: `target` checked the place, this PE's own.
        unsafe { show(group, group.own(src, n), n) };
        group.sync();
        let acc = shown::<T>(group, 0, n, &mut acc);
        for rank in 1..group.size() {
            fold::<T, O>(acc, shown(group, rank, n, &mut next));
        }
        // SAFETY: `target` checked the place; our own dest, which nobody else touches now.
        unsafe { group.put(group.rank(), dest, acc.as_ptr(), n) };
        return;
    }
    group.sync();
    if n.saturating_mul(size_of::<T>()) <= FEW {
        // SAFETY: COLL-K2, by the meeting.
        let acc = unsafe { folded::<T, O>(group, src, 0, n, &mut acc, &mut next) };
        let to = group.target(group.rank(), dest, n);
        group.sync();
        // SAFETY: `target` checked the place; our own dest, which nobody else touches now.
        unsafe { to.put(acc.as_ptr(), n) };
        return;
    }
    for (at, len) in chunks::<T>(part::<T>(n, group.rank(), group.size())) {
        // SAFETY: COLL-K2; this part is ours, and not yet written.
        let acc = unsafe { folded::<T, O>(group, src, at, len, &mut acc, &mut next) };
        for rank in group.round() {
            // SAFETY: COLL-K1; `target` checked the place.
            unsafe { group.put(rank, dest.wrapping_add(at), acc.as_ptr(), len) };
        }
    }
    group.sync();
}

/// Elements `at..at + n` of all members, folded.
///
/// # Safety
/// All members' `src` can be read there, and nobody writes them meanwhile.
#[inline]
unsafe fn folded<'a, T: Elem, O: Operator<T>>(
    group: &Group<'_, '_>,
    src: *const T,
    at: usize,
    n: usize,
    acc: &'a mut Chunk,
    next: &mut Chunk,
) -> &'a mut [T] {
    let from = |rank| group.target(rank, src.wrapping_add(at), n);
    // SAFETY: by contract; `target` checked the place.
    let acc = unsafe { acc.get(from(0), n) };
    for rank in 1..group.size() {
        // SAFETY: as above.
        fold::<T, O>(acc, unsafe { next.get(from(rank), n) });
    }
    acc
}
