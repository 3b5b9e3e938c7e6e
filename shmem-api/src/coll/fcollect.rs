//! Fcollect (OpenSHMEM 1.6, 9.11.7): every member gets the sources of all, one after the other, all of one length.
//!
//! ```text
//!   few      show them · meet · write what all have shown to my dest
//!   more     put my source into place `rank` of every dest · meet
//! ```
//!
//! Nobody reads another's source, so there is no meeting before (COLL-K1); the one after says that all parts have
//! arrived (COLL-K3).
#![allow(unsafe_code)]

use crate::call::bytes;
use crate::coll::group::{Chunk, Group, show, shown};
use crate::memory::copy;
use crate::types::elem::Elem;

/// Whether so many elements are shown: then there is nothing before the meeting.
pub(crate) fn shows<T>(group: &Group<'_, '_>, n: usize) -> bool {
    bytes::<T>(n) <= group.room() * 8
}

/// Collects `n` elements of each member.
///
/// # Safety
/// COLL-K1; `src` is `n` elements, and `dest` as many for each member; they do not overlap.
pub(crate) unsafe fn fcollect<T: Elem>(group: &mut Group<'_, '_>, dest: *mut T, src: *const T, n: usize) {
    if n == 0 {
        // COLL-K4.
        return group.sync();
    }
    let (me, size) = (group.rank(), group.size());
    let from = group.own(src, n);
    if shows::<T>(group, n) {
        // SAFETY: `target` checked the place, this PE's own.
        unsafe { show(group, from, n) };
        let to = group.own(dest, n.saturating_mul(size as usize));
        group.sync();
        let mut chunk = Chunk::new();
        for rank in 0..size {
            let elements = shown::<T>(group, rank, n, &mut chunk);
            // SAFETY: `target` checked the place; our own dest, which nobody else touches now.
            unsafe { copy::put(to.wrapping_add(n * rank as usize), elements.as_ptr(), n) };
        }
        return;
    }
    group.go_ahead();
    for rank in group.round() {
        let to = group.target(rank, dest, n.saturating_mul(size as usize)).plus(bytes::<T>(n * me as usize));
        // SAFETY: COLL-K1; `target` checked both places.
        unsafe { to.put(from, n) };
    }
    group.sync();
}
