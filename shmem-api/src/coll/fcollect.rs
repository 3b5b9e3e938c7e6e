//! Fcollect (OpenSHMEM 1.6, 9.11.7): every member gets the sources of all, one after the other, all of one length.
//!
//! ```text
//!   few      show them · meet · write what all have shown to my dest
//!   more     put my source into place `rank` of every dest · meet
//! ```
//!
//! Nobody reads another's source, so there is no meeting before (COLL-K1); the one after says that all parts have
//! arrived (COLL-K3).

use crate::coll::group::Group;
use crate::coll::pieces::Few;
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
    for rank in group.round() {
        group.dest_of(rank, n.saturating_mul(me), n).put_own(from);
    }
    group.close();
}
