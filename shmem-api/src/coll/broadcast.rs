//! Broadcast (OpenSHMEM 1.6, 9.11.5): every member gets the root's source.
//!
//! ```text
//!   small     the root gives, and goes on; the others take        (see the group: no meeting, root may run ahead)
//!
//!   large     meet · each other PE copies from the root's source · meet
//!             two PEs, and the root has no copy of its own to make: each does one half
//!
//!      root  src |AAAA|BBBB|         the root puts A into the other's dest (K1: it is ready)
//!      other dst |AAAA|BBBB|         while the other gets B from the root's source (K2: after a meeting)
//! ```
//!
//! On a team the root's `dest` is written, too; in an active set it is not.
#![allow(unsafe_code)]

use super::group::Group;
use crate::copy;
use crate::elem::Elem;

/// Whether the root's own `dest` is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Root {
    GetsItToo,
    KeepsItsDest,
}

/// Broadcasts `n` elements.
///
/// # Safety
/// K1; `src` on the root and `dest` on every member are `n` elements, and do not overlap.
pub(crate) unsafe fn broadcast<T: Elem, G: Group>(
    group: &mut G,
    dest: *mut T,
    src: *const T,
    n: usize,
    root: u32,
    own: Root,
) {
    let (me, size) = (group.rank(), group.size());
    if n == 0 {
        return;
    }
    let bytes = n.saturating_mul(size_of::<T>());
    let keep = |group: &G| {
        if own == Root::GetsItToo {
            // SAFETY: `of` checked both places, this PE's own.
            unsafe { copy::put(group.of(me, dest, n), group.of(me, src, n), n) };
        }
    };
    if size == 1 {
        keep(group);
    } else if bytes <= group.eager() {
        if me == root {
            // SAFETY: the source is checked; K1.
            unsafe { group.give(dest.cast(), group.of(me, src, n).cast(), bytes) };
            keep(group);
        } else {
            // SAFETY: K1; checked.
            unsafe { group.take(group.of(me, dest, n).cast(), bytes, root) };
        }
    } else {
        group.sync();
        let halves = size == 2 && own == Root::KeepsItsDest;
        let half = if halves { (n / 2).next_multiple_of((64 / size_of::<T>()).max(1)).min(n) } else { 0 };
        if me != root {
            let (to, from) = (group.of(me, dest, n), group.of(root, src, n));
            // SAFETY: K2, by the meeting; `of` checked both places.
            unsafe { copy::put(to.wrapping_add(half), from.wrapping_add(half), n - half) };
        } else if halves {
            // SAFETY: K1; `of` checked both places.
            unsafe { copy::put(group.of(1 - me, dest, n), group.of(me, src, n), half) };
        } else {
            keep(group);
        }
        group.sync();
    }
}
