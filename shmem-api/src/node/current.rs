//! The node that is up, for whoever comes without a reference to it: raw calls, process exit, and what comes in the middle of
//! anything: fork handlers, children of `fork`, and handlers of signals that end the process.
//!
//! ```text
//!   open ──► SEGMENT, CURRENT ──► withdraw: CURRENT = null ──► close: SEGMENT = null ──► the memory goes
//!                  └── in a child: disown: PARENTS = CURRENT, CURRENT = null; the memory stays
//! ```
#![allow(unsafe_code)]

use crate::process::private::{AtomicPtr, Ordering};
use std::ptr::NonNull;

use crate::node::dump::fatal;
use crate::node::segment::Segment;
use crate::node::{Node, hot};
use crate::process::crashes;

static CURRENT: AtomicPtr<Node> = AtomicPtr::new(std::ptr::null_mut());
/// In a child: what was up in its parent.
static PARENTS: AtomicPtr<Node> = AtomicPtr::new(std::ptr::null_mut());
/// Of which a core dump is to hold what was touched (FATAL-S1).
static SEGMENT: AtomicPtr<Segment> = AtomicPtr::new(std::ptr::null_mut());

/// When the process crashes.
fn look(last: bool) {
    // SAFETY: FATAL-S1: it lives until `Node::close` has been alone.
    fatal::look(last, || unsafe { SEGMENT.load(Ordering::Acquire).as_ref() });
}

impl Node {
    /// Runs `f` on the node that is up, if one is. It stays: whoever takes it down does so when no call is under way
    /// (ENGINE-E1), and in turns with forks.
    pub(crate) fn with_current<R>(f: impl FnOnce(&Node) -> R) -> Option<R> {
        // SAFETY: ENGINE-E1: a node that is not freed before the last call has returned.
        Node::current().map(|node| f(unsafe { node.as_ref() }))
    }

    /// In a child of a PE: runs `f` on what was up there at the fork.
    pub(crate) fn with_parents<R>(f: impl FnOnce(&Node) -> R) -> Option<R> {
        // SAFETY: EXIT-H3: it was not being taken down, and a child never takes it down.
        unsafe { PARENTS.load(Ordering::Relaxed).as_ref() }.map(f)
    }

    /// Before calls go: fills what they read. `quick`: heap addresses pass the quick check.
    ///
    /// # Safety
    /// The node stays where it is, and its memory, until [`Node::close`] has returned.
    pub(crate) unsafe fn prepare(&self, quick: bool) {
        hot::fill(self, quick);
        if self.segment.in_dumps() {
            let segment = std::ptr::from_ref(&self.segment).cast_mut();
            fatal::alone(|| SEGMENT.store(segment, Ordering::Release));
            // SAFETY: SIGNALS-H1, by FATAL-S2; and it is alone.
            unsafe { crashes::watch(look) };
        }
    }

    /// The library is up on this node.
    ///
    /// # Safety
    /// ENGINE-E1: it stays until [`withdraw`](Node::withdraw), and as long as a call may be under way.
    pub(crate) unsafe fn publish(node: *const Node) {
        CURRENT.store(node.cast_mut(), Ordering::Release);
    }

    /// What was published, if the library is up.
    #[inline]
    pub(crate) fn current() -> Option<NonNull<Node>> {
        NonNull::new(CURRENT.load(Ordering::Acquire))
    }

    /// The library is down, as far as anybody can see. The memory stays.
    pub(crate) fn withdraw() {
        hot::clear();
        CURRENT.store(std::ptr::null_mut(), Ordering::Release);
    }

    /// The memory of what was withdrawn is about to go.
    pub(crate) fn close() {
        crashes::unwatch();
        // FATAL-S1: whoever looks has to have looked before the memory goes.
        while !fatal::alone(|| SEGMENT.store(std::ptr::null_mut(), Ordering::Release)) {}
    }

    /// In a child of this PE: the library is down, and the memory of the job is out of harm's reach. Whether there was any.
    pub(crate) fn disown_current() -> bool {
        let disown = |node: &Node| {
            PARENTS.store(std::ptr::from_ref(node).cast_mut(), Ordering::Relaxed);
            Node::withdraw();
            node.segment.disown();
            fatal::in_child();
            node.statics.disown();
        };
        Node::with_current(disown).is_some()
    }
}
