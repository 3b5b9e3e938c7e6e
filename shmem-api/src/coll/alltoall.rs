//! All-to-all (OpenSHMEM 1.6, 9.11.3 and 9.11.4): block l of member k's source becomes block k of member l's `dest`.
//!
//! ```text
//!   put my block for each member into place `rank` of its dest, beginning with the next one · meet
//! ```
//!
//! Everybody only puts (COLL-K1), and meets once (COLL-K3). Strided, element m of block l is at `(l * n + m) * sst` of the
//! source, and goes to `(k * n + m) * dst`; what lies between is left alone.

use crate::coll::group::Group;
use crate::coll::pieces::extent;
use crate::types::elem::Elem;

/// Exchanges `n` elements between every two members: `src` and `dest` are as many for each member.
pub(crate) fn alltoall<T: Elem>(group: &mut Group<'_, '_, T>, n: usize) {
    if group.few() {
        return group.meet();
    }
    let me = group.rank() as usize;
    let from = group.own_source();
    group.open();
    for rank in group.round() {
        group.dest_of(rank, n.saturating_mul(me), n).put_own(from.part(n * rank as usize, n));
    }
    group.close();
}

/// As [`alltoall`], with `dst` elements from one to the next in `dest`, and `sst` in `src`, both at least 1: the objects
/// are as long as the strides make them ([`extent`]).
pub(crate) fn alltoalls<T: Elem>(group: &mut Group<'_, '_, T>, (dst, sst): (usize, usize), n: usize) {
    if group.few() {
        return group.meet();
    }
    let me = group.rank() as usize;
    let from = group.own_source();
    group.open();
    for rank in group.round() {
        let from = from.part(n * rank as usize * sst, extent(n, sst));
        let at = n.saturating_mul(me).saturating_mul(dst);
        group.dest_of(rank, at, extent(n, dst)).put_strided(from, [dst, sst], n);
    }
    group.close();
}
