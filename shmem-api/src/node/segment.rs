//! The segments: this PE's own, mapped at a base all PEs agree on, and those of its peers.
//!
//! ```text
//!   0 ............... internals ....... len          the same offsets on every PE
//!   |   spaces        |   the runtime's   |          (see `layout`)
//!   own:   base (agreed: one of BASE_CANDIDATES, else wherever each PE could)
//!   peers: those of this host, anywhere in this process; their files are passed by the boot; named by offset
//! ```
//!
//! Invariants: **SEGMENT-G1** own and peer mappings are readable and writable for `len` bytes as long as the
//! `Segment` lives;
//! **SEGMENT-G4** the runtime's part of a segment is known by the layout of that segment alone, and nothing else is there;
//! **SEGMENT-G2** a PE's own memory is mapped once in it, so no two addresses of one process
//! name the same own byte; **SEGMENT-G3** an agreed base is a multiple of 8 TiB, so that blocks can be aligned as
//! the program likes; others, of a page.
#![allow(unsafe_code)]

use std::ops::Range;

use memheap::place::Reach;
use memheap::region::memfd::{MemfdFile, MemfdRegion, PeerRegion};
use memheap::region::{BASE_CANDIDATES, Region};
use memheap::{Bytes, Offset};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags};

use crate::boot::protocol::Boot;
use crate::boot::step::step;
use crate::error::Error;
use crate::node::control_block::{Control, ControlBlock, ControlLayout, TeamSlots};
use crate::node::dump::Dumped;
use crate::node::layout::Layout;
use crate::process::limits::Limits;
use crate::transport::served::{OfPe, Stretch};
use crate::types::host_of::HostOf;
use memheap::PeId;

/// The candidates for a base are this far apart.
const LONGEST: u64 = (BASE_CANDIDATES[1] - BASE_CANDIDATES[0]) as u64;

/// On what terms a segment is made.
pub(crate) struct Terms<'t> {
    /// Its memory is taken at once.
    pub(crate) prealloc: bool,
    /// Core dumps hold what was touched of it; else nothing of it.
    pub(crate) dump: bool,
    /// What to do if it cannot be had.
    pub(crate) advice: &'t str,
}

/// The memory of a job on this host.
pub(crate) struct Segment {
    me: PeId,
    own: MemfdRegion,
    peers: Vec<Option<PeerRegion>>,
    same_base: bool,
    dumped: Dumped,
    internals: ControlLayout,
}

/// Where one PE's segment is in this process.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Peer {
    pub(crate) heap: *mut u8,
}

// SAFETY: an address; what is done at them is atomic or the program's own synchronisation.
unsafe impl Send for Peer {}
// SAFETY: as above.
unsafe impl Sync for Peer {}

impl Segment {
    /// Collective: creates this PE's segment as laid out, with so many team slots, finds a base for all, and opens the
    /// segments of the others on its host. With `terms.prealloc` the memory of the user's heap is taken now, so that running out shows here.
    pub(crate) fn establish(
        boot: &mut dyn Boot,
        hosts: &HostOf,
        layout: &Layout,
        slots: TeamSlots,
        terms: &Terms<'_>,
    ) -> Result<Segment, Error> {
        let internals = ControlLayout::reserve(layout.internals, Offset(layout.len.0), slots)?;
        let me = boot.pe();
        let len = layout.len;
        let failed =
            |why: std::io::Error| Error::Memory { pe: me, len, why: format!("{why}; {}", terms.advice) };
        let created = if len.0 <= LONGEST {
            let (at, heap) = layout.window(Reach::World);
            let take = if terms.prealloc { heap } else { Bytes(0) };
            Limits::here()
                .allow(len)
                .and_then(|()| MemfdFile::create(len))
                .and_then(|file| file.allocate(at, take).map(|()| file))
        } else {
            Err(std::io::Error::other("larger than the 8 TiB a segment can have"))
        };
        let created = created.map_err(failed);
        step(boot, created.as_ref().map(|_| 0u32).map_err(Clone::clone))?;
        let own = agree_on_base(boot, created?, failed)?;
        let heap = Bytes(layout.internals.0);
        // A kernel that does not do it dumps more.
        own.dump(Offset(0), heap, false);
        let bases = step(boot, Ok(own.base().as_ptr() as u64))?;
        let mut peers: Vec<Option<PeerRegion>> = bases.iter().map(|_| None).collect();
        let mut trouble = Ok(());
        let passed = boot.pass_files(hosts.of(me), own.file().file(), &mut |pe, file| match PeerRegion::of(
            file,
            own.len(),
        ) {
            Ok(peer) => peers[pe] = Some(peer),
            Err(e) => trouble = Err(e),
        });
        let missing = || {
            let mut others = hosts.beside(me).iter().filter(|pe| **pe != me);
            others.find(|pe| peers[pe.0 as usize].is_none())
        };
        let all_there = passed.and(trouble).and_then(|()| match missing() {
            None => Ok(()),
            Some(pe) => Err(std::io::Error::other(format!("the file of PE {pe} did not arrive"))),
        });
        let opened = all_there.map_err(failed);
        step(boot, opened.as_ref().map(|()| 0u32).map_err(Clone::clone))?;
        opened?;
        let same_base = bases.iter().all(|base| *base == bases[me.0 as usize]);
        let dumped = Dumped::new(heap, terms.dump);
        Ok(Segment { me, own, peers, same_base, dumped, internals })
    }

    /// Where the runtime's part is in every segment.
    pub(crate) fn internals(&self) -> &ControlLayout {
        &self.internals
    }

    /// This PE's own control block, and by PE all of them.
    ///
    /// # Safety
    /// They are not used when the segment has gone.
    pub(crate) unsafe fn controls(&self) -> (ControlBlock<'static>, Box<[Control]>) {
        let block = |region: &dyn Region| {
            // SAFETY: SEGMENT-G1, SEGMENT-G4: mapped as long as they are used, for these types only, and a new file is zero.
            unsafe { self.internals.control(region.base().as_ptr()) }
        };
        let (own, base) = (block(&self.own), self.own.base().as_ptr().addr());
        let control = |(pe, peer): (usize, &Option<PeerRegion>)| match peer {
            Some(peer) => Control::Mapped(block(peer)),
            None if pe == self.me.0 as usize => Control::Mapped(own),
            None => Control::Far { pe: PeId(pe as u32), mirror: own, base },
        };
        (own, self.peers.iter().enumerate().map(control).collect())
    }

    /// In a child of this PE: its parent's memory becomes a private view of it, the peers' can only be read. System
    /// calls only (EXIT-H2).
    pub(crate) fn disown(&self) {
        let (base, len) = (self.own.base().as_ptr().cast(), self.own.len().0 as usize);
        let (protection, flags) =
            (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE);
        // The program may have closed the file.
        let private = self.own.file().file().is_some_and(|file| {
            // SAFETY: SEGMENT-G1, SEGMENT-G2: replaces the mapping of this file by one of the same bytes.
            unsafe { rustix::mm::mmap(base, len, protection, flags, file, 0) }.is_ok()
        });
        match private {
            true => self.dumped.disown(&self.own),
            false => read_only(&self.own),
        }
        self.peers.iter().flatten().for_each(read_only);
    }

    /// Where the peers' memory is in this process, by PE.
    pub(crate) fn of_peers(&self) -> impl Iterator<Item = (u32, Range<usize>)> {
        extents(self.peers.iter().map(Option::as_ref))
    }

    /// Gives the pages of a free part of this PE's heap back to the system.
    pub(crate) fn punch(&self, at: Offset, len: Bytes) -> std::io::Result<()> {
        self.dumped.give_back(at, len, |at, len| {
            self.own.dump(at, len, false);
        });
        self.own.punch(at, len)
    }

    /// A block of this PE's heap is handed out.
    pub(crate) fn hand_out(&self, at: Offset, len: Bytes) {
        self.dumped.hand_out(at, len, |at, len| {
            self.own.dump(at, len, true);
        });
    }

    /// Whether core dumps hold anything of this PE's heap.
    pub(crate) fn in_dumps(&self) -> bool {
        self.dumped.wanted()
    }

    /// In a signal handler: a core dump holds what was touched of this PE's heap.
    pub(crate) fn admit_touched(&self) {
        self.dumped.admit_touched(&self.own);
    }

    /// Whether every PE has its segment at the same address.
    pub(crate) fn same_base(&self) -> bool {
        self.same_base
    }

    /// Where each PE's segment is in this process, by PE; null if it is not.
    pub(crate) fn table(&self) -> Vec<Peer> {
        let own = self.own.base().as_ptr();
        let at = |(pe, peer): (usize, &Option<PeerRegion>)| match peer {
            Some(peer) => peer.base().as_ptr(),
            None if pe == self.me.0 as usize => own,
            None => std::ptr::null_mut(),
        };
        self.peers.iter().enumerate().map(at).map(|heap| Peer { heap }).collect()
    }

    /// What this process serves of a PE, to other hosts: its segment, if that is mapped here.
    pub(crate) fn served(&self, pe: PeId) -> OfPe {
        let at = match &self.peers[pe.0 as usize] {
            Some(peer) => peer.base().as_ptr(),
            None if pe == self.me => self.own.base().as_ptr(),
            None => return OfPe::default(),
        };
        let address = at.expose_provenance();
        let stretch = Stretch { at: 0, address, len: self.own.len().0 };
        OfPe { stretches: vec![stretch], waiters: self.internals.waiters().map(|word| address + word) }
    }

    /// Takes those PEs for far: what was mapped of them goes to their transport, by PE.
    #[cfg(feature = "testing")]
    pub(crate) fn give_up(&mut self, is_far: impl Fn(PeId) -> bool) -> Vec<Option<PeerRegion>> {
        let peers = self.peers.iter_mut().enumerate();
        peers.map(|(pe, peer)| if is_far(PeId(pe as u32)) { peer.take() } else { None }).collect()
    }
}

/// In a child: a PE's memory can only be read.
pub(crate) fn read_only(region: &impl Region) {
    let (base, len) = (region.base().as_ptr().cast(), region.len().0 as usize);
    // SAFETY: a mapping of ours, which the child has by accident; stores to it are to fault.
    let _ = unsafe { rustix::mm::mprotect(base, len, MprotectFlags::READ) };
}

/// Where regions are, by PE.
pub(crate) fn extents<'r>(
    regions: impl Iterator<Item = Option<&'r PeerRegion>>,
) -> impl Iterator<Item = (u32, Range<usize>)> {
    let extent = |(pe, region): (usize, Option<&PeerRegion>)| {
        let region = region?;
        let base = region.base().as_ptr().addr();
        Some((pe as u32, base..base + region.len().0 as usize))
    };
    regions.enumerate().filter_map(extent)
}

/// Tries one candidate after the other until one is free on every PE; else each PE takes what it gets.
fn agree_on_base(
    boot: &mut dyn Boot,
    mut file: MemfdFile,
    failed: impl Fn(std::io::Error) -> Error,
) -> Result<MemfdRegion, Error> {
    for candidate in BASE_CANDIDATES {
        let tried = file.map(Some(candidate));
        let answers = step(boot, Ok(u32::from(tried.is_ok())))?;
        match tried {
            Ok(region) if answers.iter().all(|free| *free == 1) => return Ok(region),
            Ok(region) => file = region.unmap(),
            Err((back, _)) => file = back,
        }
    }
    let anywhere = file.map(None).map_err(|(_, e)| failed(e));
    step(boot, anywhere.as_ref().map(|_| 0u32).map_err(Clone::clone))?;
    anywhere
}
