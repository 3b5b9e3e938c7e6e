//! Who meets: the members of a team, or those of them on one host, with their mailboxes; and how one of them waits for another.

use std::sync::Arc;

use memheap::PeId;

use crate::node::event::Event;
use crate::node::mailbox::Mailbox;
use crate::transport::part::Part;

/// By rank, in the team or on the host.
#[derive(Clone)]
pub(crate) struct Members<'m> {
    pub(crate) mailboxes: Arc<[Part<'m, Mailbox>]>,
    pub(crate) pes: Arc<[PeId]>,
}

impl Members<'_> {
    pub(crate) fn len(&self) -> usize {
        self.mailboxes.len()
    }

    /// Some of them, by rank.
    pub(crate) fn only(&self, ranks: impl Iterator<Item = usize> + Clone) -> Self {
        Members {
            mailboxes: ranks.clone().map(|rank| self.mailboxes[rank]).collect(),
            pes: ranks.map(|rank| self.pes[rank]).collect(),
        }
    }
}

/// How a PE waits for another, and wakes it.
pub(crate) trait Waits {
    /// Waits until `ready`, asleep on `event` if it takes long.
    fn wait(&self, event: Part<'_, Event>, ready: impl Fn() -> bool);
    /// Wakes those asleep on `event`.
    fn notify(&self, event: &Event);
    /// Whether sleeping is so common that whoever has news must see every sleeper: its store is a full
    /// fence, too.
    fn exact(&self) -> bool;
}
