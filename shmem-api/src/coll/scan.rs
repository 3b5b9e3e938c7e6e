//! Scans (OpenSHMEM 1.6, 9.11.10): element by element, each member gets the sum of the members up to it.
//!
//! ```text
//!              source        inclusive            exclusive
//!   PE 0        a             a                    0            (written, unlike MPI's)
//!   PE 1        b             a + b                a
//!   PE 2        c             a + b + c            a + b
//! ```
//!
//! As reductions are done: very few elements are shown in the one meeting there is; of few elements each PE reads those of the PEs up to it and writes its own `dest`
//! after a second meeting; of many, each PE takes a part of the elements of *all* members, and walks over the
//! members with a running sum, one chunk at a time, writing each member's `dest` right after it has read that
//! member's source. So in place is safe, and every byte is read and written once.

use crate::coll::group::Group;
use crate::coll::ops::{Arith, Sum, fold};
use crate::coll::pieces::{CHUNK, Chunk, Few, chunks, part};

/// Up to so many bytes, each PE sums up for itself. (One chunk at most.)
const FEW: usize = if CHUNK < 4096 { CHUNK } else { 4096 };

/// Whether a member's own elements are in its sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Own {
    In,
    Out,
}

/// Scans `n` elements: as many are in `src` and `dest`, which are the same object or apart.
pub(crate) fn scan<T: Arith>(group: &mut Group<'_, '_, T>, n: usize, own: Own) {
    if n == 0 {
        // COLL-K4.
        return group.meet();
    }
    let me = group.rank();
    // How many members' elements are in this one's sum.
    let last = if own == Own::In { me + 1 } else { me };
    if group.few() {
        group.show_source();
        group.meet();
        let (mut acc, mut next) = (Few::new(), Few::new());
        let acc = group.shown(0, n, &mut acc);
        for rank in 1..last {
            fold::<T, Sum>(acc, group.shown(rank, n, &mut next));
        }
        return finish(group, acc, last);
    }
    let (mut acc, mut next) = (Chunk::new(), Chunk::new());
    group.open();
    if n.saturating_mul(size_of::<T>()) <= FEW {
        let acc = group.source_of(0, 0, n).get(&mut acc);
        for rank in 1..last {
            fold::<T, Sum>(acc, group.source_of(rank, 0, n).get(&mut next));
        }
        // No longer read by anybody: it may be this PE's dest, too.
        group.close();
        return finish(group, acc, last);
    }
    for (at, len) in chunks::<T>(part::<T>(n, group.rank(), group.size())) {
        walk(group, (at, len), own, &mut acc, &mut next);
    }
    group.close();
}

/// Writes this PE's sum, which is that of so many members.
fn finish<T: Arith>(group: &Group<'_, '_, T>, sum: &mut [T], members: u32) {
    if members == 0 {
        sum.fill(T::ZERO);
    }
    group.own_dest().put(0, sum);
}

/// One chunk of all members, with a running sum. This PE alone touches these elements.
fn walk<T: Arith>(
    group: &Group<'_, '_, T>,
    (at, n): (usize, usize),
    own: Own,
    acc: &mut Chunk,
    next: &mut Chunk,
) {
    let acc = group.source_of(0, at, n).get(acc);
    if own == Own::Out {
        // The first sum is zero; what was read is the second.
        let zeros = group.source_of(0, at, n).get(next);
        zeros.fill(T::ZERO);
        group.dest_of(0, at, n).put(zeros);
    } else {
        group.dest_of(0, at, n).put(acc);
    }
    for rank in 1..group.size() {
        let read = group.source_of(rank, at, n).get(next);
        if own == Own::Out {
            group.dest_of(rank, at, n).put(acc);
        }
        fold::<T, Sum>(acc, read);
        if own == Own::In {
            group.dest_of(rank, at, n).put(acc);
        }
    }
}
