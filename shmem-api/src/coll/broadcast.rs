//! Broadcast (OpenSHMEM 1.6, 9.11.5): every member gets the root's source.
//!
//! ```text
//!   small     the root shows its source; the others wait for that, and write what it has shown to their own dest.
//!             Either all meet, or the root goes on, and is at most one call ahead
//!
//!   large     meet · each other PE copies from the root's source · meet
//!             two PEs, and the root has no copy of its own to make: each does one half
//!
//!      root  src |AAAA|BBBB|         the root puts A into the other's dest (COLL-K1: it is ready)
//!      other dst |AAAA|BBBB|         while the other gets B from the root's source (COLL-K2: after a meeting)
//! ```
//!
//! A `dest` is written only while its PE is in the call: programs that let calls follow each other with one `dest`, and
//! look at it in between, find what each call brought. Where the root's source is, the root says. On a team the root's
//! `dest` is written, too; in an active set it is not.
#![allow(unsafe_code)]

use crate::call::bytes;
use crate::coll::group::{Chunk, Group, show, shown};
use crate::types::elem::Elem;

/// What the root of a broadcast does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Root {
    pub(crate) rank: u32,
    /// Its own `dest` is written, too.
    pub(crate) gets_it: bool,
    /// It need not wait for the others to come.
    pub(crate) goes_on: bool,
}

/// Broadcasts `n` elements.
///
/// # Safety
/// COLL-K1; `src` on the root and `dest` on every member are `n` elements, and do not overlap.
pub(crate) unsafe fn broadcast<T: Elem>(
    group: &mut Group<'_, '_>,
    dest: *mut T,
    src: *const T,
    n: usize,
    root: Root,
) {
    let me = group.rank();
    let keep = |group: &Group<'_, '_>| {
        if root.gets_it {
            // SAFETY: `target` checked both places, this PE's own.
            unsafe { group.put(me, dest, group.own(src, n), n) };
        }
    };
    if n == 0 || bytes::<T>(n) > group.room() * 8 {
        // SAFETY: by the same contract.
        return unsafe { large(group, (dest, src, n), root, keep) };
    }
    if me == root.rank {
        // SAFETY: `target` checked the place, this PE's own.
        unsafe { show(group, group.own(src, n), n) };
    }
    match root.goes_on {
        true => group.follow(root.rank),
        false => group.sync(),
    }
    if me == root.rank {
        keep(group);
    } else {
        let mut chunk = Chunk::new();
        let elements = shown::<T>(group, root.rank, n, &mut chunk);
        // SAFETY: `target` checked the place; our own dest, which nobody else touches now.
        unsafe { group.put(me, dest, elements.as_ptr(), n) };
    }
}

/// # Safety
/// As for `broadcast`.
unsafe fn large<T: Elem>(
    group: &mut Group<'_, '_>,
    (dest, src, n): (*mut T, *const T, usize),
    root: Root,
    keep: impl Fn(&Group<'_, '_>),
) {
    let me = group.rank();
    if me == root.rank && n > 0 {
        group.show(&[group.call().position(group.own(src, n), n)]);
    }
    group.sync();
    if n == 0 {
        // COLL-K4.
        return;
    }
    if group.size() == 1 {
        return keep(group);
    }
    let halves = group.size() == 2 && !root.gets_it;
    let half = if halves { (n / 2).next_multiple_of((64 / size_of::<T>()).max(1)).min(n) } else { 0 };
    if me != root.rank {
        let src = group.call().own_address(group.shown(root.rank, 0)).cast::<T>();
        let (to, from) = (group.own(dest, n), group.target(root.rank, src, n).plus(bytes::<T>(half)));
        // SAFETY: COLL-K2, by the meeting; `target` checked both places.
        unsafe { from.get(to.wrapping_add(half), n - half) };
    } else if halves {
        // SAFETY: COLL-K1; `target` checked both places.
        unsafe { group.target(1 - me, dest, n).put(group.own(src, n), half) };
    } else {
        keep(group);
    }
    group.sync();
}
