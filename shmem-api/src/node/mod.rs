//! The node: what the PEs of a job share, and how one of them sees it. It knows neither heap calls, nor teams.
//!
//! ```text
//!   Node ── me, n_pes, hosts, who may call from which thread
//!     ├── segment ──► own memory, the peers' memory      layout: where what is in every segment
//!     ├── peers    ── by PE: where its segment is in this process
//!     ├── controls ── by PE: its control block and its mailboxes (`control_block`, `mailbox`)
//!     ├── statics  ── the executable's variables, by PE
//!     └── policy, others: how to wait, and who else could store
//!   HOT: the few words of it that a raw put needs
//! ```
//!
//! Invariants: **NODE-N1** the memory of a node is mapped from before it exists until after it is gone. (NODE-N2 is in
//! `hot`.)

pub(crate) mod central_barrier;
pub(crate) mod control_block;
pub(crate) mod current;
pub(crate) mod dump;
pub(crate) mod event;
pub(crate) mod hot;
pub(crate) mod layout;
pub(crate) mod mailbox;
pub(crate) mod numa;
pub(crate) mod segment;
pub(crate) mod signature;
pub(crate) mod static_data;
pub(crate) mod zone;

use crate::process::private::AtomicBool;
use std::ops::Range;

use memheap::place::Reach;
use memheap::{Bytes, Offset, PeId};
use rustix::process::Pid;

use self::control_block::{Control, ControlBlock, Life};
use self::layout::Layout;
use self::segment::{Peer, Segment};
use self::static_data::StaticData;
use crate::process::others::Others;
use crate::sync::wait::Policy;
use crate::transport::part::Part;
use crate::transport::{self, Stream};
use crate::types::host_of::HostOf;
use crate::types::thread_level::ThreadLevel;

/// This PE among the others of its job, from a start of the library to the finalize.
pub(crate) struct Node {
    pub(crate) me: PeId,
    pub(crate) n_pes: u32,
    /// Which PE is on which host.
    pub(crate) hosts: HostOf,
    pub(crate) policy: Policy,
    /// Some rendezvous failed: this PE or another is on its way out.
    pub(crate) diverged: AtomicBool,
    /// The thread that brought the library up.
    pub(crate) thread: Pid,
    /// The thread level the launcher gives: what can be in force at most.
    pub(crate) most: ThreadLevel,
    pub(crate) peers: Box<[Peer]>,
    /// This PE's own. It points into the segment, which NODE-N1 keeps mapped.
    pub(crate) own: ControlBlock<'static>,
    /// By PE. As that.
    pub(crate) controls: Box<[Control]>,
    pub(crate) layout: Layout,
    /// The NUMA nodes of this host that have memory.
    pub(crate) numa_nodes: Vec<u32>,
    pub(crate) others: Others,
    pub(crate) segment: Segment,
    pub(crate) statics: StaticData,
}

impl Node {
    /// Where the memory of the other PEs is in this process, segments and statics.
    pub(crate) fn memory_of_pes(&self) -> impl Iterator<Item = (u32, Range<usize>)> {
        self.segment.of_peers().chain(self.statics.of_peers())
    }

    /// This PE's own control block.
    #[inline]
    pub(crate) fn control(&self) -> &ControlBlock<'static> {
        &self.own
    }

    /// The control block of a PE.
    #[inline]
    pub(crate) fn control_of(&self, pe: PeId) -> &Control {
        &self.controls[pe.0 as usize]
    }

    /// Every PE's state.
    pub(crate) fn lives(&self) -> impl Iterator<Item = Part<'static, Life>> + Clone {
        self.controls.iter().map(Control::life)
    }

    /// Bytes of the user's heap.
    pub(crate) fn heap_len(&self) -> Bytes {
        self.layout.window(Reach::World).1
    }

    /// The address of an offset in this PE's own segment.
    pub(crate) fn address(&self, at: Offset) -> *mut u8 {
        self.peers[self.me.0 as usize].heap.wrapping_add(at.0 as usize)
    }

    /// Everything this PE has written is visible to every PE (the standard's quiet, on one host).
    #[inline]
    pub(crate) fn quiet(&self) {
        transport::quiet(Stream::ALL);
    }
}
