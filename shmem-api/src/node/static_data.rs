//! The executable's static data as symmetric objects: where each PE's is in this process.
//!
//! ```text
//!   address of a static ──find──► (span, file offset) ──table[span][pe]──► that PE's copy
//!                                                       own: at the address itself
//!                                                       peers: in the mapping of their file
//! ```
//!
//! PEs may run different executables: then they share the heap, but a static of the one is nothing in
//! the other, and using it there is an error that says so. A PE's static data stays where it is as long as its process
//! lives, so what one start has mapped of it is there for the next.
//!
//! Invariant **NODE-C1**: an entry of a table is null, or such that entry + file offset lies in a mapping of that
//! PE's statics for every offset of the span, for as long as the value lives. **NODE-C2**: what is mapped of a peer's statics
//! stays so.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use bytemuck::{Pod, Zeroable};
use memheap::region::Region;
use memheap::region::memfd::PeerRegion;
use memheap::{Bytes, Offset, PeId};

use crate::boot::protocol::Boot;
use crate::boot::step::step;
use crate::boot::text::{padded, unpadded};
use crate::error::Error;
use crate::node::segment::{Peer, extents, read_only};
use crate::statics::{Identity, Span, Statics, StaticsError};
use crate::transport::FarTarget;
use crate::transport::served::Stretch;
use crate::types::host_of::HostOf;

/// The static data of the PEs of this host.
pub(crate) struct StaticData {
    mine: Result<&'static Statics, StaticsError>,
    /// By span, then by PE.
    tables: Vec<Box<[Peer]>>,
    /// By PE. NODE-C2.
    maps: Vec<Option<&'static PeerRegion>>,
    /// By PE: it has the same statics, and is far.
    far: Vec<bool>,
    /// By PE: what it said.
    shown: Vec<Shown>,
    me: PeId,
}

/// A static: the table of its span, and where in the files it is.
#[derive(Clone, Copy)]
pub(crate) struct Static<'e> {
    pub(crate) table: &'e [Peer],
    /// By PE: it has the same statics, and is far.
    far: &'e [bool],
    pub(crate) at: Offset,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Shown {
    identity: [u8; 48],
    size: u64,
    /// 1 if its static data is shared.
    shared: u64,
    /// Why not, else.
    why: [u8; 192],
}

/// NODE-C2: by PE, of this process's whole life.
static MAPS: Mutex<Vec<Option<&'static PeerRegion>>> = Mutex::new(Vec::new());

impl StaticData {
    /// Collective: PEs show their files, and those of a host that run the same executable open each other's.
    pub(crate) fn establish(
        boot: &mut dyn Boot,
        hosts: &HostOf,
        mine: Result<&'static Statics, StaticsError>,
    ) -> Result<StaticData, Error> {
        let me = boot.pe();
        let identity = |statics: &Statics| match boot.hosts().are_several() {
            true => statics.identity().on_any_host().unwrap_or_else(|_| statics.identity()),
            false => statics.identity(),
        };
        let shown = match &mine {
            Ok(s) => Shown {
                identity: bytemuck::cast::<Identity, _>(identity(s)),
                size: s.size().0,
                shared: u64::from(s.size().0 > 0),
                why: padded("there is none"),
            },
            Err(e) => Shown { why: padded(&e.to_string()), ..Shown::zeroed() },
        };
        let all = step(boot, Ok(shown))?;
        let mut maps = MAPS.lock().unwrap_or_else(PoisonError::into_inner);
        maps.resize(all.len(), None);
        let same = |pe: usize| {
            pe != me.0 as usize
                && shown.shared == 1
                && all[pe].shared == 1
                && all[pe].identity == shown.identity
        };
        let near = |pe: usize| same(pe) && hosts.share(me, PeId(pe as u32));
        let lacking = (0..all.len()).filter(|&pe| near(pe) && maps[pe].is_none()).count() as u64;
        if step(boot, Ok(lacking))?.iter().any(|lacking| *lacking > 0) {
            let mut trouble = Ok(());
            let file = mine.as_ref().ok().filter(|_| shown.shared == 1).and_then(|s| s.file());
            let passed = boot.pass_files(hosts.of(me), file, &mut |pe, file| {
                if near(pe) && maps[pe].is_none() {
                    match PeerRegion::of(file, Bytes(all[pe].size)) {
                        Ok(map) => maps[pe] = Some(Box::leak(Box::new(map))),
                        Err(e) => trouble = Err(e),
                    }
                }
            });
            let missing = (0..all.len()).find(|&pe| near(pe) && maps[pe].is_none());
            let opened = passed.and(trouble).and_then(|()| match missing {
                None => Ok(()),
                Some(pe) => {
                    Err(std::io::Error::other(format!("PE {pe} has closed the file of its static data")))
                }
            });
            let opened =
                opened.map_err(|e| Error::Boot(format!("PE {me}: static data of the other PEs: {e}")));
            step(boot, opened.as_ref().map(|()| 0u32).map_err(Clone::clone))?;
            opened?;
        }
        let maps: Vec<_> = (0..all.len()).map(|pe| maps[pe].filter(|_| near(pe))).collect();
        let tables = mine.as_ref().map_or(Vec::new(), |s| tables(s, &maps, me));
        let far = (0..all.len()).map(|pe| same(pe) && !near(pe)).collect();
        Ok(StaticData { mine, tables, maps, far, shown: all, me })
    }

    /// What this process serves of a PE's statics, to other hosts.
    pub(crate) fn stretches(&self, pe: PeId) -> Vec<Stretch> {
        let stretch =
            |at: u64, address: usize, len: u64| Stretch { at: FarTarget::STATIC | at, address, len };
        if let Some(map) = self.maps[pe.0 as usize] {
            return vec![stretch(0, map.base().as_ptr().expose_provenance(), map.len().0)];
        }
        let own = self.mine.as_ref().ok().filter(|_| pe == self.me);
        let spans = own.map_or(&[][..], |statics| statics.spans());
        spans.iter().map(|span| stretch(span.offset.0, span.address, span.len.0)).collect()
    }

    /// Takes those PEs for far: what was mapped of them goes to their transport, by PE.
    #[cfg(feature = "testing")]
    pub(crate) fn give_up(&mut self, is_far: impl Fn(PeId) -> bool) -> Vec<Option<&'static PeerRegion>> {
        let give = |(pe, map): (usize, &mut Option<&'static PeerRegion>)| {
            let far = is_far(PeId(pe as u32)) && map.is_some();
            self.far[pe] |= far;
            for table in self.tables.iter_mut().filter(|_| far) {
                table[pe].heap = std::ptr::null_mut();
            }
            if far { map.take() } else { None }
        };
        self.maps.iter_mut().enumerate().map(give).collect()
    }

    /// Why `pe` has no statics that are this PE's, too.
    pub(crate) fn why_absent(&self, pe: PeId) -> String {
        let theirs = &self.shown[pe.0 as usize];
        match theirs.shared {
            1 => "runs another executable".to_owned(),
            _ => format!("does not share its static data ({})", unpadded(&theirs.why)),
        }
    }

    /// In a child of this PE: the peers' statics can only be read (see [`crate::node::segment::Segment::disown`]).
    pub(crate) fn disown(&self) {
        self.maps.iter().flatten().for_each(|map| read_only(*map));
    }

    /// Where the peers' statics are in this process, by PE.
    pub(crate) fn of_peers(&self) -> impl Iterator<Item = (u32, Range<usize>)> {
        extents(self.maps.iter().copied())
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
        Ok(Static { table: &self.tables[found.span], far: &self.far, at: found.offset })
    }

    /// The address on this PE of what is at that place in the file.
    pub(crate) fn address(&self, at: Offset) -> Option<usize> {
        let spans = self.mine.as_ref().ok()?.spans().iter();
        let within = |span: &Span| at.0.checked_sub(span.offset.0).filter(|into| *into < span.len.0);
        spans.filter_map(|span| Some(span.address + within(span)? as usize)).next()
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

/// Where a static of another PE is.
#[derive(Clone, Copy)]
pub(crate) enum StaticPlace {
    Mapped(*mut u8),
    /// That PE has it, and is far.
    Far,
    /// That PE has none ([`StaticData::why_absent`]).
    Absent,
}

impl Static<'_> {
    /// Where it is for `pe`.
    pub(crate) fn place(&self, pe: PeId) -> StaticPlace {
        let base = self.table[pe.0 as usize].heap;
        match base.is_null() {
            false => StaticPlace::Mapped(base.wrapping_add(self.at.0 as usize)),
            true if self.far[pe.0 as usize] => StaticPlace::Far,
            true => StaticPlace::Absent,
        }
    }
}

fn tables(statics: &Statics, maps: &[Option<&PeerRegion>], me: PeId) -> Vec<Box<[Peer]>> {
    let table = |own: usize| {
        let entry = |(pe, map): (usize, &Option<&PeerRegion>)| match map {
            Some(map) => Peer { heap: map.base().as_ptr() },
            None if pe == me.0 as usize => Peer { heap: std::ptr::with_exposed_provenance_mut(own) },
            None => Peer { heap: std::ptr::null_mut() },
        };
        maps.iter().enumerate().map(entry).collect::<Box<[Peer]>>()
    };
    statics.spans().iter().map(|s| table(s.address.wrapping_sub(s.offset.0 as usize))).collect()
}
