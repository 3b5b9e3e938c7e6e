//! All-to-all (OpenSHMEM 1.6, 9.11.3 and 9.11.4): block l of member k's source becomes block k of member l's `dest`.
//!
//! ```text
//!   put my block for each member into place `rank` of its dest, beginning with the next one · meet
//! ```
//!
//! Everybody only puts (COLL-K1), and meets once (COLL-K3). Strided, element m of block l is at `(l * n + m) * sst` of the
//! source, and goes to `(k * n + m) * dst`; what lies between is left alone.
#![allow(unsafe_code)]

use crate::call::bytes;
use crate::coll::group::Group;
use crate::types::elem::Elem;

/// Exchanges `n` elements between every two members.
///
/// # Safety
/// COLL-K1; `src` and `dest` are `n` elements for each member, and do not overlap.
pub(crate) unsafe fn alltoall<T: Elem>(group: &mut Group<'_, '_>, dest: *mut T, src: *const T, n: usize) {
    if n == 0 {
        // COLL-K4.
        return group.sync();
    }
    let me = group.rank() as usize;
    let all = n.saturating_mul(group.size() as usize);
    let from = group.own(src, all);
    group.go_ahead();
    for rank in group.round() {
        let to = group.target(rank, dest, all).plus(bytes::<T>(n * me));
        // SAFETY: COLL-K1; `target` checked both places.
        unsafe { to.put(from.wrapping_add(n * rank as usize), n) };
    }
    group.sync();
}

/// As [`alltoall`], with `dst` elements from one to the next in `dest`, and `sst` in `src`, both at least 1.
///
/// # Safety
/// As there, with so many elements as the strides make of them.
pub(crate) unsafe fn alltoalls<T: Elem>(
    group: &mut Group<'_, '_>,
    dest: *mut T,
    src: *const T,
    (dst, sst): (usize, usize),
    n: usize,
) {
    if n == 0 {
        // COLL-K4.
        return group.sync();
    }
    let me = group.rank() as usize;
    let last = n.saturating_mul(group.size() as usize) - 1;
    let extent = |stride: usize| last.saturating_mul(stride).saturating_add(1);
    let from = group.own(src, extent(sst));
    group.go_ahead();
    for rank in group.round() {
        let to = group.target(rank, dest, extent(dst)).plus(bytes::<T>(n * me * dst));
        let from = from.wrapping_add(n * rank as usize * sst);
        // SAFETY: COLL-K1; `target` checked both places; a stride is at least one element.
        unsafe { to.put_blocks(from, [dst, sst], 1, n) }
    }
    group.sync();
}
