//! The segments: this PE's own, mapped at a base all PEs agree on, and those of its peers.
//!
//! ```text
//!   0 ............... internals ....... len          the same offsets on every PE
//!   |   spaces        |   the runtime's   |          (see `layout`)
//!   own:   base (agreed: one of BASE_CANDIDATES, else wherever each PE could)
//!   peers: anywhere in this process; opened by /proc/PID/fd, named by offset
//! ```
//!
//! Invariants: **G1** own and peer mappings are readable and writable for `len` bytes as long as the
//! `Segment` lives; **G2** a PE's own memory is mapped once in it, so no two addresses of one process
//! name the same own byte; **G3** an agreed base is a multiple of 8 TiB, so that blocks can be aligned as
//! the program likes; others, of a page.
#![allow(unsafe_code)]

use bytemuck::{Pod, Zeroable};
use memheap::place::Reach;
use memheap::region::memfd::{MemfdFile, MemfdRegion, PeerRegion};
use memheap::region::{BASE_CANDIDATES, Region};
use memheap::{Bytes, Offset};

use crate::boot::Boot;
use crate::boot::step::step;
use crate::dump::Dumped;
use crate::error::Error;
use crate::layout::Layout;
use crate::limits::Limits;

/// The candidates for a base are this far apart.
const LONGEST: u64 = (BASE_CANDIDATES[1] - BASE_CANDIDATES[0]) as u64;

/// On what terms a segment is made.
pub(crate) struct Terms<'t> {
    /// Its memory is taken at once.
    pub(crate) prealloc: bool,
    /// Core dumps hold what is handed out of it; else nothing of it.
    pub(crate) dump: bool,
    /// What to do if it cannot be had.
    pub(crate) advice: &'t str,
}

/// The memory of a job on this host.
pub(crate) struct Segment {
    own: MemfdRegion,
    peers: Vec<Option<PeerRegion>>,
    pids: Vec<u32>,
    same_base: bool,
    dumped: Dumped,
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

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Mapped {
    base: u64,
    pid: u32,
    fd: i32,
}

impl Segment {
    /// Collective: creates this PE's segment as laid out, finds a base for all, and opens the peers'
    /// segments. With `terms.prealloc` the memory of the user's heap is taken now, so that running out shows here.
    pub(crate) fn establish(
        boot: &mut dyn Boot,
        layout: &Layout,
        terms: &Terms<'_>,
    ) -> Result<Segment, Error> {
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
        own.dump(Offset(0), heap, false);
        let mine =
            Mapped { base: own.base().as_ptr() as u64, pid: std::process::id(), fd: own.file().raw_fd() };
        let all = step(boot, Ok(mine))?;
        let open = |(pe, m): (usize, &Mapped)| {
            let other = pe != me.0 as usize;
            other.then(|| PeerRegion::open(m.pid, m.fd, own.len())).transpose()
        };
        let peers = all.iter().enumerate().map(open).collect::<Result<Vec<_>, _>>().map_err(failed);
        let same_base = all.iter().all(|m| m.base == mine.base);
        step(boot, peers.as_ref().map(|_| 0u32).map_err(Clone::clone))?;
        let pids = all.iter().map(|m| m.pid).collect();
        Ok(Segment { own, peers: peers?, pids, same_base, dumped: Dumped::new(heap, terms.dump) })
    }

    /// The process of each PE.
    pub(crate) fn pids(&self) -> &[u32] {
        &self.pids
    }

    /// Gives the pages of a free part of this PE's heap back to the system.
    pub(crate) fn punch(&self, at: Offset, len: Bytes) -> std::io::Result<()> {
        self.dumped.give_back(at, len, |at, len| self.own.dump(at, len, false));
        self.own.punch(at, len)
    }

    /// A block of this PE's heap is handed out.
    pub(crate) fn hand_out(&self, at: Offset, len: Bytes) {
        self.dumped.hand_out(at, len, |at, len| self.own.dump(at, len, true));
    }

    /// Whether every PE has its segment at the same address.
    pub(crate) fn same_base(&self) -> bool {
        self.same_base
    }

    /// Where each PE's segment is in this process, by PE.
    pub(crate) fn table(&self) -> Vec<Peer> {
        let at = |peer: &Option<PeerRegion>| peer.as_ref().map_or(self.own.base(), Region::base);
        self.peers.iter().map(at).map(|base| Peer { heap: base.as_ptr() }).collect()
    }
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
