//! One collective call of this PE on a team, from entering to leaving; how a collective is written.
//!
//! ```text
//!   team.call(engine, Kind::X, |call| {
//!       call.meet(&[agreed..., own...], n_agreed)      show words to all members, and wait for everybody
//!       call.words_of(rank)                            what a member has shown
//!       call.sync()                                    another rendezvous, without words
//!       call.send_line(..), call.line(rank, ..)         up to 56 bytes; the sender may run ahead by 16 calls
//!   })                                                 leaving: others may see that this PE is through
//! ```
//!
//! * The body is the same sequence on all members as far as numbers go: each [`Call::sync`] and each
//!   [`Call::meet`] after the first takes the next number.
//! * Words shown by [`Call::meet`] stay readable on every member until it leaves the call, or comes to its next
//!   `sync` or `meet`; a PE that comes to overwrite them waits (T2).
//! * A PE may leave while others are still inside. If they still read or write its memory, it must wait for them
//!   by `sync`.
//! * What a member did before `meet`, `send_line` or `sync` is seen by whoever saw that (release and acquire).
//! * Waiting ends the job, with a line that names both calls, when a member is at another call of this number, or
//!   through with this one in a way that leaves the waiting one alone.

use std::time::Duration;

use memheap::PeId;

use super::desk::{Bell, Line, Progress, RING, RING_WORDS, TeamDesk};
use super::{Calls, TeamCore, end};
use crate::coll::agree::{Waits, said};
use crate::coll::slip::{Cell, Slip, SlipCell, Word};
use crate::engine::Engine;
use crate::error::Diverged;
use crate::exit::Blocked;
use crate::sync::Ordering;
use crate::wait::{self, Waker};

/// How often a waiter looks before it waits in earnest.
const LOOKS: u32 = 100;

/// A collective call under way.
pub(crate) struct Call<'c> {
    engine: &'c Engine,
    core: &'c TeamCore,
    calls: &'c mut Calls,
    word: Word,
    /// Words have been shown under this number.
    shown: bool,
}

impl<'c> Call<'c> {
    pub(super) fn new(engine: &'c Engine, core: &'c TeamCore, calls: &'c mut Calls, word: Word) -> Call<'c> {
        core.desk().line.at.store(word.bits(), Ordering::Relaxed);
        Call { engine, core, calls, word, shown: false }
    }

    /// This PE's rank.
    #[inline]
    pub(crate) fn rank(&self) -> usize {
        self.core.rank as usize
    }

    /// A member, as a PE of the world.
    #[inline]
    pub(crate) fn pe(&self, rank: usize) -> PeId {
        self.core.members.at(rank as u32)
    }

    /// Shows `words` and waits until every member has shown its own; those to agree on are equal then.
    /// Read the others' by [`words_of`](Self::words_of).
    pub(crate) fn meet(&mut self, words: &[u64], agreed: usize) {
        if self.shown {
            self.advance();
        }
        self.word = self.word.agreeing(agreed);
        self.shown = true;
        self.rendezvous(words);
    }

    /// What a member has shown in the last [`meet`](Self::meet).
    #[inline]
    pub(crate) fn words_of(&self, rank: usize) -> &'c SlipCell {
        &self.core.place.desks[rank].cells[self.turn()]
    }

    /// Another rendezvous within the call: everything that every member did before it is seen after it.
    /// The words shown before are not to be read any more.
    #[inline]
    pub(crate) fn sync(&mut self) {
        self.advance();
        self.rendezvous(&[]);
    }

    /// Shows up to seven words in this PE's ring, of which `bytes` bytes count; it may run ahead of the members that
    /// take them.
    #[inline]
    pub(crate) fn send_line(&mut self, words: &[u64], bytes: usize) {
        debug_assert!(words.len() <= RING_WORDS && bytes <= words.len() * 8);
        let number = self.word.number();
        // The line was used 16 calls ago at the latest.
        self.core.wait_left(self.engine, self.calls, number.saturating_sub(RING as u64 - 1));
        let desk = self.core.desk();
        let line = &desk.ring[number as usize % RING];
        line.lay(words);
        line.show(self.word.agreeing(bytes), self.engine.policy.crowded());
        ring(&desk.line.bell);
    }

    /// Waits for the words that `rank` sends in this call, of `bytes` bytes.
    #[inline]
    pub(crate) fn line(&self, rank: usize, bytes: usize) -> &'c Cell<RING_WORDS> {
        let desk = self.core.place.desks[rank];
        let line = &desk.ring[self.word.number() as usize % RING];
        let waiting = Waiting { giver: Some(rank), ..Waiting::new(self.engine, self.core, self.word) };
        waiting.wait(&desk.line.bell, || line.word().number() >= self.word.number());
        let mine = self.word.agreeing(bytes);
        if !line.word().pairs(mine) {
            let text = |word: Word| {
                format!("{} of {} bytes (call {})", Slip::of(word), word.agreed(), word.number())
            };
            self.differs(rank, text(line.word()), text(mine));
        }
        line
    }

    /// Ends the job: what `rank` shows does not fit with what this PE was asked for. `theirs` and `mine` say
    /// what the calls are.
    #[cold]
    pub(crate) fn differs(&self, rank: usize, theirs: String, mine: String) -> ! {
        let me = self.engine.me;
        let diverged = Diverged { here: me, pe: self.pe(rank), got: theirs, reference: me, expected: mine };
        end(self.engine, &diverged)
    }

    #[inline]
    fn turn(&self) -> usize {
        (self.word.number() & 1) as usize
    }

    /// The next number, for another part of this call.
    fn advance(&mut self) {
        self.core.leave(self.engine, self.calls);
        self.calls.last += 1;
        self.word = self.word.next();
    }

    /// T2 for the cell of this number. A call that shows nothing in it does not wait for the slowest member.
    #[inline]
    fn cell_is_free(&mut self) {
        self.core.wait_left(self.engine, self.calls, self.word.number() - 1);
    }

    fn rendezvous(&mut self, words: &[u64]) {
        self.cell_is_free();
        if let Err(differs) = self.core.rendezvous(self.engine, self.calls, self.word, words) {
            end(self.engine, &differs.diverged);
        }
    }
}

/// Waiting for other members, at one call.
pub(super) struct Waiting<'c> {
    engine: &'c Engine,
    core: &'c TeamCore,
    word: Word,
    /// The member whose line it is for.
    giver: Option<usize>,
}

impl<'c> Waiting<'c> {
    pub(super) fn new(engine: &'c Engine, core: &'c TeamCore, word: Word) -> Waiting<'c> {
        Waiting { engine, core, word, giver: None }
    }

    /// Until the owner of `line` is that far.
    pub(super) fn for_progress(&self, line: &Line, progress: Progress) {
        self.wait(&line.progress_bell, || line.progress() >= progress);
    }

    #[cold]
    #[inline(never)]
    fn wait_long(&self, bell: &Bell, ready: &dyn Fn() -> bool) {
        let policy = &self.engine.policy;
        let waker = if policy.crowded() { Waker::Rings } else { Waker::MayBeSilent };
        let (word, size) = (self.word, self.core.members.size);
        if self.giver.is_some() {
            self.core.desk().line.at.store(word.taking().bits(), Ordering::Relaxed);
        }
        let place = || format!("{} of a team of {size}", self.told());
        let mut report = policy.report(self.engine.me, place);
        let mut blocked = Blocked::new(self.engine);
        policy.wait(&bell.rung, &bell.asleep, waker, ready, |waited: Duration| {
            blocked.look(waited);
            // A member that is gone or through by now may have come before: then the wait is over.
            if let Some(diverged) = self.stray()
                && !ready()
            {
                end(self.engine, &diverged);
            }
            report(waited);
        });
    }

    /// Between sleeps: whether a member is where this PE will never meet it.
    #[cold]
    fn stray(&self) -> Option<Diverged> {
        let (here, number) = (self.engine.me, self.word.number());
        let at_what = |rank: usize, desk: &TeamDesk| {
            let at = Word::from_bits(desk.line.at.load(Ordering::Acquire));
            let awaited = self.word.meets() || self.giver == Some(rank);
            let apart =
                at.number() == number && !(at.meets() && self.word.meets()) && !at.same_kind(self.word);
            if self.core.is_gone(desk) {
                Some("work after it dropped the team".to_owned())
            } else if apart {
                Some(said(&Slip::of(at), number))
            } else if awaited && desk.line.progress() >= Progress::left(number) {
                Some(format!("the end of call {number}, which for it was a call without others"))
            } else if self.giver == Some(rank) && at.number() == number && at.takes() {
                Some(format!("{} from another PE", said(&Slip::of(at), number)))
            } else {
                None
            }
        };
        let mut members = self.core.place.desks.iter().zip(&self.core.place.pes).enumerate();
        let (pe, got) = members.find_map(|(rank, (desk, pe))| Some((*pe, at_what(rank, desk)?)))?;
        Some(Diverged { here, pe, got, reference: here, expected: self.told() })
    }

    /// What this PE waits at; with its arguments, if it has shown them.
    fn told(&self) -> String {
        let cell = &self.core.desk().cells[(self.word.number() & 1) as usize];
        let (slip, number) = if cell.word().number() == self.word.number() {
            cell.read()
        } else {
            (Slip::of(self.word), self.word.number())
        };
        said(&slip, number)
    }
}

impl Waits for Waiting<'_> {
    #[inline]
    fn wait(&self, bell: &Bell, ready: impl Fn() -> bool) {
        // What is on its way comes within these looks.
        for _ in 0..if self.engine.policy.crowded() { 1 } else { LOOKS } {
            if ready() {
                return;
            }
            std::hint::spin_loop();
        }
        self.wait_long(bell, &ready);
    }

    #[inline]
    fn ring(&self, bell: &Bell) {
        ring(bell);
    }

    #[inline]
    fn exact(&self) -> bool {
        self.engine.policy.crowded()
    }
}

/// Wakes those asleep on `bell`.
#[inline]
pub(super) fn ring(bell: &Bell) {
    wait::ring(&bell.rung, &bell.asleep);
}
