//! Fcollect (OpenSHMEM 1.6, 9.11.7): every member gets the sources of all, one after the other, all of one length.
//!
//! ```text
//!   put my source into place `rank` of every dest · meet
//! ```
//!
//! Nobody reads another's source, so there is no meeting before (K1); the one after says that all parts have
//! arrived (K3).
#![allow(unsafe_code)]

use super::group::Group;
use crate::copy;
use crate::elem::Elem;

/// Collects `n` elements of each member.
///
/// # Safety
/// K1; `src` is `n` elements, and `dest` as many for each member; they do not overlap.
pub(crate) unsafe fn fcollect<T: Elem>(group: &mut impl Group, dest: *mut T, src: *const T, n: usize) {
    if n == 0 {
        return;
    }
    let (me, size) = (group.rank(), group.size());
    let from = group.of(me, src, n);
    for rank in group.round() {
        let to = group.of(rank, dest, n.saturating_mul(size as usize)).wrapping_add(n * me as usize);
        // SAFETY: K1; `of` checked both places.
        unsafe { copy::put(to, from, n) };
    }
    group.sync();
}
