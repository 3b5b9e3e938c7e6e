//! One collective call of this PE on a team, from entering to leaving; how a collective is written.
//!
//! ```text
//!   team.call(engine, Kind::X, |call| {
//!       call.meet(&[agreed..., own...], n_agreed)      show words to all members, and wait for everybody
//!       call.give(&[agreed..., own...], n_agreed)      show words to all members, and go on; the others:
//!       call.take(rank, &agreed)                       wait for the words of that member, and compare
//!       call.words_of(rank)                            what a member has shown
//!       call.sync()                                    another rendezvous, without words
//!   })                                                 leaving: others may see that this PE is through
//! ```
//!
//! * A call begins with `meet`, or with `give` on one member and `take` on the others. Which of the two, all decide by
//!   words that are compared in it.
//! * Words that a member has shown stay readable on every other one until it leaves the call; a PE that comes to
//!   overwrite them waits (T2). So who gives is at most one call ahead of who takes.
//! * Who stores into another member's `dest` before it has met that one says so first (`go_ahead`): what an earlier call
//!   left for the slow one to find may lie there (T4).
//! * A PE may leave while others are still inside. If they still read or write its memory, it must wait for them
//!   by `sync`.
//! * What a member did before `meet`, `give` or `sync` is seen by whoever saw that (release and acquire).
//! * Waiting ends the job, with a line that names both calls, when a member is at another call of this number, or
//!   through with this one in a way that leaves the waiting one alone.

use crate::engine::Engine;
use crate::error::Diverged;
use crate::node::mailbox::{Event, Line, Mailbox, Progress};
use crate::node::signature::{Signature, SignatureCell, Word};
use crate::sync::primitives::Ordering;
use crate::sync::wait;
use crate::sync::wait::Waker;
use crate::team::rendezvous::{Waits, said, said_after};
use crate::team::{Calls, TeamCore, end};

/// How often a waiter looks before it waits in earnest.
const LOOKS: u32 = 100;

/// A collective call under way.
pub(crate) struct TeamCall<'c> {
    engine: &'c Engine,
    core: &'c TeamCore,
    calls: &'c mut Calls,
    word: Word,
}

impl<'c> TeamCall<'c> {
    pub(crate) fn new(
        engine: &'c Engine,
        core: &'c TeamCore,
        calls: &'c mut Calls,
        word: Word,
    ) -> TeamCall<'c> {
        core.mailbox().line.at.store(word.bits(), Ordering::Relaxed);
        TeamCall { engine, core, calls, word }
    }

    /// This PE's rank.
    #[inline]
    pub(crate) fn rank(&self) -> usize {
        self.core.rank as usize
    }

    /// Shows `words` and waits until every member has shown its own; those to agree on are equal then.
    /// Read the others' by [`words_of`](Self::words_of).
    #[inline]
    pub(crate) fn meet(&mut self, words: &[u64], agreed: usize) {
        self.word = self.word.agreeing(agreed);
        self.others_are_near();
        self.rendezvous(words);
    }

    /// What a member has shown in this call, after it was met or taken from.
    #[inline]
    pub(crate) fn words_of(&self, rank: usize) -> &'c SignatureCell {
        &self.core.place.mailboxes[rank].cells[self.turn()]
    }

    /// Another rendezvous within the call: everything that every member did before it is seen after it.
    #[inline]
    pub(crate) fn sync(&mut self) {
        self.word = self.word.next();
        self.rendezvous(&[]);
    }

    /// T4: before this PE stores where another may not have called yet, or leaves a call that another has still to enter.
    #[inline]
    pub(crate) fn go_ahead(&mut self) {
        let number = self.word.number();
        let finished = if self.core.psync.is_some() { number } else { number - 1 };
        self.core.wait_left(self.engine, self.calls, finished);
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
        cell.show(word, self.engine.policy.crowded());
        notify(&mailbox.line.event);
        self.core.trace(self.calls, self.word.agreeing(agreed), &words[..agreed]);
    }

    /// Waits for the words that `rank` gives in this call, and compares those to agree on.
    #[inline]
    pub(crate) fn take(&mut self, rank: usize, agreed: &[u64]) -> &'c SignatureCell {
        let mailbox = self.core.place.mailboxes[rank];
        let cell = &mailbox.cells[self.turn()];
        let waiting =
            Waiting { giver: Some((rank, agreed)), ..Waiting::new(self.engine, self.core, self.word) };
        waiting.wait(&mailbox.line.event, || cell.word().number() >= self.word.number());
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
        let (here, mine) = (self.engine.me, Signature::asking(self.word, agreed));
        let (got, expected) = (said_after(theirs, theirs.same_call(&mine)), said(&mine));
        let pe = self.core.members.at(rank as u32);
        end(self.engine, &Diverged { here, pe, got, reference: here, expected })
    }

    #[inline]
    fn turn(&self) -> usize {
        (self.word.number() & 1) as usize
    }

    /// T2.
    #[inline]
    fn others_are_near(&mut self) {
        self.core.wait_left(self.engine, self.calls, self.word.number() - 1);
    }

    #[inline]
    fn rendezvous(&mut self, words: &[u64]) {
        if let Err(differs) = self.core.rendezvous(self.engine, self.calls, self.word, words) {
            end(self.engine, &differs.diverged);
        }
    }
}

/// Waiting for other members, at one call.
pub(crate) struct Waiting<'c> {
    engine: &'c Engine,
    core: &'c TeamCore,
    word: Word,
    /// The member whose words it is for, and what this PE asks for.
    giver: Option<(usize, &'c [u64])>,
}

impl<'c> Waiting<'c> {
    pub(crate) fn new(engine: &'c Engine, core: &'c TeamCore, word: Word) -> Waiting<'c> {
        Waiting { engine, core, word, giver: None }
    }

    /// Before call `number`, of which nothing has been shown yet.
    pub(crate) fn to_go_on(engine: &'c Engine, core: &'c TeamCore, number: u64) -> Waiting<'c> {
        Waiting::new(engine, core, Word::before(number))
    }

    /// Until the owner of `line` is that far.
    pub(crate) fn for_progress(&self, line: &Line, progress: Progress) {
        self.wait(&line.progress_event, || line.progress() >= progress);
    }

    #[cold]
    #[inline(never)]
    fn wait_long(&self, event: &Event, ready: &dyn Fn() -> bool) {
        let waker = if self.engine.policy.crowded() { Waker::Notifies } else { Waker::MayBeSilent };
        if self.giver.is_some() {
            self.core.mailbox().line.at.store(self.word.taking().bits(), Ordering::Relaxed);
        }
        let place = || format!("{} of {}", self.told(), self.core);
        self.engine.wait_for_a_call(event, waker, ready, place, || {
            // A member that is gone or through by now may have come before: then the wait is over.
            if let Some(diverged) = self.stray()
                && !ready()
            {
                end(self.engine, &diverged);
            }
        });
    }

    /// Between sleeps: whether a member is where this PE will never meet it.
    #[cold]
    fn stray(&self) -> Option<Diverged> {
        let here = self.engine.me;
        let mut members = self.core.place.mailboxes.iter().zip(&self.core.place.pes).enumerate();
        let (pe, got) = members.find_map(|(rank, (mailbox, pe))| Some((*pe, self.apart(rank, mailbox)?)))?;
        Some(Diverged { here, pe, got, reference: here, expected: self.told() })
    }

    /// Where that member is instead, if it will never come.
    fn apart(&self, rank: usize, mailbox: &Mailbox) -> Option<String> {
        let number = self.word.number();
        let at = Word::from_bits(mailbox.line.at.load(Ordering::Acquire));
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
        if (self.word.meets() || gives) && mailbox.line.progress() >= Progress::left(number) {
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
        said(&self.core.mailbox().is_at())
    }
}

impl Waits for Waiting<'_> {
    #[inline]
    fn wait(&self, event: &Event, ready: impl Fn() -> bool) {
        // What is on its way comes within these looks.
        for _ in 0..if self.engine.policy.crowded() { 1 } else { LOOKS } {
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
        self.engine.policy.crowded()
    }
}

/// Wakes those asleep on `event`.
#[inline]
pub(crate) fn notify(event: &Event) {
    wait::notify(&event.count, &event.asleep);
}
