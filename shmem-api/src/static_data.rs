//! The executable's static data as symmetric objects: where each PE's is in this process.
//!
//! ```text
//!   address of a static ──find──► (span, file offset) ──table[span][pe]──► that PE's copy
//!                                                       own: at the address itself
//!                                                       peers: in the mapping of their file
//! ```
//!
//! PEs may run different executables: then they share the heap, but a static of the one is nothing in
//! the other, and using it there is an error that says so.
//!
//! Invariant **C1**: an entry of a table is null, or such that entry + file offset lies in a mapping of that
//! PE's statics for every offset of the span, for as long as the value lives.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};
use memheap::region::Region;
use memheap::region::memfd::PeerRegion;
use memheap::{Bytes, Offset, PeId};

use crate::boot::Boot;
use crate::boot::step::step;
use crate::error::Error;
use crate::segment::{Peer, extents, read_only};
use crate::statics::{Identity, Span, Statics, StaticsError};

/// The static data of the PEs of this host.
pub(crate) struct StaticData {
    mine: Result<&'static Statics, StaticsError>,
    /// By span, then by PE.
    tables: Vec<Box<[Peer]>>,
    /// By PE: whether its static data is shared memory.
    shared: Box<[bool]>,
    maps: Vec<Option<PeerRegion>>,
}

/// A static: the table of its span, and where in the files it is.
#[derive(Clone, Copy)]
pub(crate) struct Static<'e> {
    pub(crate) table: &'e [Peer],
    pub(crate) at: Offset,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Shown {
    identity: [u8; 48],
    size: u64,
    pid: u32,
    fd: i32,
    shared: u64,
}

impl StaticData {
    /// Collective: PEs show their files, and those that run the same executable open each other's.
    pub(crate) fn establish(
        boot: &mut dyn Boot,
        mine: Result<&'static Statics, StaticsError>,
    ) -> Result<StaticData, Error> {
        let me = boot.pe();
        let shown = match &mine {
            Ok(s) => Shown {
                identity: bytemuck::cast::<Identity, _>(s.identity()),
                size: s.size().0,
                pid: std::process::id(),
                fd: s.raw_fd(),
                shared: u64::from(s.size().0 > 0),
            },
            Err(_) => Shown::zeroed(),
        };
        let all = step(boot, Ok(shown))?;
        let open = |(pe, s): (usize, &Shown)| {
            let same = pe != me.0 as usize && s.shared == 1 && s.identity == shown.identity;
            same.then(|| PeerRegion::open(s.pid, s.fd, Bytes(s.size))).transpose()
        };
        let failed =
            |why: std::io::Error| Error::Memory { pe: me, len: Bytes(shown.size), why: why.to_string() };
        let maps = all.iter().enumerate().map(open).collect::<Result<Vec<_>, _>>().map_err(failed);
        step(boot, maps.as_ref().map(|_| 0u32).map_err(Clone::clone))?;
        let maps = maps?;
        let tables = mine.as_ref().map_or(Vec::new(), |s| tables(s, &maps, me));
        let shared = all.iter().map(|s| s.shared == 1).collect();
        Ok(StaticData { mine, tables, shared, maps })
    }

    /// In a child of this PE: the peers' statics can only be read (see [`crate::segment::Segment::disown`]).
    pub(crate) fn disown(&self) {
        self.maps.iter().flatten().for_each(read_only);
    }

    /// Where the peers' statics are in this process, by PE.
    pub(crate) fn of_peers(&self) -> impl Iterator<Item = (u32, Range<usize>)> {
        extents(&self.maps)
    }

    /// Why `pe` has no static that this PE has.
    pub(crate) fn why_not(&self, pe: PeId) -> &'static str {
        match self.shared[pe.0 as usize] {
            true => "runs another executable",
            false => "could not make its static data symmetric",
        }
    }

    /// The static that `n` bytes at `address` belong to, or why they do not.
    pub(crate) fn find(&self, address: usize, n: usize) -> Result<Static<'_>, String> {
        let statics = self.mine.as_ref().map_err(|e| format!("static data is not symmetric here: {e}"))?;
        let found = statics
            .find(address)
            .ok_or("neither in the symmetric heap nor in the executable's static data")?;
        if n as u64 > found.left.0 {
            return Err("they run past the end of the executable's static data".to_owned());
        }
        Ok(Static { table: &self.tables[found.span], at: found.offset })
    }

    /// The largest stretch, where most statics are, and the PEs' tables for it.
    pub(crate) fn largest(&self) -> Option<(Span, &[Peer])> {
        let spans = self.mine.as_ref().ok()?.spans().iter().zip(&self.tables);
        spans.max_by_key(|(span, _)| span.len).map(|(span, table)| (*span, &**table))
    }

    /// What should be known about this PE's statics, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        self.mine.as_ref().err().map(|e| format!("static data is not symmetric: {e}"))
    }
}

impl Static<'_> {
    /// Where it is for `pe`; `None` if that PE runs another executable.
    pub(crate) fn place(&self, pe: PeId) -> Option<*mut u8> {
        let base = self.table[pe.0 as usize].heap;
        (!base.is_null()).then(|| base.wrapping_add(self.at.0 as usize))
    }
}

fn tables(statics: &Statics, maps: &[Option<PeerRegion>], me: PeId) -> Vec<Box<[Peer]>> {
    let table = |own: usize| {
        let entry = |(pe, map): (usize, &Option<PeerRegion>)| match map {
            Some(map) => Peer { heap: map.base().as_ptr() },
            None if pe == me.0 as usize => Peer { heap: std::ptr::with_exposed_provenance_mut(own) },
            None => Peer { heap: std::ptr::null_mut() },
        };
        maps.iter().enumerate().map(entry).collect::<Box<[Peer]>>()
    };
    statics.spans().iter().map(|s| table(s.address.wrapping_sub(s.offset.0 as usize))).collect()
}
