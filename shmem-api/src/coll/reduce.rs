//! Reduction (OpenSHMEM 1.6, 9.11.9): every member gets the sources of all, combined element by element.
//!
//! ```text
//!   very few         show them · meet · each PE folds what all have shown
//!
//!   few elements     meet · each PE reads all sources, folds them in a private chunk · meet · writes its own dest
//!
//!   many elements    meet · each PE folds its part of all sources, and writes it to all dests · meet
//!
//!      sources   PE 0 |AAAA|BBBB|      dests  PE 0 |AAAA|BBBB|     PE 0 does part A, PE 1 part B, chunk by
//!                PE 1 |AAAA|BBBB|  ──►        PE 1 |AAAA|BBBB|     chunk: read from all, then write to all
//! ```
//!
//! That is reduce-scatter and allgather in one, in place: each byte is read once and written once per member,
//! by one PE, with no staging but a chunk in the first-level cache. All members fold in the order of ranks, so
//! all get the same bits, floating point included.
//!
//! Where members are on several hosts, each byte of a source goes over the network at most once to each of the others ([`on_hosts`]):
//!
//! ```text
//!   meet · each PE folds its part of its host's sources, into its dest · meet · reads that part of what the other hosts have
//!   folded · meet · folds these, host by host, and writes them to its host's dests · meet
//! ```
//!
//! Then all fold in the order of ranks on each host, and of hosts by their first members: again the same bits on all.
//!
//! The first meeting is COLL-K2: sources are ready. The second is COLL-K3: sources are no longer read, and in the second
//! form `dest` is complete. In place is safe: few elements are written after the second meeting, and of many, a
//! chunk is written by the one PE that reads it, after it has read it from all.

use std::ops::Range;

use crate::coll::group::Group;
use crate::coll::ops::Fold;
use crate::coll::pieces::{CHUNK, Chunk, Few, chunks, part};
use crate::team::upper::Hosts;
use crate::types::elem::Elem;

/// Up to so many bytes, every PE reads them all. (One chunk at most.)
const FEW: usize = if CHUNK < 4096 { CHUNK } else { 4096 };

/// Reduces `n` elements by `fold`: as many are in `src` and `dest`, which are the same object or apart. (What is made anew for
/// each operator is the fold alone.)
pub(crate) fn reduce<T: Elem>(group: &mut Group<'_, '_, T>, n: usize, fold: Fold<T>) {
    if n == 0 {
        // COLL-K4.
        return group.meet();
    }
    if group.few() {
        group.show_source();
        group.meet();
        let (mut acc, mut next) = (Few::new(), Few::new());
        let acc = group.shown(0, n, &mut acc);
        for rank in 1..group.size() {
            fold(acc, group.shown(rank, n, &mut next));
        }
        return group.own_dest().put(0, acc);
    }
    if let Some(hosts) = group.hosts() {
        return on_hosts(group, hosts, n, fold);
    }
    let (mut acc, mut next) = (Chunk::new(), Chunk::new());
    group.open();
    if n.saturating_mul(size_of::<T>()) <= FEW {
        let acc = folded(group, 0..group.size(), (0, n), (&mut acc, &mut next), fold);
        let to = group.own_dest();
        group.close();
        return to.put(0, acc);
    }
    for (at, len) in chunks::<T>(part::<T>(n, group.rank(), group.size())) {
        let acc = folded(group, 0..group.size(), (at, len), (&mut acc, &mut next), fold);
        for rank in group.round() {
            group.dest_of(rank, at, len).put(acc);
        }
    }
    group.close();
}

/// Members on several hosts, and more elements than they show.
fn on_hosts<T: Elem>(group: &mut Group<'_, '_, T>, hosts: &Hosts, n: usize, fold: Fold<T>) {
    let (mut acc, mut next) = (Chunk::new(), Chunk::new());
    let here = hosts.ranks_here();
    let (_, place) = hosts.place(group.rank());
    let mine = part::<T>(n, place as u32, here.len() as u32);
    group.open();
    for (at, len) in chunks::<T>(mine.clone()) {
        // Nobody else reads these elements of this PE's source, which may be its dest.
        let folded = folded(group, here.iter().copied(), (at, len), (&mut acc, &mut next), fold);
        group.own_dest().put(at, folded);
    }
    group.sync();
    let theirs: Vec<Vec<T>> = hosts
        .iter()
        .map(|there| match there == here {
            true => Vec::new(),
            false => folded_there(group, there, n, mine.clone()),
        })
        .collect();
    // What others read of this PE's dest, they have read.
    group.sync();
    for (at, len) in chunks::<T>(mine.clone()) {
        let (mut folded, mut of_here) = (None, Some(group.own_dest().get(at, len, &mut next)));
        let from = at - mine.start;
        let first = &mut acc;
        for of_host in &theirs {
            let partial: &[T] = match of_host.is_empty() {
                true => of_here.take().unwrap_or_default(),
                false => &of_host[from..from + len],
            };
            match &mut folded {
                None => folded = Some(first.hold(partial)),
                Some(folded) => fold(folded, partial),
            }
        }
        let folded = folded.unwrap_or_default();
        for rank in here {
            group.dest_of(*rank, at, len).put(folded);
        }
    }
    group.close();
}

/// What the members of another host have folded of some elements: each has its part of all.
fn folded_there<T: Elem>(group: &Group<'_, '_, T>, there: &[u32], n: usize, range: Range<usize>) -> Vec<T> {
    let mut elements = vec![T::zeroed(); range.len()];
    for (place, rank) in there.iter().enumerate() {
        let theirs = part::<T>(n, place as u32, there.len() as u32);
        let (start, end) = (range.start.max(theirs.start), range.end.min(theirs.end));
        if start < end {
            let to = &mut elements[start - range.start..end - range.start];
            group.written_by(*rank, start, end - start).get_into(to);
        }
    }
    elements
}

/// Elements `at..at + n` of some members, at least one, folded.
#[inline]
fn folded<'a, T: Elem>(
    group: &Group<'_, '_, T>,
    mut ranks: impl Iterator<Item = u32>,
    (at, n): (usize, usize),
    (acc, next): (&'a mut Chunk, &mut Chunk),
    fold: Fold<T>,
) -> &'a mut [T] {
    let first = ranks.next().unwrap_or(group.rank());
    let acc = group.source_of(first, at, n).get(acc);
    for rank in ranks {
        fold(acc, group.source_of(rank, at, n).get(next));
    }
    acc
}
