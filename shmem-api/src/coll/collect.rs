//! Collect (OpenSHMEM 1.6, 9.11.6): every member gets the sources of all, one after the other, of any lengths.
//!
//! ```text
//!   show my length · meet · the sum of the lengths before me is my place · put my source into every dest · meet
//! ```
//!
//! Over several hosts, many elements go to each once, as in `fcollect`.
//!
//! Each PE puts only its own source, so nobody waits for another's to be ready (COLL-K2), and `dest` is (COLL-K1). The
//! second meeting says that all parts have arrived (COLL-K3).

use crate::coll::fcollect::{SPREAD, spread};
use crate::coll::group::Group;
use crate::types::elem::Elem;

/// Collects this PE's elements with those of the others; how many they are together. If there is not room for as many in
/// `dest`, the job ends before anything is written: all members find it out.
pub(crate) fn collect<T: Elem>(group: &mut Group<'_, '_, T>) -> usize {
    group.open();
    let (at, n, all) = group.lay_out();
    if let Some(hosts) = group.hosts()
        && all.saturating_mul(size_of::<T>()) >= SPREAD.saturating_mul(group.size() as usize)
    {
        let ends = group.lengths().scan(0, |end, n| {
            *end += n;
            Some((*end - n, n))
        });
        let extents: Vec<(usize, usize)> = ends.collect();
        spread(group, hosts, |rank| extents[rank as usize]);
        group.close();
        return all;
    }
    if n > 0 {
        let from = group.own_source();
        for rank in group.round() {
            group.dest_of(rank, at, n).put_own(from);
        }
    }
    group.close();
    all
}
