//! The engine: everything one start of the library brought up. There is one at most.
//!
//! ```text
//!   World ──owns──► Engine ─── Segment (own memory, peers' memory)
//!                     ├── Peers: where each PE's heap is in this process
//!                     ├── Teams: who meets, the world first
//!                     ├── Heap: the spaces and their modules
//!                     └── Watchdog: watches the next PE
//!   HOT (a plain static of relaxed atomics): what a raw put needs, zero when the library is down
//! ```
//!
//! Invariants: **N1** the memory of an engine is mapped from before the engine exists until after it
//! is gone. **N2** [`HOT`] is non-zero only while an engine is up; its PE count is published last and
//! cleared first, so the PE check of a raw call is also its "initialised?" check.
#![allow(unsafe_code)]

pub(crate) mod resize;

use std::ops::{Deref, Range};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use memheap::place::Reach;
use memheap::{Bytes, Component, Offset, PeId};
use rustix::process::Pid;

use crate::coll::active_set::ActiveSets;
use crate::error::{Diverged, Error};
use crate::exit::serial::Serial;
use crate::exit::watchdog::Watchdog;
use crate::exit::{Blocked, By, Others, child, provable};
use crate::heap::guard::Guards;
use crate::heap::local::Local;
use crate::heap::{DropQueue, Heap};
use crate::node::control_block::ControlBlock;
use crate::node::dump::fatal;
use crate::node::layout::Layout;
use crate::node::mailbox::Event;
use crate::node::segment::{Peer, Segment};
use crate::node::signature::Signature;
use crate::node::static_data::StaticData;
use crate::raw;
use crate::raw::Slots;
use crate::startup::init_count::Asked;
use crate::startup::start;
use crate::sync::fences;
use crate::sync::primitives;
use crate::sync::wait;
use crate::sync::wait::{Policy, Waker};
use crate::team::table::Teams;
use crate::types::thread_level::ThreadLevel;

/// What the path of a raw put reads. Plain relaxed atomics: several threads may look while one writes.
#[repr(C, align(64))]
pub(crate) struct Hot {
    pub(crate) n_pes: AtomicU32,
    pub(crate) me: AtomicU32,
    pub(crate) lo: AtomicUsize,
    pub(crate) len: AtomicUsize,
    pub(crate) peers: AtomicPtr<Peer>,
    /// From a peer's heap to what it sleeps on.
    pub(crate) waiters: AtomicUsize,
    /// The stretch of static data that most statics are in: where it is, its length, where it is in the
    /// file, and the PEs' files.
    pub(crate) static_lo: AtomicUsize,
    pub(crate) static_len: AtomicUsize,
    pub(crate) static_at: AtomicUsize,
    pub(crate) static_peers: AtomicPtr<Peer>,
}

pub(crate) static HOT: Hot = Hot {
    n_pes: AtomicU32::new(0),
    me: AtomicU32::new(0),
    lo: AtomicUsize::new(0),
    len: AtomicUsize::new(0),
    peers: AtomicPtr::new(std::ptr::null_mut()),
    waiters: AtomicUsize::new(0),
    static_lo: AtomicUsize::new(0),
    static_len: AtomicUsize::new(0),
    static_at: AtomicUsize::new(0),
    static_peers: AtomicPtr::new(std::ptr::null_mut()),
};

/// The engine that is up, for process exit and for the raw API.
static CURRENT: AtomicPtr<Engine> = AtomicPtr::new(std::ptr::null_mut());

/// One start of the library.
pub(crate) struct Engine {
    pub(crate) me: PeId,
    pub(crate) n_pes: u32,
    pub(crate) policy: Policy,
    pub(crate) drops: DropQueue,
    /// An allocation that fails is not told.
    pub(crate) quiet_heap: bool,
    pub(crate) heap: Serial<Heap>,
    pub(crate) guards: Guards,
    /// Some rendezvous failed: this PE or another is on its way out.
    pub(crate) diverged: AtomicBool,
    /// The thread that brought the library up.
    pub(crate) thread: Pid,
    /// The thread level the launcher gives: what can be in force at most.
    pub(crate) most: ThreadLevel,
    pub(crate) peers: Box<[Peer]>,
    /// By PE. They point into the segments, which N1 keeps mapped.
    pub(crate) controls: Box<[ControlBlock<'static>]>,
    pub(crate) local: Serial<Local>,
    pub(crate) layout: Layout,
    /// The NUMA nodes of this host that have memory.
    pub(crate) nodes: Vec<u32>,
    pub(crate) contexts: Serial<Slots>,
    pub(crate) teams: Teams,
    pub(crate) sets: ActiveSets,
    pub(crate) others: Others,
    pub(crate) watchdog: Option<Watchdog>,
    pub(crate) segment: Segment,
    pub(crate) statics: StaticData,
}

/// What came of a rendezvous in which all agreed.
pub(crate) struct Met {
    /// Some PE raised its hand: it showed something.
    pub(crate) raised: bool,
    /// Which of the two places to show things in was used.
    pub(crate) turn: usize,
}

/// A reference to the engine for as long as its World lives.
pub(crate) struct Handle(NonNull<Engine>);

impl Clone for Handle {
    fn clone(&self) -> Handle {
        *self
    }
}

impl Copy for Handle {}

// SAFETY: it stands for `&Engine`, and the engine is `Sync` (checked below). Which threads may call is
// the thread level's affair, which the types that carry a handle also carry.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

const _: () = {
    const fn is_sync<T: Send + Sync>() {}
    is_sync::<Engine>();
};

impl Deref for Handle {
    type Target = Engine;
    #[inline]
    fn deref(&self) -> &Engine {
        // SAFETY: the engine is freed by `Engine::close`, which the World that all handles borrow from
        // calls last of all.
        unsafe { self.0.as_ref() }
    }
}

impl Engine {
    /// Collective over the job: brings the library up. DESIGN's life, in its order. There is none yet, and
    /// nobody else is at it (`holders`).
    pub(crate) fn open(asked: Asked, components: &[&dyn Component]) -> Result<Handle, Error> {
        Ok(start::start(asked, components)?.publish())
    }

    /// N2.
    fn publish(self) -> Handle {
        let engine = NonNull::from(Box::leak(Box::new(self)));
        // SAFETY: just made, and nobody else knows it yet.
        let this = unsafe { engine.as_ref() };
        HOT.me.store(this.me.0, Ordering::Relaxed);
        HOT.lo.store(this.peers[this.me.0 as usize].heap as usize, Ordering::Relaxed);
        // While the heap is checked, no address passes the quick check, and all go by the book.
        let quick = if this.guards.on() { 0 } else { this.layout.symmetric.0 };
        HOT.len.store(quick as usize, Ordering::Relaxed);
        HOT.peers.store(this.peers.as_ptr().cast_mut(), Ordering::Relaxed);
        let waiters = (&raw const this.control().life.waiters).addr() - this.own(Offset(0)).addr();
        HOT.waiters.store(waiters, Ordering::Relaxed);
        if let Some((span, table)) = this.statics.largest() {
            HOT.static_lo.store(span.address, Ordering::Relaxed);
            HOT.static_at.store(span.offset.0 as usize, Ordering::Relaxed);
            HOT.static_peers.store(table.as_ptr().cast_mut(), Ordering::Relaxed);
            HOT.static_len.store(span.len.0 as usize, Ordering::Relaxed);
        }
        if this.segment.in_dumps() {
            fatal::watch(&this.segment);
        }
        child::between_forks(|| CURRENT.store(engine.as_ptr(), Ordering::Release));
        HOT.n_pes.store(this.n_pes, Ordering::Release);
        Handle(engine)
    }

    /// The engine that is up, if one is.
    pub(crate) fn current() -> Option<Handle> {
        NonNull::new(CURRENT.load(Ordering::Acquire)).map(Handle)
    }

    /// Takes the library down, after the rendezvous that finalizes it.
    ///
    /// # Safety
    /// No handle is used after it, and no object of the heap is alive.
    pub(crate) unsafe fn close(handle: Handle) {
        handle.withdraw();
        fatal::unwatch();
        // SAFETY: leaked in `publish`, and by contract nobody uses a handle any more.
        let mut engine = unsafe { Box::from_raw(handle.0.as_ptr()) };
        // The watchdog and the place look at controls, which the segment keeps mapped: it goes last.
        drop(engine.watchdog.take());
        let Engine { heap, local, .. } = *engine;
        heap.into_inner().finalize();
        local.into_inner().finalize();
    }

    /// The library counts as down from here on, and this PE as having left in good order. The memory stays.
    pub(crate) fn withdraw(&self) {
        raw::destroy_all(self);
        child::between_forks(|| self.forget());
        self.control().life.left.store(1, Ordering::Release);
    }

    /// In a child of this PE: the library is down, and the memory of the job is out of harm's reach.
    pub(crate) fn disown(&self) {
        self.forget();
        self.segment.disown();
        self.statics.disown();
    }

    /// Where the memory of the other PEs is in this process, segments and statics.
    pub(crate) fn memory_of_pes(&self) -> impl Iterator<Item = (u32, Range<usize>)> {
        self.segment.of_peers().chain(self.statics.of_peers())
    }

    /// N2.
    fn forget(&self) {
        HOT.n_pes.store(0, Ordering::Release);
        CURRENT.store(std::ptr::null_mut(), Ordering::Release);
        HOT.len.store(0, Ordering::Relaxed);
        HOT.lo.store(0, Ordering::Relaxed);
        HOT.static_len.store(0, Ordering::Relaxed);
        HOT.static_lo.store(0, Ordering::Relaxed);
        HOT.static_peers.store(std::ptr::null_mut(), Ordering::Relaxed);
        HOT.peers.store(std::ptr::null_mut(), Ordering::Relaxed);
    }

    /// This PE's own control block.
    pub(crate) fn control(&self) -> &ControlBlock<'static> {
        self.control_of(self.me)
    }

    /// The control block of a PE of this host.
    #[inline]
    pub(crate) fn control_of(&self, pe: PeId) -> &ControlBlock<'static> {
        &self.controls[pe.0 as usize]
    }

    /// Bytes of the user's heap.
    pub(crate) fn heap_len(&self) -> Bytes {
        self.layout.window(Reach::World).1
    }

    /// The address of an offset in this PE's own segment.
    pub(crate) fn own(&self, at: Offset) -> *mut u8 {
        self.peers[self.me.0 as usize].heap.wrapping_add(at.0 as usize)
    }

    /// Collective: shows `signature` to all PEs and compares it with theirs.
    pub(crate) fn meet(&self, signature: Signature) -> Result<(), Diverged> {
        self.teams.world().meet(self, &signature)
    }

    /// As [`meet`](Self::meet); `show` gets this PE's control block and the turn, lays something on it, and says
    /// whether it did; `read` is told whether some PE did, and can read what they laid there. A PE that is
    /// alone agrees with itself: it makes no signature.
    pub(crate) fn meet_showing<R>(
        &self,
        signature: impl FnOnce() -> Signature,
        show: impl FnOnce(&ControlBlock<'_>, usize) -> bool,
        read: impl FnOnce(Met) -> R,
    ) -> Result<R, Diverged> {
        self.teams.world().meet_showing(self, signature, show, read)
    }

    /// Everything this PE has written is visible to every PE (the standard's quiet, on one host).
    #[inline]
    pub(crate) fn quiet(&self) {
        fences::full_fence();
    }

    /// After an atomic or a signal at `pe`: wakes it if it sleeps in a wait.
    #[inline]
    pub(crate) fn notify(&self, pe: PeId) {
        let waiters = &self.control_of(pe).life.waiters;
        wait::notify(&waiters.event, &waiters.asleep);
    }

    /// Waits on this PE's own memory until `ready`, which a plain put may bring about.
    pub(crate) fn wait_until(&self, ready: impl Fn() -> bool, place: impl Fn() -> String) {
        let waiters = &self.control().life.waiters;
        self.wait((&waiters.event, &waiters.asleep), (Waker::MayBeSilent, By::Memory), &ready, &place, || ());
    }

    /// As [`wait_until`](Self::wait_until), where whoever brings it about calls the library, and rings.
    pub(crate) fn wait_notified(&self, ready: impl Fn() -> bool, place: impl Fn() -> String) {
        let waiters = &self.control().life.waiters;
        self.wait((&waiters.event, &waiters.asleep), (Waker::Notifies, By::Calls), &ready, &place, || ());
    }

    /// Waits until other PEs have come to the same call for the first time, of which nobody rings.
    pub(crate) fn wait_for_members(&self, ready: impl Fn() -> bool, place: impl Fn() -> String) {
        let waiters = &self.control().life.waiters;
        self.wait((&waiters.event, &waiters.asleep), (Waker::MayBeSilent, By::Calls), &ready, &place, || ());
    }

    /// Waits for a call of another PE, asleep on an event of its control block. `between` is called between sleeps.
    pub(crate) fn wait_for_a_call(
        &self,
        event: &Event,
        waker: Waker,
        ready: &dyn Fn() -> bool,
        place: impl Fn() -> String,
        between: impl FnMut(),
    ) {
        self.wait((&event.count, &event.asleep), (waker, By::Calls), ready, &place, between);
    }

    /// Every wait of the library for another PE.
    fn wait(
        &self,
        (event, asleep): (&primitives::AtomicU32, &primitives::AtomicU32),
        (waker, by): (Waker, By),
        ready: &dyn Fn() -> bool,
        place: &dyn Fn() -> String,
        mut between: impl FnMut(),
    ) {
        let mut blocked = Blocked::new(self, by, place);
        let told = || match provable(self) && !(by == By::Memory && self.others.may_store()) {
            true => place(),
            false => format!("{} (other threads of the PEs may still end it: not known)", place()),
        };
        let mut report = self.policy.report(self.me, told);
        self.policy.wait(event, asleep, waker, ready, |waited| {
            blocked.look(waited);
            between();
            report(waited);
        });
    }
}
