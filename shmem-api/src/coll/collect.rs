//! Collect (OpenSHMEM 1.6, 9.11.6): every member gets the sources of all, one after the other, of any lengths.
//!
//! ```text
//!   show my length · meet · the sum of the lengths before me is my place · put my source into every dest · meet
//! ```
//!
//! Each PE puts only its own source, so nobody waits for another's to be ready (COLL-K2), and `dest` is (COLL-K1). The
//! second meeting says that all parts have arrived (COLL-K3).
#![allow(unsafe_code)]

use crate::call::bytes;
use crate::coll::group::Group;
use crate::types::elem::Elem;

/// Collects this PE's `n` elements with those of the others; how many they are together. If there is not `room` for
/// as many in `dest`, the job ends before anything is written: all members find it out.
///
/// # Safety
/// COLL-K1, from the first meeting on; `src` is `n` elements here, and `dest` has `room`, or as many as all members have
/// together; they do not overlap.
pub(crate) unsafe fn collect<T: Elem>(
    group: &mut Group<'_, '_>,
    (dest, room): (*mut T, usize),
    src: *const T,
    n: usize,
) -> usize {
    group.show(&[n as u64]);
    group.sync();
    let before = |rank| (0..rank).map(|r| group.shown(r, 0) as usize).fold(0, usize::saturating_add);
    let at = before(group.rank());
    let all = before(group.size());
    if all > room {
        group.call().fail(&format!("dest has {room} elements, and all sources together {all}"));
    }
    if n > 0 {
        let from = group.own(src, n);
        for rank in group.round() {
            // All of it, so that a place that ends too early is named whoever's part does not fit.
            let to = group.target(rank, dest, all).plus(bytes::<T>(at));
            // SAFETY: COLL-K1; `target` checked both places.
            unsafe { to.put(from, n) };
        }
    }
    group.sync();
    all
}
