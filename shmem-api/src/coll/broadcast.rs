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
//! Of many elements, the members on another host each take a part from the root's source, and after one more meeting what the others
//! there have taken from their dests: so each byte goes there once.
//!
//! A `dest` is written only while its PE is in the call: programs that let calls follow each other with one `dest`, and
//! look at it in between, find what each call brought. Where the root's source is, the root says. On a team the root's
//! `dest` is written, too; in an active set it is not.

use crate::coll::group::Group;
use crate::coll::pieces::{Few, part};
use crate::team::upper::Hosts;
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

/// Broadcasts `n` elements: as many are in `dest` on every member, and in `src` on the root.
pub(crate) fn broadcast<T: Elem>(group: &mut Group<'_, '_, T>, n: usize, root: Root) {
    if !group.few() {
        return large(group, n, root);
    }
    if n == 0 {
        // COLL-K4.
        return group.meet();
    }
    let me = group.rank();
    if me == root.rank {
        group.show_source();
    }
    match root.goes_on {
        true => group.follow(root.rank),
        false => group.meet(),
    }
    if me == root.rank {
        keep(group, root);
    } else {
        group.own_dest().put(0, group.shown(root.rank, n, &mut Few::new()));
    }
}

/// The root's own `dest`.
fn keep<T: Elem>(group: &Group<'_, '_, T>, root: Root) {
    if root.gets_it {
        group.own_dest().put_own(group.own_source());
    }
}

/// Many elements, to members on several hosts.
fn on_hosts<T: Elem>(group: &mut Group<'_, '_, T>, hosts: &Hosts, n: usize, root: Root) {
    let me = group.rank();
    let ((of_root, _), (_, place), here) = (hosts.place(root.rank), hosts.place(me), hosts.ranks_here());
    let beside_root = of_root == hosts.here();
    let part_of = |place: usize| {
        let part = part::<T>(n, place as u32, here.len() as u32);
        (part.start, part.len())
    };
    group.open();
    if me == root.rank {
        keep(group, root);
    } else {
        let (at, len) = if beside_root { (0, n) } else { part_of(place) };
        group.source_of_root(at, len).get_own(group.own_dest().part(at, len));
    }
    group.sync();
    if !beside_root {
        for (other, rank) in here.iter().enumerate().filter(|(other, _)| *other != place) {
            let (at, len) = part_of(other);
            group.written_by(*rank, at, len).get_own(group.own_dest().part(at, len));
        }
    }
    group.close();
}

fn large<T: Elem>(group: &mut Group<'_, '_, T>, n: usize, root: Root) {
    if let Some(hosts) = group.hosts() {
        return on_hosts(group, hosts, n, root);
    }
    let me = group.rank();
    group.open();
    let halves = group.size() == 2 && !root.gets_it;
    let half = if halves { (n / 2).next_multiple_of((64 / size_of::<T>()).max(1)).min(n) } else { 0 };
    if me != root.rank {
        let to = group.own_dest().part(half, n - half);
        group.source_of_root(half, n - half).get_own(to);
    } else if halves {
        group.dest_of(1 - me, 0, half).put_own(group.own_source().part(0, half));
    } else {
        keep(group, root);
    }
    group.close();
}
