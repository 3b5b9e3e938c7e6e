//! The engine: everything one start of the library brought up. There is one at most.
//!
//! ```text
//!   World ──owns──► Engine ─── Node: the memory of all PEs, who am I, how do I wait
//!                     ├── Teams, ActiveSets, contexts: who meets, the world first
//!                     ├── Heap, Local: the spaces and their modules; Guards: their checking
//!                     └── Watchdog: watches the next PE
//! ```
//!
//! Invariants: **ENGINE-E1** an engine is freed by [`Engine::close`] only, when no call is under way and no object of its
//! heap is alive, and what was published of it is withdrawn before. **ENGINE-E2** bytes of a heap are cleared and carried
//! only in blocks that a module has given (MODULE-M1) and of which nobody has an address yet; and out of one that nobody uses
//! until it has been freed. Whoever calls [`Engine::clear`] or [`Engine::carry`] sees to that.
#![allow(unsafe_code)]

pub(crate) mod heap_calls;
pub(crate) mod local_calls;
pub(crate) mod resize;

use std::mem::offset_of;
use std::num::NonZero;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use memheap::{Bytes, Offset};

use crate::error::Diverged;
use crate::exit::serial::Serial;
use crate::exit::watchdog::Watchdog;
use crate::heap::guard::Guards;
use crate::heap::local::Local;
use crate::heap::{DropQueue, Heap};
use crate::memory::copy;
use crate::node::control_block::ControlBlock;
use crate::node::signature::Signature;
use crate::node::{Node, hot};
use crate::process::turn::between_forks;
use crate::team::active_set::ActiveSets;
use crate::team::contexts::{self, Slots};
use crate::team::core::Met;
use crate::team::table::Teams;
use crate::transport;

/// One start of the library: a node, and the heap and the teams on it.
pub(crate) struct Engine {
    pub(crate) drops: DropQueue,
    /// An allocation that fails is not told.
    pub(crate) quiet_heap: bool,
    pub(crate) heap: Serial<Heap>,
    pub(crate) guards: Guards,
    pub(crate) local: Serial<Local>,
    pub(crate) contexts: Serial<Slots>,
    pub(crate) teams: Teams,
    pub(crate) sets: ActiveSets,
    pub(crate) watchdog: Option<Watchdog>,
    /// The last to go.
    pub(crate) node: Node,
}

impl Deref for Engine {
    type Target = Node;
    #[inline]
    fn deref(&self) -> &Node {
        &self.node
    }
}

/// Where the engine is whose node is there.
fn engine_of(node: NonZero<usize>) -> NonZero<usize> {
    // An engine is not at address 0.
    NonZero::new(node.get() - offset_of!(Engine, node)).unwrap_or(node)
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
    /// Calls go from here on.
    pub(crate) fn publish(self) -> Handle {
        let engine = NonNull::from(Box::leak(Box::new(self)));
        // SAFETY: ENGINE-E1: just made, and nobody else knows it yet.
        let this = unsafe { engine.as_ref() };
        // While the heap is checked, no address passes the quick check, and all go by the book.
        // SAFETY: ENGINE-E1: `Engine::close` closes the node before it frees it.
        unsafe { this.node.prepare(!this.guards.on()) };
        // SAFETY: ENGINE-E1: a field of what was just made; the pointer is good for all of it.
        let node = unsafe { &raw const (*engine.as_ptr()).node };
        // SAFETY: ENGINE-E1.
        between_forks(|| unsafe { Node::publish(node) });
        hot::open(this.n_pes);
        Handle(engine)
    }

    /// The engine that is up, if one is.
    pub(crate) fn current() -> Option<Handle> {
        // What is published is the node of an engine.
        Node::current().map(|node| Handle(node.cast::<u8>().map_addr(engine_of).cast()))
    }

    /// Takes the library down, after the rendezvous that finalizes it.
    ///
    /// # Safety
    /// No handle is used after it, and no object of the heap is alive.
    pub(crate) unsafe fn close(handle: Handle) {
        handle.withdraw();
        Node::close();
        // SAFETY: leaked in `publish`, and nobody uses a handle any more (ENGINE-E1).
        let mut engine = unsafe { Box::from_raw(handle.0.as_ptr()) };
        // The watchdog and the teams look at control blocks, which the node keeps mapped: it goes last.
        drop(engine.watchdog.take());
        let Engine { heap, local, .. } = *engine;
        heap.into_inner().finalize();
        local.into_inner().finalize();
        transport::close();
    }

    /// The library counts as down from here on, and this PE as having left in good order. The memory stays.
    pub(crate) fn withdraw(&self) {
        contexts::destroy_all(&self.contexts);
        between_forks(Node::withdraw);
        self.control().life.left.store(1, Ordering::Release);
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

    /// Zeroes bytes of a new block of this PE's.
    pub(crate) fn clear(&self, at: Offset, n: Bytes) {
        let to = self.block(at, n);
        // SAFETY: ENGINE-E2: the used part of a block that a module has just handed out.
        unsafe { copy::fill(to, 0, n.0 as usize) }
    }

    /// Copies what a block of this PE's holds to where it is now; the two may overlap.
    pub(crate) fn carry(&self, from: Offset, to: Offset, n: Bytes) {
        let (from, to) = (self.block(from, n), self.block(to, n));
        // SAFETY: ENGINE-E2: the old one was live until this call, in which no PE uses it, and the new one is nobody's.
        unsafe { copy::carry(to, from, n.0 as usize) }
    }

    /// Where a block of this PE's is.
    fn block(&self, at: Offset, n: Bytes) -> *mut u8 {
        let end = self.layout.internals.0;
        assert!(
            n.0 <= end && at.0 <= end - n.0,
            "MODULE-M1: a block of {n} at {at}, where the heaps end at {end}"
        );
        self.address(at)
    }
}
