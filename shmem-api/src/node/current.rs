//! The node that is up, for whoever comes without a reference to it: fork handlers, process exit, raw calls.
#![allow(unsafe_code)]

use crate::process::private::{AtomicPtr, Ordering};
use std::ptr::NonNull;

use crate::node::dump::fatal;
use crate::node::{Node, hot};

static CURRENT: AtomicPtr<Node> = AtomicPtr::new(std::ptr::null_mut());

impl Node {
    /// Runs `f` on the node that is up, if one is. It stays: whoever takes it down does so when no call is under way
    /// (ENGINE-E1), and in turns with forks.
    pub(crate) fn with_current<R>(f: impl FnOnce(&Node) -> R) -> Option<R> {
        // SAFETY: ENGINE-E1: a node that is not freed before the last call has returned.
        Node::current().map(|node| f(unsafe { node.as_ref() }))
    }

    /// Before calls go: fills what they read. `quick`: heap addresses pass the quick check.
    pub(crate) fn prepare(&self, quick: bool) {
        hot::fill(self, quick);
        if self.segment.in_dumps() {
            fatal::watch(&self.segment);
        }
    }

    /// The library is up on this node.
    pub(crate) fn publish(node: *const Node) {
        CURRENT.store(node.cast_mut(), Ordering::Release);
    }

    /// What was published, if the library is up.
    #[inline]
    pub(crate) fn current() -> Option<NonNull<Node>> {
        NonNull::new(CURRENT.load(Ordering::Acquire))
    }

    /// The library is down, as far as anybody can see. The memory stays.
    pub(crate) fn withdraw(&self) {
        hot::clear();
        CURRENT.store(std::ptr::null_mut(), Ordering::Release);
    }

    /// In a child of this PE: the library is down, and the memory of the job is out of harm's reach.
    pub(crate) fn disown(&self) {
        self.withdraw();
        self.segment.disown();
        fatal::in_child();
        self.statics.disown();
    }
}
