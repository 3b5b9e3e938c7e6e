//! Fcollect (OpenSHMEM 1.6, 9.11.7): every member gets the sources of all, one after the other, all of one length.
//!
//! ```text
//!   few      show them · meet · write what all have shown to my dest
//!   more     put my source into place `rank` of every dest · meet
//! ```
//!
//! Where members are on several hosts, many elements go to one member on each of the others, and after one more meeting those beside it
//! copy them from its dest ([`spread`]).
//!
//! Nobody reads another's source, so there is no meeting before (COLL-K1); the one after says that all parts have
//! arrived (COLL-K3).

use crate::coll::group::Group;
use crate::coll::pieces::Few;
use crate::team::upper::Hosts;
use crate::types::elem::Elem;

/// Collects `n` elements of each member, which is what `src` has: `dest` has as many for each.
pub(crate) fn fcollect<T: Elem>(group: &mut Group<'_, '_, T>, n: usize) {
    if n == 0 {
        // COLL-K4.
        return group.meet();
    }
    if group.few() {
        group.show_source();
        let to = group.own_dest();
        group.meet();
        let mut few = Few::new();
        for rank in 0..group.size() {
            to.put(n * rank as usize, group.shown(rank, n, &mut few));
        }
        return;
    }
    let (me, from) = (group.rank() as usize, group.own_source());
    group.open();
    if let Some(hosts) = group.hosts()
        && n.saturating_mul(size_of::<T>()) >= SPREAD
    {
        spread(group, hosts, |rank| (n * rank as usize, n));
        return group.close();
    }
    for rank in group.round() {
        group.dest_of(rank, n.saturating_mul(me), n).put_own(from);
    }
    group.close();
}

/// From so many bytes of a member on it takes a meeting to send them to each host once.
pub(super) const SPREAD: usize = 4096;

/// Puts this PE's source where it belongs in the dests of its host's members, and in that of one member on each other host; then copies
/// what has come to the others here. `extent`: where the elements of a member belong, and how many they are.
pub(super) fn spread<T: Elem>(
    group: &mut Group<'_, '_, T>,
    hosts: &Hosts,
    extent: impl Fn(u32) -> (usize, usize),
) {
    let (me, from) = (group.rank(), group.own_source());
    let (at, n) = extent(me);
    let lands = |rank: u32, there: &[u32]| there[rank as usize % there.len()];
    if n > 0 {
        for (host, there) in hosts.iter().enumerate() {
            let to = if host == hosts.here() { there } else { &[lands(me, there)] };
            to.iter().for_each(|rank| group.dest_of(*rank, at, n).put_own(from));
        }
    }
    group.sync();
    let here = hosts.ranks_here();
    for (_, there) in hosts.iter().enumerate().filter(|(host, _)| *host != hosts.here()) {
        for rank in there.iter().filter(|rank| lands(**rank, here) != me) {
            let (at, n) = extent(*rank);
            if n > 0 {
                group.written_by(lands(*rank, here), at, n).get_own(group.own_dest().part(at, n));
            }
        }
    }
}
