//! I1 to I6, checked in this order.

use std::collections::HashSet;

use memheap::Violation;

use super::Heap;
use crate::bins::Bin;
use crate::chunks::{ChunkId, EDGE, TOP};
use crate::units::Granules;

fn require(holds: bool, invariant: &'static str, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { invariant, what: what() }) }
}

impl Heap {
    /// The first invariant that does not hold.
    pub(super) fn check(&self) -> Result<(), Violation> {
        self.i1_chunks_tile_the_window()?;
        self.i2_no_two_free_neighbours()?;
        self.i3_starts_are_found()?;
        self.i4_each_free_chunk_has_one_place()?;
        self.i5_maps_agree()?;
        self.i6_totals_agree()
    }

    fn i1_chunks_tile_the_window(&self) -> Result<(), Violation> {
        let (mut end, mut prev) = (Granules(0), EDGE);
        for (id, chunk) in self.walk() {
            require(chunk.start() == end, "I1", || {
                format!("{id:?} starts at {:?}, not {end:?}", chunk.start())
            })?;
            require(chunk.prev == prev, "I1", || {
                format!("{id:?} follows {prev:?}, but says {:?}", chunk.prev)
            })?;
            require(chunk.size.0 > 0 || id == TOP, "I1", || format!("{id:?} is empty"))?;
            (end, prev) = (chunk.end(), id);
        }
        require(end == self.window(), "I1", || format!("chunks end at {end:?}, not {:?}", self.window()))
    }

    fn i2_no_two_free_neighbours(&self) -> Result<(), Violation> {
        let mut free_before = false;
        for (id, chunk) in self.walk() {
            let free = !chunk.is_live();
            require(!(free && free_before), "I2", || format!("{id:?} and the chunk before it are free"))?;
            free_before = free;
        }
        require(free_before, "I2", || "top is live".into())
    }

    fn i3_starts_are_found(&self) -> Result<(), Violation> {
        let expected = self.walk().filter(|&(id, _)| id != TOP).map(|(id, c)| (id, c.start()));
        let mut firsts = 0;
        let mut last = None;
        for (id, start) in expected {
            if last.replace(start.slot()) != Some(start.slot()) {
                firsts += 1;
                let found = self.starts.first(start);
                require(found == Some(id), "I3", || format!("{id:?} at {start:?}: slot has {found:?}"))?;
            }
        }
        let Some(entries) = self.starts.entries() else { return Ok(()) };
        require(entries == firsts, "I3", || format!("{entries} slots are filled, {firsts} have starts"))
    }

    fn i4_each_free_chunk_has_one_place(&self) -> Result<(), Violation> {
        let mut places = HashSet::new();
        for bin in Bin::all() {
            let mut newer = bin.head();
            for id in self.members(bin) {
                let chunk = self.chunks.get(id);
                require(Bin::of(chunk.size) == bin, "I4", || {
                    format!("{id:?}, {:?}, is in {bin:?}", chunk.size)
                })?;
                require(self.chunks.newer(id) == newer, "I4", || {
                    format!("{id:?} in {bin:?} is linked wrongly")
                })?;
                require(places.insert(id), "I4", || format!("{id:?} is binned twice"))?;
                newer = id;
            }
        }
        if self.victim != EDGE {
            let size = self.chunks.get(self.victim).size;
            require(size == self.victim_size, "I4", || {
                format!("victim is {size:?}, not {:?}", self.victim_size)
            })?;
            require(places.insert(self.victim), "I4", || "the victim is binned".into())?;
        }
        require(places.insert(TOP), "I4", || "top is binned".into())?;
        let free: HashSet<ChunkId> = self.walk().filter(|(_, c)| !c.is_live()).map(|(id, _)| id).collect();
        let odd = free.symmetric_difference(&places).next();
        require(odd.is_none(), "I4", || format!("{odd:?} is free, or has a place, but not both"))
    }

    fn i5_maps_agree(&self) -> Result<(), Violation> {
        for bin in Bin::all().filter(|&bin| self.map.has(bin)) {
            let first = self.chunks.older(bin.head());
            require(first != bin.head() && first != EDGE, "I5", || format!("{bin:?} is marked, but empty"))?;
        }
        require(self.map.summary_is_exact(), "I5", || "a summary bit differs from its word".into())
    }

    fn i6_totals_agree(&self) -> Result<(), Violation> {
        let live = Granules(self.walk().filter(|(_, c)| c.is_live()).map(|(_, c)| c.size.0).sum());
        require(live == self.live, "I6", || format!("{live:?} are live, {:?} counted", self.live))?;
        let chunks: HashSet<ChunkId> = self.walk().map(|(id, _)| id).filter(|&id| id != TOP).collect();
        let (spares, used) = self.chunks.spares();
        let spares: HashSet<ChunkId> = spares.into_iter().collect();
        let known = (chunks.len() + spares.len()) as u64;
        require(used == known && chunks.is_disjoint(&spares), "I6", || {
            format!("{used} descriptors, but {} chunks and {} spare", chunks.len(), spares.len())
        })
    }
}
