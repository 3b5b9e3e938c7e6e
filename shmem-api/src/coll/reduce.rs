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

use crate::coll::group::Group;
use crate::coll::ops::{Operator, fold};
use crate::coll::pieces::{CHUNK, Chunk, Few, chunks, part};
use crate::types::elem::Elem;

/// Up to so many bytes, every PE reads them all. (One chunk at most.)
const FEW: usize = if CHUNK < 4096 { CHUNK } else { 4096 };

/// Reduces `n` elements: as many are in `src` and `dest`, which are the same object or apart.
pub(crate) fn reduce<T: Elem, O: Operator<T>>(group: &mut Group<'_, '_, T>, n: usize) {
    if n == 0 {
        // COLL-K4.
        return group.meet();
    }
    if group.few() {
        group.show_source();
        group.meet();
        let (mut acc, mut next) = (Few::new(), Few::new());
        let acc = group.shown(0, n, &mut acc);
        for rank in 1..group.size() {
            fold::<T, O>(acc, group.shown(rank, n, &mut next));
        }
        return group.own_dest().put(0, acc);
    }
    let (mut acc, mut next) = (Chunk::new(), Chunk::new());
    group.open();
    if n.saturating_mul(size_of::<T>()) <= FEW {
        let acc = folded::<T, O>(group, 0, n, &mut acc, &mut next);
        let to = group.own_dest();
        group.close();
        return to.put(0, acc);
    }
    for (at, len) in chunks::<T>(part::<T>(n, group.rank(), group.size())) {
        let acc = folded::<T, O>(group, at, len, &mut acc, &mut next);
        for rank in group.round() {
            group.dest_of(rank, at, len).put(acc);
        }
    }
    group.close();
}

/// Elements `at..at + n` of all members, folded.
#[inline]
fn folded<'a, T: Elem, O: Operator<T>>(
    group: &Group<'_, '_, T>,
    at: usize,
    n: usize,
    acc: &'a mut Chunk,
    next: &mut Chunk,
) -> &'a mut [T] {
    let acc = group.source_of(0, at, n).get(acc);
    for rank in 1..group.size() {
        fold::<T, O>(acc, group.source_of(rank, at, n).get(next));
    }
    acc
}
