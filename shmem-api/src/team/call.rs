//! One collective call of this PE on a team, from entering to leaving; how a collective is written.
//!
//! ```text
//!   team.call(node, Kind::X, |call| {
//!       call.meet(&[agreed..., own...], n_agreed)      show words to all members, and wait for everybody
//!       call.give(&[agreed..., own...], n_agreed)      show words to all members, and go on; the others:
//!       call.take(rank, &agreed)                       wait for the words of that member, and compare
//!       call.word_of(rank, i)                          what a member has shown
//!       call.sync()                                    another rendezvous, without words
//!   })                                                 leaving: others may see that this PE is through
//! ```
//!
//! * A call begins with `meet`, or with `give` on one member and `take` on the others. Which of the two, all decide by
//!   words that are compared in it.
//! * Words that a member has shown stay readable on every other one until it leaves the call; a PE that comes to
//!   overwrite them waits (TEAM-T2). So who gives is at most one call ahead of who takes.
//! * Who stores into another member's `dest` before it has met that one says so first (`go_ahead`): what an earlier call
//!   left for the slow one to find may lie there (TEAM-T4).
//! * A PE may leave while others are still inside. If they still read or write its memory, it must wait for them
//!   by `sync`.
//! * What a member did before `meet`, `give` or `sync` is seen by whoever saw that (release and acquire).
//! * Waiting ends the job, with a line that names both calls, when a member is at another call of this number, or
//!   through with this one in a way that leaves the waiting one alone.

use crate::error::Diverged;
use crate::node::Node;
use crate::node::signature::{Kind, Signature, SignatureCell, Word};
use crate::sync::primitives::Ordering;
use crate::team::core::{Calls, Named, TeamCore, end};
use crate::team::members::Waits;
use crate::team::rendezvous::verdict::{said, said_after};
use crate::team::upper::Hosts;
use crate::team::waiting::{Waiting, notify};
use crate::transport::part::Part;

impl TeamCore {
    /// Runs one collective call other than a plain rendezvous. See above for how one is written.
    #[inline]
    pub(crate) fn call<R>(&self, node: &Node, kind: Kind, body: impl FnOnce(&mut TeamCall<'_>) -> R) -> R {
        self.calls.with(Named(kind), |calls| {
            calls.last += 1;
            let number = calls.last;
            let mut call = TeamCall::new(node, self, calls, Word::new(number, kind, 0));
            let result = body(&mut call);
            self.leave(node, calls);
            result
        })
    }
}

/// A collective call under way.
pub(crate) struct TeamCall<'c> {
    node: &'c Node,
    core: &'c TeamCore,
    calls: &'c mut Calls,
    word: Word,
}

impl<'c> TeamCall<'c> {
    pub(crate) fn new(node: &'c Node, core: &'c TeamCore, calls: &'c mut Calls, word: Word) -> TeamCall<'c> {
        core.mailbox().line.at.store(word.bits(), Ordering::Relaxed);
        TeamCall { node, core, calls, word }
    }

    /// This PE's rank.
    #[inline]
    pub(crate) fn rank(&self) -> usize {
        self.core.rank as usize
    }

    /// Shows `words` and waits until every member has shown its own; those to agree on are equal then.
    /// Read the others' by [`word_of`](Self::word_of).
    #[inline]
    pub(crate) fn meet(&mut self, words: &[u64], agreed: usize) {
        self.word = self.word.agreeing(agreed);
        self.wait_for_the_call_before();
        self.rendezvous(words);
    }

    /// Word `i` of what a member has shown in this call, after it was met or taken from.
    #[inline]
    pub(crate) fn word_of(&self, rank: usize, i: usize) -> u64 {
        self.core.shown(rank, self.word.number(), i)
    }

    /// Another rendezvous within the call: everything that every member did before it is seen after it.
    #[inline]
    pub(crate) fn sync(&mut self) {
        self.word = self.word.next();
        self.rendezvous(&[]);
    }

    /// TEAM-T4: before this PE stores where another may not have called yet, or leaves a call that another has still to enter.
    #[inline]
    pub(crate) fn go_ahead(&mut self) {
        let number = self.word.number();
        let finished = if self.core.psync.is_some() { number } else { number - 1 };
        self.core.wait_left(self.node, self.calls, finished);
    }

    /// Who is on which host, if some members are on others. Those are met, never followed: what they show comes in a meeting.
    #[inline]
    pub(crate) fn hosts(&self) -> Option<&'c Hosts> {
        self.core.hosts()
    }

    /// Shows `words`, of which so many are to agree, and goes on.
    #[inline]
    pub(crate) fn give(&mut self, words: &[u64], agreed: usize) {
        self.go_ahead();
        let mailbox = self.core.mailbox();
        let cell = &mailbox.cells[self.turn()];
        let word = self.shown_as(agreed);
        cell.lay(words);
        if word.has_history() {
            cell.lay_history(self.calls.history);
        }
        cell.show(word, self.node.policy.crowded());
        notify(&mailbox.line.event);
        self.core.trace(self.calls, self.word.agreeing(agreed), &words[..agreed]);
    }

    /// Waits for the words that `rank` gives in this call, and compares those to agree on.
    #[inline]
    pub(crate) fn take(&mut self, rank: usize, agreed: &[u64]) -> Part<'c, SignatureCell> {
        let mailbox = self.core.mailboxes[rank];
        let cell = mailbox.cell(self.word.number());
        let waiting = Waiting::for_words(self.node, self.core, self.word, (rank, agreed));
        waiting.wait(mailbox.field(|m| &m.line.event), || cell.word().number() >= self.word.number());
        let (word, theirs) = (self.shown_as(agreed.len()), cell.word());
        if !theirs.pairs(word) || !cell.agrees(theirs, agreed, self.calls.history) {
            self.differs(rank, &cell.read(), agreed);
        }
        self.core.trace(self.calls, self.word.agreeing(agreed.len()), agreed);
        cell
    }

    /// The word of this call in a cell.
    #[inline]
    fn shown_as(&self, agreed: usize) -> Word {
        let word = self.word.agreeing(agreed);
        if self.calls.history == 0 { word } else { word.with_history() }
    }

    /// Ends the job: what `rank` shows is not what this PE asks for.
    #[cold]
    fn differs(&self, rank: usize, theirs: &Signature, agreed: &[u64]) -> ! {
        let (here, mine) = (self.node.me, Signature::asking(self.word, agreed));
        let (got, expected) = (said_after(theirs, theirs.same_call(&mine)), said(&mine));
        let pe = self.core.members.at(rank as u32);
        end(self.node, &Diverged { here, pe, got, reference: here, expected })
    }

    #[inline]
    fn turn(&self) -> usize {
        (self.word.number() & 1) as usize
    }

    /// TEAM-T2.
    #[inline]
    fn wait_for_the_call_before(&mut self) {
        self.core.wait_left(self.node, self.calls, self.word.number() - 1);
    }

    #[inline]
    pub(super) fn rendezvous(&mut self, words: &[u64]) {
        if let Err(differs) = self.core.rendezvous(self.node, self.calls, self.word, words) {
            end(self.node, &differs.diverged);
        }
    }
}
