//! Collective heap calls: agree on the arguments first, then every PE's module takes the same step.
//!
//! ```text
//!   alloc(size, align):  meet {Alloc, size, align, history} ─ differs ─► the same error on all PEs
//!                              │ agreed                                 (nothing has changed)
//!                              ├─ blocks dropped by *every* PE are freed, by ascending offset
//!                              └─ module.alloc: same state, same arguments, same offset
//! ```
//!
//! The rendezvous is the barrier the standard asks of a heap call: a module touches no byte of the
//! heap, so nothing can be seen between it and the return.
//!
//! Dropping an object is not collective: its offset is queued, and shown at the next heap call. What is
//! freed there is the exact intersection of all PEs' queues, so nobody frees what another PE still holds.

use memheap::component::Room;
use memheap::framework::{Framework, Outcome, Selected};
use memheap::region::host_memory;
use memheap::settings::{self, Settings};
use memheap::space::{Figures, Space};
use memheap::{
    Align, AllocError, Block, BlockState, Bytes, Component, Digest, FreeError, Offset, PeId, Span,
};
use parking_lot::Mutex;

use crate::coll::slip::{Kind, Slip};
use crate::engine::Engine;
use crate::error::Error;
use crate::internals::FREES;
use crate::trim::Trim;

/// The user's heap on this PE: its book, not its bytes.
pub(crate) struct Heap {
    space: Space,
    outcomes: Vec<Outcome>,
    _components: Framework<Selected>,
    /// Everything at and above this offset has never been part of a block, so it is still zero.
    fresh: u64,
    trim: Trim,
}

/// Blocks whose objects this PE has dropped. Objects may be dropped by any thread.
#[derive(Default)]
pub(crate) struct DropQueue(Mutex<Vec<u64>>);

/// What was still allocated at finalize.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Leaks {
    /// Blocks that some PE never dropped.
    pub blocks: u64,
    /// Bytes in them, padding included.
    pub bytes: Bytes,
}

impl DropQueue {
    pub(crate) fn push(&self, at: Offset) {
        self.0.lock().push(at.0);
    }

    /// Sorted; the lowest `FREES` of them.
    fn shown(&self) -> Vec<u64> {
        let mut queue = self.0.lock();
        queue.sort_unstable();
        queue[..queue.len().min(FREES)].to_vec()
    }

    fn remove(&self, freed: &[u64]) {
        self.0.lock().retain(|at| freed.binary_search(at).is_err());
    }
}

impl Heap {
    /// Opens the components, selects one for `len` bytes and closes the others.
    pub(crate) fn select(list: &[&dyn Component], settings: &Settings, len: Bytes) -> Result<Heap, Error> {
        let span = Span { len };
        let mut framework = Framework::open(list, &settings::MEMHEAP, settings);
        let selection = framework.select("user", span)?;
        let outcomes = selection.outcomes.clone();
        let space = Space::new("user", Offset(0), span, selection);
        let trim = Trim::new(settings.size(&settings::HEAP_TRIM).map_or(0, |s| s.resolve(host_memory())));
        Ok(Heap { space, outcomes, _components: framework.close_losers(), fresh: 0, trim })
    }

    pub(crate) fn component(&self) -> &'static str {
        self.space.component()
    }

    pub(crate) fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    pub(crate) fn figures(&self) -> (Figures, Room) {
        (self.space.figures(), self.space.room())
    }

    fn leaks(&self) -> Leaks {
        let live = self.space.blocks().filter(|b| b.state == BlockState::Live);
        live.fold(Leaks::default(), |sum, b| Leaks {
            blocks: sum.blocks + 1,
            bytes: Bytes(sum.bytes.0 + b.len.0),
        })
    }
}

/// A block of the heap, and how much of it may hold old bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fresh {
    pub(crate) at: Offset,
    /// Bytes from the start of the block that may not be zero.
    pub(crate) used: Bytes,
}

impl Engine {
    /// Collective: `size` bytes at `align` on every PE, at the same offset. A size of 0 takes part in
    /// the rendezvous and takes no block.
    pub(crate) fn alloc(&self, size: Bytes, align: Align) -> Result<Fresh, Error> {
        self.heap_call(
            |digest| Slip::alloc(size, align, digest),
            |h| {
                if size.0 == 0 {
                    return Ok(Fresh { at: Offset(0), used: Bytes(0) });
                }
                let Block { at, len, .. } =
                    h.space.alloc(size, align).map_err(|why| self.no_room(size, align, why))?;
                let used = Bytes(h.fresh.saturating_sub(at.0).min(size.0));
                h.fresh = h.fresh.max(at.0 + size.0);
                h.trim.allocated(len.0);
                Ok(Fresh { at, used })
            },
        )
    }

    /// Collective: frees the block at `at` on every PE.
    pub(crate) fn free(&self, at: Offset) -> Result<Bytes, Error> {
        let free = |h: &mut Heap| self.free_here(h, at).map_err(|why| Error::Free { pe: self.me, why });
        self.heap_call(|digest| Slip::free(at, digest), free)
    }

    /// Collective: frees what every PE has dropped.
    pub(crate) fn collect(&self) -> Result<(), Error> {
        self.heap_call(|_| Slip::new(Kind::Collect), |_| Ok(()))
    }

    /// Collective: the last rendezvous; what is left in the heap.
    pub(crate) fn last_meeting(&self) -> Result<Leaks, Error> {
        self.quiet();
        self.heap_call(|_| Slip::new(Kind::Finalize), |h| Ok(h.leaks()))
    }

    /// One collective heap call: the rendezvous, at which dropped blocks are shown and, where all PEs
    /// agree, freed; then this PE's step. The heap is held throughout, so that the steps of two threads
    /// come in the order of their rendezvous on every PE.
    fn heap_call<R>(
        &self,
        slip: impl FnOnce(Digest) -> Slip,
        step: impl FnOnce(&mut Heap) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.heap.with(|h| {
            let met = self.meet_showing(slip(h.space.digest()), |desk, turn| {
                let mine = self.drops.shown();
                desk.frees[turn].show(&mine);
                !mine.is_empty()
            })?;
            if met.frees {
                self.free_what_all_dropped(h, met.turn);
            }
            step(h)
        })
    }

    /// Frees a block on this PE, and gives memory back where much of it is idle. That is done before this
    /// PE comes to the next rendezvous, so nobody can have been given the block again.
    fn free_here(&self, heap: &mut Heap, at: Offset) -> Result<Bytes, FreeError> {
        let len = heap.space.free(at)?;
        if heap.trim.freed(len.0) {
            let touched = |b: &Block| b.state == BlockState::Free && b.at.0 < heap.fresh;
            for block in heap.space.blocks().filter(touched) {
                // A page that is not given back is only a page.
                let _ = self.segment.punch(block.at, Bytes(block.len.0.min(heap.fresh - block.at.0)));
            }
        }
        Ok(len)
    }

    fn free_what_all_dropped(&self, heap: &mut Heap, turn: usize) {
        let mut common = self.desk().frees[turn].read();
        for pe in (0..self.n_pes).map(PeId).filter(|pe| *pe != self.me) {
            let theirs = self.desk_of(pe).frees[turn].read();
            common.retain(|at| theirs.binary_search(at).is_ok());
        }
        for at in &common {
            let freed = self.free_here(heap, Offset(*at));
            debug_assert!(freed.is_ok(), "a dropped object's block is live: {freed:?}");
        }
        self.drops.remove(&common);
    }

    fn no_room(&self, size: Bytes, align: Align, why: AllocError) -> Error {
        let call = format!("alloc({size}, alignment {align})");
        Error::Alloc { pe: self.me, call, why, heap: self.heap_len() }
    }
}
