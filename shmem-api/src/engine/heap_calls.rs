//! Collective heap calls: agree on the arguments first, then every PE's module takes the same step.
//!
//! ```text
//!   alloc(size, align, reach):  meet {Alloc, size, align, reach, history} ─ differs ─► the same error on
//!                              │ agreed                                 all PEs (nothing has changed)
//!                              ├─ blocks dropped by *every* PE are freed, by ascending offset
//!                              └─ spaces.alloc: same state, same arguments, same offset
//! ```
//!
//! The rendezvous is the barrier the standard asks of a heap call: a module touches no byte of the
//! heap, so nothing can be seen between it and the return.
//!
//! Dropping an object is not collective: its offset is queued, and shown at the next heap call. What is
//! freed there is the exact intersection of all PEs' queues, so nobody frees what another PE still holds.

use std::sync::atomic::Ordering;

use memheap::component::{AllocError, FreeError};
use memheap::place::{PlaceError, Reach};
use memheap::{Align, BlockState, Bytes, Offset, PeId};

use crate::engine::Engine;
use crate::error::{Diverged, Error};
use crate::exit::end::end_job;
use crate::heap::guard::{View, Wanted};
use crate::heap::{Decided, Fresh, Heap, Leaks, Request, mlock};
use crate::node::control_block::{ControlBlock, FREES};
use crate::node::numa;
use crate::node::signature::{Kind, Signature};
use crate::process::status::CORRUPTED;
use crate::team::core::Met;
use crate::types::object::ObjectType;

impl Engine {
    /// Collective: a block on every PE that the request's reach names, at the same offset. A size of 0 takes
    /// part in the rendezvous and takes no block.
    pub(crate) fn alloc(&self, request: Request) -> Result<Fresh, Error> {
        let Request { size, align, what, reach, near, zeroed, .. } = request;
        let signature = if zeroed { Signature::calloc } else { Signature::alloc };
        let fresh = self.heap_call(
            request.call,
            |digest| signature(size, align.bytes(), reach, what, digest),
            |h| {
                let fresh = self.take_here(h, &request)?;
                if zeroed && fresh.used.0 > 0 {
                    self.clear(fresh.at, fresh.used);
                    h.touched = true;
                }
                Ok(fresh)
            },
        )?;
        if size.0 > 0 {
            numa::bring_near(self, self.address(fresh.at), size, near);
            if reach == Reach::Dma {
                self.mlock_or_give_back(fresh.at, size)?;
            }
        }
        Ok(fresh)
    }

    /// Takes a block on this PE.
    pub(super) fn take_here(&self, h: &mut Heap, request: &Request) -> Result<Fresh, Error> {
        let Request { size, align, reach, site, .. } = *request;
        if size.0 == 0 {
            return Ok(Fresh { at: Offset(0), used: Bytes(0) });
        }
        let refuse = |why| {
            self.no_room(format!("{}({size}, alignment {align}, for {reach})", request.call), reach, why)
        };
        let base = self.address(Offset(0)).addr() as u64;
        let max = if self.segment.same_base() { Align::of(base) } else { Align::PAGE };
        if align > max {
            return Err(refuse(AllocError::BadAlign { align, max }.into()));
        }
        let guards = if self.guards.on() { self.guards.wanted(size, align) } else { None };
        let ask = guards.unwrap_or(Wanted { size, align });
        h.decided = Decided::NoRoom;
        let block = loop {
            match h.spaces.alloc(ask.size, ask.align, reach) {
                Ok(block) => break block,
                // The quarantine is the same on every PE, and so is what it gives up, where that can help.
                Err(PlaceError::Alloc(AllocError::Exhausted { requested, total, .. }))
                    if requested <= total && self.give_way(h) => {}
                Err(why) => return Err(refuse(why)),
            }
        };
        h.decided = Decided::At(block.at);
        let used = h.memory.taken(&h.spaces, &block, ask.size);
        self.segment.hand_out(block.at, ask.size);
        Ok(match guards {
            None => Fresh { at: block.at, used },
            Some(wanted) => {
                let at = self.guards.enter(&self.view(), block.at, wanted, size, align, site);
                Fresh { at, used: size }
            }
        })
    }

    /// Collective: an allocation with an alignment that is none; the error all PEs get for it.
    pub(crate) fn refuse_align(&self, call: &'static str, size: Bytes, align: u64) -> Error {
        let error = Error::BadAlign { pe: self.me, call, align };
        let refuse = |_: &mut Heap| Err::<(), _>(error.clone());
        let signature = |digest| Signature::alloc(size, align, Reach::World, ObjectType::BYTES, digest);
        let refused = self.heap_call(call, signature, refuse);
        refused.err().unwrap_or(error)
    }

    /// Locks a new block on every PE; if one PE cannot, no PE keeps it.
    pub(super) fn mlock_or_give_back(&self, at: Offset, size: Bytes) -> Result<(), Error> {
        let pinned = mlock::lock(self.address(at), size);
        let raised = self.meet_showing(
            || Signature::new(Kind::Pinned),
            |control, _| {
                let code = pinned.as_ref().map_or_else(|e| e.raw_os_error(), |()| 0);
                control.life.mlock_failed.store(code as u32, Ordering::Relaxed);
                code != 0
            },
            |met| met.raised,
        )?;
        if !raised {
            return Ok(());
        }
        let failed =
            |pe: &PeId| self.control_of(*pe).life().field(|l| &l.mlock_failed).load(Ordering::Relaxed) != 0;
        let pe = (0..self.n_pes).map(PeId).find(failed).unwrap_or(self.me);
        let code = self.control_of(pe).life().field(|l| &l.mlock_failed).load(Ordering::Relaxed);
        self.free("the end of an allocation of locked memory", at)?;
        let why = std::io::Error::from_raw_os_error(code as i32).to_string();
        Err(Error::Pinned { pe, size, limit: mlock::limit(), why })
    }

    /// Collective: frees the block at `at` on every PE.
    pub(crate) fn free(&self, call: &'static str, at: Offset) -> Result<Bytes, Error> {
        let free = |h: &mut Heap| self.free_here(h, at).map_err(|why| Error::Free { pe: self.me, call, why });
        self.heap_call(call, |digest| Signature::free(at, digest), free)
    }

    /// Collective: frees what every PE has dropped.
    pub(crate) fn collect(&self) -> Result<(), Error> {
        self.heap_call("collect", |_| Signature::new(Kind::Collect), |_| Ok(()))
    }

    /// Collective: the last rendezvous; what is left in the heap.
    pub(crate) fn last_meeting(&self) -> Result<Leaks, Error> {
        self.quiet();
        let last = |h: &mut Heap| match self.guards.check_kept(&self.view()) {
            Err(what) => self.corrupted(&what),
            Ok(()) => Ok(self.leaks(h)),
        };
        let leaks = self.heap_call("finalize", |_| Signature::new(Kind::Finalize), last)?;
        self.teams.all_alike().and_then(|()| self.sets.all_alike())?;
        Ok(leaks)
    }

    /// One collective heap call: the rendezvous, at which dropped blocks are shown and, where all PEs
    /// agree, freed; then this PE's step. The heap is held throughout, so that the steps of two threads
    /// come in the order of their rendezvous on every PE.
    ///
    /// Last of all, memory is given back where much of it is idle: after the step, when a block that it
    /// handed out is no longer free, since a peer may have put into it by then.
    pub(super) fn heap_call<R>(
        &self,
        call: &str,
        signature: impl FnOnce(u64) -> Signature,
        step: impl FnOnce(&mut Heap) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.heap.with(call, |h| {
            let digest = || h.spaces.digest();
            let shown = self.show_what_was_dropped(0, || signature(digest()))?;
            let mut next = self.free_what_all_dropped(h, shown);
            while let Some(from) = next {
                let shown = self.show_what_was_dropped(from, || Signature::new(Kind::MoreFrees))?;
                next = self.free_what_all_dropped(h, shown);
            }
            h.decided = Decided::Nothing;
            let result = step(h);
            let stranger = h.spaces.not_vouched_for();
            if std::mem::take(&mut h.touched) || self.guards.on() || stranger.is_some() {
                // Bytes were zeroed or moved; or the checker filled new blocks and looked at old ones. Nobody may put
                // into what this call handed out before every PE is done with that. And what a module that is not
                // believed has decided has to be the same on every PE, exactly, before anybody has it.
                let met = self.meet(Signature::new(Kind::Touched).with(&h.decided.words()));
                met.map_err(|differs| self.decided_apart(stranger, differs))?;
            }
            h.memory.trim(&h.spaces, |at, len| self.segment.punch(at, len));
            result
        })
    }

    /// The PEs took part in the same heap call, and their modules decided differently.
    fn decided_apart(&self, stranger: Option<&'static str>, differs: Diverged) -> Error {
        let Diverged { pe, got, reference, expected, .. } = differs.clone();
        match stranger {
            Some(component) => Error::Component { me: self.me, component, pe, got, reference, expected },
            None => differs.into(),
        }
    }

    /// Meets the others showing the blocks this PE has dropped, from offset `from` on as many as fit.
    /// All PEs' lists; none if no PE has dropped any.
    fn show_what_was_dropped(
        &self,
        from: u64,
        signature: impl FnOnce() -> Signature,
    ) -> Result<Vec<Vec<u64>>, Error> {
        let show = |control: &ControlBlock<'_>, turn: usize| {
            let mine = self.drops.shown(from);
            control.frees[turn].show(&mine);
            !mine.is_empty()
        };
        let read = |met: Met| match met.raised {
            true => self.controls.iter().map(|c| c.dropped(met.turn)).collect(),
            false => Vec::new(),
        };
        Ok(self.meet_showing(signature, show, read)?)
    }

    /// Frees what all PEs have shown. Returns where to go on, if some PE could not show all.
    fn free_what_all_dropped(&self, heap: &mut Heap, lists: Vec<Vec<u64>>) -> Option<u64> {
        if lists.is_empty() {
            return None;
        }
        // Up to where every list is complete, the intersection is exact.
        let full = |list: &&Vec<u64>| list.len() == FREES;
        let end = lists.iter().filter(full).filter_map(|l| l.last()).min().map(|last| last + 1);
        let mut common = lists[self.me.0 as usize].clone();
        common
            .retain(|at| *at < end.unwrap_or(u64::MAX) && lists.iter().all(|l| l.binary_search(at).is_ok()));
        for at in &common {
            let freed = self.free_here(heap, Offset(*at));
            debug_assert!(freed.is_ok(), "a dropped object's block is live: {freed:?}");
        }
        self.drops.remove(&common);
        end
    }

    /// Frees a block on this PE.
    fn free_here(&self, heap: &mut Heap, at: Offset) -> Result<Bytes, FreeError> {
        let over = if self.guards.on() {
            match self.guards.leave(&self.view(), at) {
                // No live block of the user's: the module knows what it is instead.
                None => return Err(self.explain(heap, at)),
                Some(Err(what)) => self.corrupted(&what),
                Some(Ok(over)) => over,
            }
        } else {
            vec![at]
        };
        let mut bytes = 0;
        for block in over {
            bytes += self.give_back(heap, block)?.0;
        }
        Ok(Bytes(bytes))
    }

    /// Gives a block back to its module.
    fn give_back(&self, heap: &mut Heap, block: Offset) -> Result<Bytes, FreeError> {
        let locked = heap.spaces.get(Reach::Dma).is_some_and(|s| s.contains(block));
        let len = heap.spaces.free(block)?;
        if locked {
            mlock::unlock(self.address(block), len);
        }
        heap.memory.freed(len);
        Ok(len)
    }

    /// There is no room: whether a block that was freed before could be given back for it.
    fn give_way(&self, heap: &mut Heap) -> bool {
        match self.guards.give_way(&self.view()) {
            None => false,
            Some(Err(what)) => self.corrupted(&what),
            Some(Ok(block)) => self.give_back(heap, block).is_ok(),
        }
    }

    /// Why no live block of the user's starts at `at`.
    pub(super) fn explain(&self, heap: &Heap, at: Offset) -> FreeError {
        let known = if self.guards.on() { self.guards.explain(at) } else { None };
        known.unwrap_or_else(|| heap.spaces.explain(at))
    }

    fn leaks(&self, heap: &Heap) -> Leaks {
        // Those that are kept are live only for their module.
        let kept = self.guards.kept();
        let live = heap.spaces.iter().flat_map(|(_, s)| s.blocks()).filter(|b| b.state == BlockState::Live);
        let live = live.filter(|b| !kept.contains(&b.at.0));
        let (blocks, bytes) = live.fold((0, 0), |(n, bytes), b| (n + 1, bytes + b.len.0));
        Leaks { blocks, bytes: Bytes(bytes), sites: self.guards.sites() }
    }

    /// Somebody wrote where it must not: the job ends, for nothing it computes can be trusted.
    fn corrupted(&self, what: &str) -> ! {
        end_job(self, CORRUPTED, &format!("PE {}: heap check: {what}; ending the job", self.me))
    }

    fn view(&self) -> View<'_> {
        View { own: self.address(Offset(0)), peers: &self.peers }
    }
}
