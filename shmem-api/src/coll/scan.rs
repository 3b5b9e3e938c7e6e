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
#![allow(unsafe_code)]

use crate::coll::group::{CHUNK, Chunk, Group, chunks, part, show, shown};
use crate::coll::ops::{Arith, Sum, fold};

/// Up to so many bytes, each PE sums up for itself. (One chunk at most.)
const FEW: usize = if CHUNK < 4096 { CHUNK } else { 4096 };

/// Whether a member's own elements are in its sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Own {
    In,
    Out,
}

/// Scans `n` elements.
///
/// # Safety
/// COLL-K1; `src` and `dest` are `n` elements on every member, the same object or apart.
pub(crate) unsafe fn scan<T: Arith>(
    group: &mut Group<'_, '_>,
    dest: *mut T,
    src: *const T,
    n: usize,
    own: Own,
) {
    if n == 0 {
        // COLL-K4.
        return group.sync();
    }
    let (mut acc, mut next) = (Chunk::new(), Chunk::new());
    let bytes = n.saturating_mul(size_of::<T>());
    let me = group.rank();
    // How many members' elements are in this one's sum.
    let last = if own == Own::In { me + 1 } else { me };
    if bytes <= group.room() * 8 {
        // SAFETY: `target` checked the place, this PE's own.
        unsafe { show(group, group.own(src, n), n) };
        group.sync();
        let acc = shown::<T>(group, 0, n, &mut acc);
        for rank in 1..last {
            fold::<T, Sum>(acc, shown(group, rank, n, &mut next));
        }
        finish(group, acc, last, dest);
        return;
    }
    group.sync();
    if bytes <= FEW {
        // SAFETY: COLL-K2; `target` checked the place.
        let acc = unsafe { acc.get(group.target(0, src, n), n) };
        for rank in 1..last {
            // SAFETY: as above.
            fold::<T, Sum>(acc, unsafe { next.get(group.target(rank, src, n), n) });
        }
        // No longer read by anybody: it may be this PE's dest, too.
        group.sync();
        finish(group, acc, last, dest);
        return;
    }
    for (at, len) in chunks::<T>(part::<T>(n, group.rank(), group.size())) {
        // SAFETY: COLL-K2 and COLL-K1; this part is ours on every member, and not yet written.
        unsafe { walk(group, (dest.wrapping_add(at), src.wrapping_add(at), len), own, &mut acc, &mut next) };
    }
    group.sync();
}

/// Writes this PE's sum, which is that of so many members.
fn finish<T: Arith>(group: &Group<'_, '_>, sum: &mut [T], members: u32, dest: *mut T) {
    if members == 0 {
        sum.fill(T::ZERO);
    }
    // SAFETY: `target` checked the place; our own dest, which nobody else touches now.
    unsafe { group.put(group.rank(), dest, sum.as_ptr(), sum.len()) };
}

/// One chunk of all members, with a running sum.
///
/// # Safety
/// As for `scan`, and this PE alone touches these elements.
unsafe fn walk<T: Arith>(
    group: &Group<'_, '_>,
    (dest, src, n): (*mut T, *const T, usize),
    own: Own,
    acc: &mut Chunk,
    next: &mut Chunk,
) {
    // SAFETY: by contract; `target` checked the place.
    let acc = unsafe { acc.get(group.target(0, src, n), n) };
    if own == Own::Out {
        // The first sum is zero; what was read is the second.
        // SAFETY: as above.
        let zeros = unsafe { next.get(group.target(0, src, n), n) };
        zeros.fill(T::ZERO);
        // SAFETY: as above.
        unsafe { group.put(0, dest, zeros.as_ptr(), n) };
    } else {
        // SAFETY: as above.
        unsafe { group.put(0, dest, acc.as_ptr(), n) };
    }
    for rank in 1..group.size() {
        // SAFETY: as above.
        let read = unsafe { next.get(group.target(rank, src, n), n) };
        let to = group.target(rank, dest, n);
        if own == Own::Out {
            // SAFETY: as above; this member's source has been read.
            unsafe { to.put(acc.as_ptr(), n) };
        }
        fold::<T, Sum>(acc, read);
        if own == Own::In {
            // SAFETY: as above.
            unsafe { to.put(acc.as_ptr(), n) };
        }
    }
}
