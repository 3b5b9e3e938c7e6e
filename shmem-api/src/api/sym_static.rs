//! Symmetric objects that are there from the start: statics of the executable.
//!
//! ```text
//!   sym_static! { static HITS: SymStatic<u64> = 0; }      the only way to make one
//!        │
//!        └─► static HITS: SymStatic<u64> = SymStatic::declared(0, unsafe { Declared::by_the_macro() });
//!
//!   HITS.on(&world).add(pe, 0, 1);       // no phase: a static is always shared
//! ```
//!
//! Invariants: **SYMSTATIC-Z1** no reference to the value of a `SymStatic` ever exists; it is accessed only through a
//! [`Remote`], as shared memory is. **SYMSTATIC-Z2** a `SymStatic`, a `StaticSignal` and a `StaticLock` are static items, whole:
//! what makes one asks for a [`Declared`], safe code gets that from the macro only, and the macro makes static items
//! only. So what is at the address of one, is that one, and nothing else, on every PE that runs the executable, from
//! its start to its end: none lies in what the program fills while it runs (a `OnceLock`, a `Mutex`, an enum), on one
//! PE earlier than on another, or with something else.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;

use crate::api::phase::Remote;
use crate::api::team::Team;
use crate::engine::Engine;
use crate::node::static_data::StaticPlace;
use crate::types::elem::{Elem, check_layout};
use crate::types::thread_level::Level;

/// A static variable that every PE can reach on every PE that runs the same executable. It is shared all
/// the time: there is no local phase and no reference to it, only [`on`](Self::on).
///
/// [`sym_static!`](macro@crate::sym_static) declares one. It is the static itself, there from the start, not something that
/// is made while the program runs: there is no other way for safe code to have one.
#[repr(transparent)]
pub struct SymStatic<T: Elem>(UnsafeCell<T>);

// SAFETY: SYMSTATIC-Z1: all access is by relaxed atomics and opaque copies; `T: Elem` is plain data.
unsafe impl<T: Elem> Sync for SymStatic<T> {}

/// What the macro shows to those that make a static (SYMSTATIC-Z2).
#[doc(hidden)]
pub struct Declared(());

impl Declared {
    /// # Safety
    /// It is used once, in the value of a static item whose type is what is made with it.
    #[doc(hidden)]
    pub const unsafe fn by_the_macro() -> Declared {
        Declared(())
    }
}

/// Declares static variables that every PE can reach on every PE: [`SymStatic`]s,
/// [`StaticSignal`](crate::StaticSignal)s and [`StaticLock`](crate::StaticLock)s. The types need not be imported.
///
/// ```no_run
/// use shmem_api::Cmp;
///
/// shmem_api::sym_static! {
///     /// With a value to begin with, the same on each PE.
///     static HITS: SymStatic<u64> = 0;
///     pub static LIMITS: SymStatic<[f32; 2]> = [-1.0, 1.0];
///     /// 0 to begin with.
///     static READY: StaticSignal;
///     /// Which nobody holds.
///     static ONE_AT_A_TIME: StaticLock;
/// }
///
/// # fn main() -> Result<(), shmem_api::Error> {
/// let world = shmem_api::World::init()?;
/// HITS.on(&world).add(0, 0, 1);
/// let _turn = ONE_AT_A_TIME.lock(&world);
/// READY.on(&world).add(0, 1);
/// if world.pe() == 0 {
///     READY.on(&world).wait_until(Cmp::Ge, world.n_pes() as u64);
/// }
/// # Ok(()) }
/// ```
///
/// A program that forbids unsafe code can declare them, too. Of attributes there may be documentation, then `cfg`, then
/// `allow`: others could make something else of the item.
#[macro_export]
macro_rules! sym_static {
    () => {};
    ($(#[doc = $doc:expr])* $(#[cfg $cfg:tt])* $(#[allow $allow:tt])* $vis:vis static $name:ident: SymStatic<$t:ty> = $value:expr; $($rest:tt)*) => {
        $(#[doc = $doc])*
        $(#[cfg $cfg])*
        $(#[allow $allow])*
        $vis static $name: $crate::SymStatic<$t> =
            // SAFETY: the value of a static item, of that type.
            $crate::SymStatic::declared($value, unsafe { $crate::Declared::by_the_macro() });
        $crate::sym_static! { $($rest)* }
    };
    ($(#[doc = $doc:expr])* $(#[cfg $cfg:tt])* $(#[allow $allow:tt])* $vis:vis static $name:ident: StaticSignal; $($rest:tt)*) => {
        $(#[doc = $doc])*
        $(#[cfg $cfg])*
        $(#[allow $allow])*
        $vis static $name: $crate::StaticSignal =
            // SAFETY: the value of a static item, of that type.
            $crate::StaticSignal::declared(unsafe { $crate::Declared::by_the_macro() });
        $crate::sym_static! { $($rest)* }
    };
    ($(#[doc = $doc:expr])* $(#[cfg $cfg:tt])* $(#[allow $allow:tt])* $vis:vis static $name:ident: StaticLock; $($rest:tt)*) => {
        $(#[doc = $doc])*
        $(#[cfg $cfg])*
        $(#[allow $allow])*
        $vis static $name: $crate::StaticLock =
            // SAFETY: the value of a static item, of that type.
            $crate::StaticLock::declared(unsafe { $crate::Declared::by_the_macro() });
        $crate::sym_static! { $($rest)* }
    };
}

impl<T: Elem> SymStatic<T> {
    /// A static with this value, on each PE.
    #[doc(hidden)]
    pub const fn declared(value: T, _: Declared) -> SymStatic<T> {
        const { check_layout::<T>() };
        SymStatic(UnsafeCell::new(value))
    }

    /// The handle of this static, an object of one element, for the PEs of `team` (a [`World`](crate::World)
    /// is one). Local; no phase is needed.
    ///
    /// # Panics
    /// If this is no static of the executable (but of a shared library), if static data could not be made symmetric at
    /// init, or if some PE of the team runs another executable.
    pub fn on<'w, L: Level>(&'static self, team: &'w Team<'_, L>) -> Remote<'w, T, L> {
        let (engine, members): (&Engine, _) = (&team.engine, team.members());
        let address = self.0.get().expose_provenance();
        let found = match engine.statics.find(address, size_of::<T>()) {
            Ok(found) => found,
            Err(why) => panic!("PE {}: SymStatic::on: {why}", engine.me),
        };
        if let Some(pe) = members.iter().find(|pe| matches!(found.place(*pe), StaticPlace::Absent)) {
            let why = engine.statics.why_absent(pe);
            panic!("PE {}: SymStatic::on: PE {pe} {why} and has no such static", engine.me);
        }
        Remote::of_static(engine, members, found)
    }
}
