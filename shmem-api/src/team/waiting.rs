//! Waiting for other members of a team, at one call; and finding out that they will never come.

use crate::error::Diverged;
use crate::node::Node;
use crate::node::event::Event;
use crate::node::mailbox::{Mailbox, Progress};
use crate::node::signature::{Signature, Word};
use crate::sync::primitives::Ordering;
use crate::sync::wait::{self, Waker};
use crate::team::core::{TeamCore, end};
use crate::team::members::Waits;
use crate::team::rendezvous::verdict::said;
use crate::transport::part::Part;

/// How often a waiter looks before it waits in earnest.
const LOOKS: u32 = 100;

/// After so many sleeps it also looks whether a member on another host will never come, which is a question to that host.
const FAR_LOOKS: u32 = 12;

/// Waiting for other members, at one call.
pub(crate) struct Waiting<'c> {
    node: &'c Node,
    core: &'c TeamCore,
    word: Word,
    /// The member whose words it is for, and what this PE asks for.
    giver: Option<(usize, &'c [u64])>,
}

impl<'c> Waiting<'c> {
    pub(crate) fn new(node: &'c Node, core: &'c TeamCore, word: Word) -> Waiting<'c> {
        Waiting { node, core, word, giver: None }
    }

    /// For the words of a member, of which this PE asks for those.
    pub(super) fn for_words(
        node: &'c Node,
        core: &'c TeamCore,
        word: Word,
        giver: (usize, &'c [u64]),
    ) -> Waiting<'c> {
        Waiting { giver: Some(giver), ..Waiting::new(node, core, word) }
    }

    /// Before call `number`, of which nothing has been shown yet.
    pub(crate) fn to_go_on(node: &'c Node, core: &'c TeamCore, number: u64) -> Waiting<'c> {
        Waiting::new(node, core, Word::before(number))
    }

    /// Until the owner of `mailbox` is that far.
    pub(crate) fn for_progress(&self, mailbox: &Part<'_, Mailbox>, progress: Progress) {
        self.wait(mailbox.field(|m| &m.line.progress_event), || mailbox.progress() >= progress);
    }

    #[cold]
    #[inline(never)]
    fn wait_long(&self, event: Part<'_, Event>, ready: &dyn Fn() -> bool) {
        // A far PE notifies nobody here.
        let waker = if self.node.policy.crowded() && !self.core.is_flat() {
            Waker::Notifies
        } else {
            Waker::MayBeSilent
        };
        if self.giver.is_some() {
            self.core.mailbox().line.at.store(self.word.taking().bits(), Ordering::Relaxed);
        }
        let place = || format!("{} of {}", self.told(), self.core);
        let mut looks = 0;
        self.node.wait_for_a_call(event.mapped(), waker, ready, place, || {
            looks += 1;
            // A member that is gone or through by now may have come before: then the wait is over.
            if let Some(diverged) = self.stray(looks % FAR_LOOKS == 0)
                && !ready()
            {
                end(self.node, &diverged);
            }
        });
    }

    /// Between sleeps: whether a member is where this PE will never meet it; those on other hosts, too, if `far`.
    #[cold]
    fn stray(&self, far: bool) -> Option<Diverged> {
        let here = self.node.me;
        let mut members = self.core.mailboxes.iter().zip(self.core.members.iter()).enumerate();
        let apart = |rank, mailbox: &Part<'_, Mailbox>| match mailbox.is_far() {
            true if far => self.apart(rank, mailbox).filter(|_| !self.has_come(mailbox)),
            true => None,
            false => self.apart(rank, mailbox),
        };
        let (pe, got) = members.find_map(|(rank, (mailbox, pe))| Some((pe, apart(rank, mailbox)?)))?;
        Some(Diverged { here, pe, got, reference: here, expected: self.told() })
    }

    /// Whether a member on another host has arrived at the meeting this PE is at, wherever it is now: the news of it are on their way.
    fn has_come(&self, mailbox: &Part<'_, Mailbox>) -> bool {
        let upper = self.core.place.upper.as_ref();
        self.word.meets() && upper.is_some_and(|upper| mailbox.meeting() >= upper.number())
    }

    /// Where that member is instead, if it will never come.
    fn apart(&self, rank: usize, mailbox: &Part<'_, Mailbox>) -> Option<String> {
        let number = self.word.number();
        let at = mailbox.at();
        let gives = self.giver.is_some_and(|(giver, _)| giver == rank);
        if self.core.is_gone(mailbox) {
            return Some("work after it dropped the team".to_owned());
        }
        if self.word.is_before() {
            return None;
        }
        let at_it = at.number() == number;
        if at_it && !(at.meets() && self.word.meets()) && (!at.same_kind(self.word) || gives && at.meets()) {
            return Some(said(&mailbox.is_at()));
        }
        if at_it && gives && at.takes() {
            return Some(format!("{} from another PE", said(&Signature::of(at))));
        }
        if (self.word.meets() || gives) && mailbox.progress() >= Progress::left(number) {
            let unshown = || if at_it { Signature::of(at) } else { Signature::passed(number) };
            let what = mailbox.shown_in(number).unwrap_or_else(unshown);
            return Some(format!("the end of {}, which it did not wait for", said(&what)));
        }
        None
    }

    /// What this PE waits at.
    fn told(&self) -> String {
        if let Some((_, agreed)) = self.giver {
            return said(&Signature::asking(self.word, agreed));
        }
        if self.word.is_before() {
            return format!("the start of call {}", self.word.number());
        }
        said(&Part::Mapped(self.core.mailbox()).is_at())
    }
}

impl Waits for Waiting<'_> {
    #[inline]
    fn wait(&self, event: Part<'_, Event>, ready: impl Fn() -> bool) {
        // What is on its way comes within these looks.
        for _ in 0..if self.node.policy.crowded() { 1 } else { LOOKS } {
            if ready() {
                return;
            }
            std::hint::spin_loop();
        }
        self.wait_long(event, &ready);
    }

    #[inline]
    fn notify(&self, event: &Event) {
        notify(event);
    }

    #[inline]
    fn exact(&self) -> bool {
        self.node.policy.crowded()
    }
}

/// Wakes those asleep on `event`.
#[inline]
pub(crate) fn notify(event: &Event) {
    wait::notify(&event.count, &event.asleep);
}
