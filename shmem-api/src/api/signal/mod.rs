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
//! Invariant **SIGNAL-G1**: the words of a signal object are changed by signal operations only, in a phase, and
//! by this PE alone outside of one.

pub(crate) mod handle;
pub(crate) mod shareable;

use memheap::place::{Near, Reach};

pub use crate::api::signal::handle::{Signal, SignalOp, Signals};

use crate::api::sym::SymSlice;
use crate::api::sym_static::{Declared, SymStatic};
use crate::api::team::Team;
use crate::api::world::World;
use crate::error::Error;
use crate::types::object::ObjectType;
use crate::types::thread_level::Level;

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
    fn words(&self) -> &SymSlice<'_, u64> {
        &self.0
    }

    /// How many there are, on each PE.
    pub fn len(&self) -> usize {
        self.0.count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.count() == 0
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
    fn words(&self) -> &SymSlice<'_, u64> {
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
