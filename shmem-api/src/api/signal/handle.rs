//! Signals in a phase: what any PE does to them on any other, and how their own PE waits for them.

use crate::api::ctx::Ctx;
use crate::api::phase::{Batch, Remote, Watch};
use crate::types::amo::AmoOp;
use crate::types::cmp::Cmp;
use crate::types::elem::Elem;
use crate::types::thread_level::{Level, Single};

/// The signals of a [`SymSignals`](crate::SymSignals) in a phase.
pub struct Signals<'s, L: Level>(Remote<'s, u64, L>);

/// A signal in a phase: the same one on every PE.
pub struct Signal<'s, L: Level> {
    words: Remote<'s, u64, L>,
    at: usize,
}

/// What happens to a signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignalOp {
    /// It becomes the value (`SHMEM_SIGNAL_SET`).
    Set(u64),
    /// The value is added to it (`SHMEM_SIGNAL_ADD`).
    Add(u64),
}

impl<L: Level> Clone for Signals<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<L: Level> Copy for Signals<'_, L> {}
impl<L: Level> Clone for Signal<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<L: Level> Copy for Signal<'_, L> {}

impl<'s, L: Level> Signals<'s, L> {
    pub(super) fn new(words: Remote<'s, u64, L>) -> Self {
        Signals(words)
    }

    /// How many there are, on each PE.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Signal `at`.
    ///
    /// # Panics
    /// If there is none.
    #[inline]
    pub fn at(&self, at: usize) -> Signal<'s, L> {
        self.0.own_place("Signals::at", at, 1);
        Signal { words: self.0, at }
    }

    /// This PE's signals `set`, all to be compared with one `value`: see [`Remote::watch`].
    ///
    /// # Panics
    /// If there is no such signal.
    pub fn watch(&self, set: impl IntoIterator<Item = usize>, cmp: Cmp, value: u64) -> Watch<'s, u64, L> {
        self.0.watch(set, cmp, value)
    }

    /// This PE's signals, each to be compared with a value of its own: see [`Remote::watch_each`].
    ///
    /// # Panics
    /// If there is no such signal.
    pub fn watch_each(&self, set: impl IntoIterator<Item = (usize, u64)>, cmp: Cmp) -> Watch<'s, u64, L> {
        self.0.watch_each(set, cmp)
    }

    /// As [`Remote::via`].
    ///
    /// # Panics
    /// As there.
    pub fn via<'c, C: Level>(&self, ctx: &'c Ctx<'_, C>) -> Signals<'c, Single>
    where
        's: 'c,
    {
        Signals(self.0.via(ctx))
    }
}

impl<'s, L: Level> Signal<'s, L> {
    pub(super) fn new(words: Remote<'s, u64, L>) -> Self {
        Signal { words, at: 0 }
    }

    /// Copies `src` to `to` at element `at` on `pe`, then does `op` to the signal there: who sees the
    /// signal changed sees this data (`shmem_put_signal`). Data put by other calls is not covered. Returns when
    /// `src` may be used again.
    ///
    /// # Panics
    /// If there is no PE `pe`, if the range leaves the object, or if the object is open to other PEs
    /// than the signal; nothing has been written then.
    #[inline]
    pub fn put_signal<T: Elem, D: Level>(
        &self,
        to: Remote<'_, T, D>,
        pe: usize,
        at: usize,
        src: &[T],
        op: SignalOp,
    ) {
        to.check_team("put_signal", self.words.members());
        to.put(pe, at, src);
        // The change of the signal releases: what this thread stored before it is seen by who acquires it.
        self.update("put_signal", pe, op);
    }

    /// Sets the signal of `pe` (`shmem_signal_set`).
    ///
    /// # Panics
    /// If there is no PE `pe`.
    #[inline]
    pub fn set(&self, pe: usize, value: u64) {
        self.update("set", pe, SignalOp::Set(value));
    }

    /// Adds to the signal of `pe`, wrapping around (`shmem_signal_add`).
    ///
    /// # Panics
    /// If there is no PE `pe`.
    #[inline]
    pub fn add(&self, pe: usize, value: u64) {
        self.update("add", pe, SignalOp::Add(value));
    }

    /// This PE's value (`shmem_signal_fetch`). What came with it is visible afterwards.
    #[inline]
    pub fn fetch(&self) -> u64 {
        self.words.look("fetch", self.at)
    }

    /// Waits until this PE's signal compares true with `value`, and returns it (`shmem_signal_wait_until`). What
    /// came with it is visible afterwards.
    pub fn wait_until(&self, cmp: Cmp, value: u64) -> u64 {
        self.words.wait_until(self.at, cmp, value)
    }

    /// Whether this PE's signal compares true with `value` (`shmem_test` on a signal).
    pub fn test(&self, cmp: Cmp, value: u64) -> bool {
        cmp.holds(self.fetch(), value)
    }

    /// As [`Remote::via`].
    ///
    /// # Panics
    /// As there.
    pub fn via<'c, C: Level>(&self, ctx: &'c Ctx<'_, C>) -> Signal<'c, Single>
    where
        's: 'c,
    {
        Signal { words: self.words.via(ctx), at: self.at }
    }

    #[inline]
    fn update(&self, call: &'static str, pe: usize, op: SignalOp) {
        let op = match op {
            SignalOp::Set(value) => AmoOp::Set(value),
            SignalOp::Add(value) => AmoOp::Add(value),
        };
        self.words.post(call, pe, self.at, op);
    }
}

impl<'b> Batch<'b, '_> {
    /// Starts copying `src` to `to`, and changes `signal` once it is there (`shmem_put_signal_nbi`); see
    /// [`Signal::put_signal`].
    pub fn put_signal<T: Elem, D: Level, L: Level>(
        &'b self,
        signal: Signal<'_, L>,
        to: Remote<'_, T, D>,
        pe: usize,
        at: usize,
        src: &'b [T],
        op: SignalOp,
    ) {
        signal.put_signal(to, pe, at, src, op);
    }
}
