//! Chunk descriptors: everything that is known about a chunk, kept outside the heap.
//!
//! ```text
//!   word        0             1     2      3      4       5
//!         ┌──────────────┬──────┬──────┬──────┬───────┬───────┐
//!         │ start·2+live │ size │ prev │ next │ newer │ older │
//!         └──────────────┴──────┴──────┴──────┴───────┴───────┘
//!                                 by address   within the bin
//!
//!   id    0      1 … 1024             1025   1026 …
//!         edge   list heads of bins   top    ordinary chunks, taken from a stack of spare descriptors
//! ```
//!
//! The edge stands before the first chunk. It starts beyond every position and is never free, so nothing merges with
//! it and no search finds it; no code has to test for "none". Of top only the name is here: where it starts changes
//! so often that it is a field of the heap.
//!
//! A spare descriptor has the next spare one in `older`. If that is zero, as in a fresh table, it was never used, and
//! its neighbour is the next: so no list has to be built at first.

use std::ops::{Deref, DerefMut};

use crate::bins::{BINS, Bin};
use crate::units::Granules;
use crate::width::{FIELDS, Word};

/// Names a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ChunkId(pub u64);

/// The edge before the first chunk; also "no chunk".
pub const EDGE: ChunkId = ChunkId(0);
/// The free chunk that ends the window. It may be empty.
pub const TOP: ChunkId = ChunkId(BINS as u64 + 1);
/// The first spare descriptor of a fresh table.
pub const FIRST: ChunkId = ChunkId(TOP.0 + 1);

impl Bin {
    /// The descriptor that heads its list.
    #[inline(always)]
    pub fn head(self) -> ChunkId {
        ChunkId(self.0 as u64 + 1)
    }

    /// The bin `head` heads.
    #[inline(always)]
    fn headed_by(head: ChunkId) -> Bin {
        Bin(head.0 as usize - 1)
    }
}

const TAG: usize = 0;
const SIZE: usize = 1;
const PREV: usize = 2;
const NEXT: usize = 3;
const NEWER: usize = 4;
const OLDER: usize = 5;

/// A chunk as its descriptor tells it.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    /// Where it starts.
    pub start: Granules,
    /// Whether somebody holds it.
    pub live: bool,
    /// Length.
    pub size: Granules,
    /// The chunk before it by address.
    pub prev: ChunkId,
    /// The chunk behind it by address.
    pub next: ChunkId,
}

impl Chunk {
    /// Where it ends.
    #[inline(always)]
    pub fn end(&self) -> Granules {
        self.start + self.size
    }
}

/// The first word of a chunk that starts at `start`.
#[inline(always)]
fn tag(start: Granules, live: bool) -> u64 {
    start.0 << 1 | u64::from(live)
}

/// The length of the table for a window of so many granules: there are at most as many chunks.
pub fn table_len(window: Granules) -> u64 {
    window.0 + FIRST.0
}

/// All descriptors of a heap, in a table, or in a slice of one, which the compiler can keep in registers.
pub struct Chunks<T>(pub T);

impl<W: Word, T: Deref<Target = [[W; FIELDS]]>> Chunks<T> {
    /// The chunk `id` names.
    #[inline(always)]
    pub fn get(&self, id: ChunkId) -> Chunk {
        let w = &self.0[id.0 as usize];
        Chunk {
            start: Granules(w[TAG].get() >> 1),
            live: w[TAG].get() & 1 != 0,
            size: Granules(w[SIZE].get()),
            prev: ChunkId(w[PREV].get()),
            next: ChunkId(w[NEXT].get()),
        }
    }

    /// Whether `id` is live and starts at `start`.
    #[inline(always)]
    pub fn is_live_at(&self, id: ChunkId, start: Granules) -> bool {
        self.0[id.0 as usize][TAG].get() == tag(start, true)
    }

    /// The next older member of the bin that `id` is in or heads; behind the oldest comes the head again.
    #[inline(always)]
    pub fn older(&self, id: ChunkId) -> ChunkId {
        ChunkId(self.0[id.0 as usize][OLDER].get())
    }

    /// The next newer member.
    #[inline(always)]
    pub fn newer(&self, id: ChunkId) -> ChunkId {
        ChunkId(self.0[id.0 as usize][NEWER].get())
    }

    /// The members of `bin`, newest first; `some` says whether it holds any.
    pub fn members(&self, bin: Bin, some: bool) -> impl Iterator<Item = ChunkId> + '_ {
        let older = move |id| Some(self.older(id)).filter(|&id| id != bin.head());
        std::iter::successors(if some { older(bin.head()) } else { None }, move |&id| older(id))
    }

    /// The descriptors that are or were in use: those from the first one up to the last such.
    pub fn touched(&self) -> &[[W; FIELDS]] {
        let all = &self.0[FIRST.0 as usize..];
        let was_used = |w: &[W; FIELDS]| w[SIZE].get() != 0;
        // By doubling, since a look at the middle of a large table would touch its pages.
        let mut len = 1;
        while len < all.len() && was_used(&all[len]) {
            len *= 2;
        }
        let some = &all[..all.len().min(len)];
        &some[..some.partition_point(was_used)]
    }

    /// Looks at about the square root of all chunks. Of those that start at or before `at`, returns the one that starts
    /// last.
    pub fn sample(&self, at: Granules) -> Option<ChunkId> {
        let touched = self.touched();
        let some = (0..touched.len()).step_by(touched.len().isqrt().max(1));
        let starts = some.map(|i| (touched[i][TAG].get() >> 1, ChunkId(FIRST.0 + i as u64)));
        starts.filter(|&(start, _)| start <= at.0).max_by_key(|&(start, _)| start).map(|(_, id)| id)
    }

    /// The spare descriptors that have been in use before.
    pub fn spares(&self, spare: ChunkId) -> impl Iterator<Item = ChunkId> + '_ {
        let end = FIRST.0 + self.touched().len() as u64;
        let touched = move |id: ChunkId| Some(id).filter(|id| id.0 < end);
        std::iter::successors(touched(spare), move |&id| touched(self.older(id)))
    }
}

impl<W: Word, T: DerefMut<Target = [[W; FIELDS]]>> Chunks<T> {
    /// Makes a table of zeroes the table of a heap without chunks.
    pub fn reset(&mut self) {
        self.put(
            EDGE,
            Chunk { start: Granules(u64::MAX >> 1), live: true, size: Granules(0), prev: EDGE, next: TOP },
        );
    }

    /// Writes a descriptor, except for its place in a bin.
    #[inline(always)]
    pub fn put(&mut self, id: ChunkId, chunk: Chunk) {
        let w = &mut self.0[id.0 as usize];
        w[TAG] = W::of(tag(chunk.start, chunk.live));
        w[SIZE] = W::of(chunk.size.0);
        w[PREV] = W::of(chunk.prev.0);
        w[NEXT] = W::of(chunk.next.0);
    }

    /// Writes start and state.
    #[inline(always)]
    pub fn set_start(&mut self, id: ChunkId, start: Granules, live: bool) {
        self.0[id.0 as usize][TAG] = W::of(tag(start, live));
    }

    /// Writes the size.
    #[inline(always)]
    pub fn set_size(&mut self, id: ChunkId, size: Granules) {
        self.0[id.0 as usize][SIZE] = W::of(size.0);
    }

    /// Writes the link to the chunk before.
    #[inline(always)]
    pub fn set_prev(&mut self, id: ChunkId, prev: ChunkId) {
        self.0[id.0 as usize][PREV] = W::of(prev.0);
    }

    /// Writes the link to the chunk behind.
    #[inline(always)]
    pub fn set_next(&mut self, id: ChunkId, next: ChunkId) {
        self.0[id.0 as usize][NEXT] = W::of(next.0);
    }

    /// An unused descriptor: `spare`, which becomes the next one. There always is one, since there are as many as
    /// granules, and every chunk has a granule at least.
    #[inline(always)]
    pub fn acquire(&mut self, spare: &mut ChunkId) -> ChunkId {
        let id = *spare;
        let next = self.older(id);
        *spare = if next == EDGE { ChunkId(id.0 + 1) } else { next };
        id
    }

    /// Puts a descriptor back. Like the edge, it now starts beyond every position.
    #[inline(always)]
    pub fn release(&mut self, id: ChunkId, spare: &mut ChunkId) {
        self.0[id.0 as usize][TAG] = W::of(u64::MAX);
        self.set_older(id, *spare);
        *spare = id;
    }

    /// Makes `id` the newest member of `bin`.
    #[inline(always)]
    pub fn link(&mut self, bin: Bin, id: ChunkId, was_empty: bool) {
        // The links of the head of an empty bin mean nothing: they are old, or were never written.
        let head = bin.head();
        let older = if was_empty { head } else { self.older(head) };
        self.set_newer(id, head);
        self.set_older(id, older);
        self.set_newer(older, id);
        self.set_older(head, id);
    }

    /// Takes `id` out of its bin; returns the bin if that is empty now.
    #[inline(always)]
    pub fn unlink(&mut self, id: ChunkId) -> Option<Bin> {
        let (newer, older) = (self.newer(id), self.older(id));
        self.set_older(newer, older);
        self.set_newer(older, newer);
        (newer == older).then(|| Bin::headed_by(newer))
    }

    /// Takes the newest chunk out of `bin`, which holds one; returns the chunk, and whether the bin is empty now.
    #[inline(always)]
    pub fn pop(&mut self, bin: Bin) -> (ChunkId, bool) {
        let head = bin.head();
        let id = self.older(head);
        let older = self.older(id);
        self.set_older(head, older);
        self.set_newer(older, head);
        (id, older == head)
    }

    #[inline(always)]
    fn set_newer(&mut self, id: ChunkId, newer: ChunkId) {
        self.0[id.0 as usize][NEWER] = W::of(newer.0);
    }

    #[inline(always)]
    fn set_older(&mut self, id: ChunkId, older: ChunkId) {
        self.0[id.0 as usize][OLDER] = W::of(older.0);
    }
}
