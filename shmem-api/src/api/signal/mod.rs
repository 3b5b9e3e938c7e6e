//! Signals: words that say that data has come (OpenSHMEM 1.6, 9.9).
//!
//! ```text
//!   PE 0:  full.put_signal(inbox, 1, 0, &data, SignalOp::Add(1))      data first, then the signal
//!   PE 1:  full.wait_until(Cmp::Ge, 1)                                 and the data is there
//! ```
//!
//! A signal is an object of its own: in a phase it can only be set, added to and waited for, and between
//! phases it is read and reset by its PE. So nobody writes one plainly, and a sleeper is always woken.
//!
//! Invariant **G1**: the words of a signal object are changed by signal operations only, in a phase, and
//! by this PE alone outside of one.
#![allow(unsafe_code)]

use memheap::place::{Near, Reach};

use crate::api::ctx::Ctx;
use crate::api::phase::{Remote, Watch};
use crate::api::sym::SymSlice;
use crate::api::sym_static::{Declared, SymStatic};
use crate::api::team::Team;
use crate::api::world::World;
use crate::error::Error;
use crate::types::amo::AmoOp;
use crate::types::cmp::Cmp;
use crate::types::elem::Elem;
use crate::types::object::ObjectType;
use crate::types::thread_level::{Level, Single};

/// Several symmetric signals: as many on every PE. See [`World::alloc_signals`].
pub struct SymSignals<'w>(SymSlice<'w, u64>);

/// One symmetric signal. See [`World::alloc_signal`].
pub struct SymSignal<'w>(SymSlice<'w, u64>);

/// A signal that is a static of the executable: shared all the time. [`sym_static!`](macro@crate::sym_static) declares one.
///
/// ```no_run
/// use shmem_api::Cmp;
///
/// shmem_api::sym_static! { static READY: StaticSignal; }
///
/// # fn main() -> Result<(), shmem_api::Error> {
/// let world = shmem_api::World::init()?;
/// READY.on(&world).add(0, 1);
/// if world.pe() == 0 {
///     READY.on(&world).wait_until(Cmp::Ge, world.n_pes() as u64);
/// }
/// # Ok(()) }
/// ```
#[repr(transparent)]
pub struct StaticSignal(SymStatic<u64>);

/// The signals of a [`SymSignals`] in a phase.
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

impl<L: Level> World<L> {
    /// Collective: `n` signals on every PE, all 0.
    ///
    /// # Errors
    /// As [`alloc`](Self::alloc).
    #[track_caller]
    pub fn alloc_signals(&self, n: usize) -> Result<SymSignals<'_>, Error> {
        self.take(n, ObjectType::signals(), Reach::World, Near::Any).map(SymSignals)
    }

    /// Collective: one signal on every PE, 0.
    ///
    /// # Errors
    /// As [`alloc`](Self::alloc).
    #[track_caller]
    pub fn alloc_signal(&self) -> Result<SymSignal<'_>, Error> {
        self.take(1, ObjectType::signal(), Reach::World, Near::Any).map(SymSignal)
    }
}

/// Outside of a phase, what this PE has of them.
impl SymSignals<'_> {
    pub(crate) fn words(&self) -> &SymSlice<'_, u64> {
        &self.0
    }

    /// How many there are, on each PE.
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// This PE's values.
    pub fn values(&self) -> &[u64] {
        &self.0
    }

    /// Sets this PE's signal `at` to 0. Local.
    ///
    /// # Panics
    /// If there is no signal `at`.
    pub fn reset(&mut self, at: usize) {
        self.0[at] = 0;
    }

    /// Sets all of this PE's signals to 0. Local.
    pub fn reset_all(&mut self) {
        self.0.fill(0);
    }
}

/// Outside of a phase, what this PE has of it.
impl SymSignal<'_> {
    pub(crate) fn words(&self) -> &SymSlice<'_, u64> {
        &self.0
    }

    /// This PE's value.
    pub fn value(&self) -> u64 {
        self.0[0]
    }

    /// Sets this PE's signal to 0. Local.
    pub fn reset(&mut self) {
        self.0[0] = 0;
    }
}

impl StaticSignal {
    /// A signal of value 0 on each PE.
    #[doc(hidden)]
    pub const fn declared(declared: Declared) -> StaticSignal {
        StaticSignal(SymStatic::declared(0, declared))
    }

    /// The signal, for the PEs of `team`. Local; no phase is needed.
    ///
    /// # Panics
    /// As [`SymStatic::on`].
    pub fn on<'w, L: Level>(&'static self, team: &'w Team<'_, L>) -> Signal<'w, L> {
        Signal::new(self.0.on(team))
    }
}

impl<'s, L: Level> Signals<'s, L> {
    pub(crate) fn new(words: Remote<'s, u64, L>) -> Self {
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
    pub(crate) fn new(words: Remote<'s, u64, L>) -> Self {
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
        self.words.change(call, pe, self.at, op);
    }
}
