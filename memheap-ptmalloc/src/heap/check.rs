//! PTM-I1 to PTM-I6, checked in this order.

use memheap::Violation;

use super::view::View;
use crate::bins::Bin;
use crate::chunks::{Chunk, ChunkId, EDGE, TOP};
use crate::units::Granules;
use crate::width::Word;

fn require(holds: bool, invariant: &'static str, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { invariant, what: what() }) }
}

impl<W: Word> View<'_, W> {
    /// The first invariant that does not hold.
    pub(super) fn check(&self) -> Result<(), Violation> {
        self.i1_chunks_tile_the_window()?;
        self.i2_no_two_free_neighbours()?;
        self.i3_starts_are_found()?;
        self.i4_maps_agree()?;
        self.i5_each_free_chunk_has_one_place()?;
        self.i6_totals_agree()
    }

    fn i1_chunks_tile_the_window(&self) -> Result<(), Violation> {
        let (mut end, mut prev) = (Granules(0), EDGE);
        for (id, chunk) in self.walk() {
            require(chunk.start == end, "PTM-I1", || {
                format!("{id:?} starts at {:?}, not {end:?}", chunk.start)
            })?;
            require(chunk.prev == prev, "PTM-I1", || {
                format!("{id:?} follows {prev:?}, but says {:?}", chunk.prev)
            })?;
            require(chunk.size.0 > 0 || id == TOP, "PTM-I1", || format!("{id:?} is empty"))?;
            (end, prev) = (chunk.end(), id);
        }
        require(end == self.state.window, "PTM-I1", || {
            format!("chunks end at {end:?}, not {:?}", self.state.window)
        })
    }

    fn i2_no_two_free_neighbours(&self) -> Result<(), Violation> {
        let mut free_before = false;
        for (id, chunk) in self.walk() {
            let free = !chunk.live;
            require(!(free && free_before), "PTM-I2", || format!("{id:?} and the chunk before it are free"))?;
            free_before = free;
        }
        require(free_before, "PTM-I2", || "top is live".into())
    }

    fn i3_starts_are_found(&self) -> Result<(), Violation> {
        let expected = self.walk().filter(|&(id, _)| id != TOP).map(|(id, c)| (id, c.start));
        let mut firsts = 0;
        let mut last = None;
        for (id, start) in expected {
            if last.replace(start.slot()) != Some(start.slot()) {
                firsts += 1;
                let found = self.starts.first(start);
                require(found == Some(id), "PTM-I3", || format!("{id:?} at {start:?}: slot has {found:?}"))?;
            }
        }
        let Some(entries) = self.starts.entries() else { return Ok(()) };
        require(entries == firsts, "PTM-I3", || format!("{entries} slots are filled, {firsts} have starts"))
    }

    fn i4_maps_agree(&self) -> Result<(), Violation> {
        for bin in Bin::all().filter(|&bin| self.state.map.has(bin)) {
            let first = self.chunks.older(bin.head());
            require(first != bin.head() && first != EDGE, "PTM-I4", || {
                format!("{bin:?} is marked, but empty")
            })?;
        }
        require(self.state.map.summary_is_exact(), "PTM-I4", || "a summary bit differs from its word".into())
    }

    fn i5_each_free_chunk_has_one_place(&self) -> Result<(), Violation> {
        let mut places = Vec::new();
        for bin in Bin::all().filter(|&bin| self.state.map.has(bin)) {
            let mut newer = bin.head();
            for id in self.members(bin) {
                let size = self.chunks.get(id).size;
                require(Bin::of(size) == bin, "PTM-I5", || format!("{id:?}, {size:?}, is in {bin:?}"))?;
                require(self.chunks.newer(id) == newer, "PTM-I5", || {
                    format!("{id:?} in {bin:?} is linked wrongly")
                })?;
                require(places.len() as u64 <= self.state.window.0, "PTM-I5", || {
                    format!("{bin:?} has no end")
                })?;
                places.push(id);
                newer = id;
            }
        }
        let size = self.chunks.get(self.state.victim).size;
        let known = self.state.victim_size;
        require(size == known, "PTM-I5", || format!("the victim is {size:?}, not {known:?}"))?;
        places.extend(Some(self.state.victim).filter(|&id| id != EDGE));
        places.push(TOP);
        let mut free: Vec<ChunkId> = self.walk().filter(|(_, c)| !c.live).map(|(id, _)| id).collect();
        places.sort();
        free.sort();
        require(places == free, "PTM-I5", || format!("free are {free:?}, but {places:?} have a place"))
    }

    fn i6_totals_agree(&self) -> Result<(), Violation> {
        let free = |(id, c): &(ChunkId, Chunk)| !c.live && *id != TOP;
        let idle = Granules(self.walk().filter(free).map(|(_, c)| c.size.0).sum());
        let counted = self.state.idle;
        require(idle == counted, "PTM-I6", || format!("{idle:?} are free below top, {counted:?} counted"))?;
        let touched = self.chunks.touched().len();
        let chunks = self.walk().count() - 1;
        let spares = self.chunks.spares(self.state.spare).take(touched + 1).count();
        require(touched == chunks + spares, "PTM-I6", || {
            format!("{touched} descriptors, but {chunks} chunks and {spares} spare")
        })
    }
}
