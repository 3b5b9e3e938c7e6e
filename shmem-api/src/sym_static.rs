//! Symmetric objects that are there from the start: statics of the executable.
//!
//! ```text
//!   static HITS: SymStatic<u64> = SymStatic::new(0);
//!   HITS.on(&world).add(pe, 0, 1);       // no phase: a static is always shared
//! ```
//!
//! Invariants: **Z1** no reference to the value of a `SymStatic` ever exists; it is accessed only through a
//! [`Remote`], as shared memory is. **Z2** what is at the address of a `SymStatic` that is a static is one on every PE
//! that runs the executable, from its start on: it cannot lie in what the program fills while it runs (a `OnceLock`,
//! a `LazyLock`, a `Mutex`), on one PE earlier than on another, or with something else; for it is not `Send`, which
//! those ask of what they hold.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::marker::PhantomData;

use crate::elem::{Elem, check_layout};
use crate::engine::Engine;
use crate::level::Level;
use crate::share::Remote;
use crate::team::Team;

/// A static variable that every PE can reach on every PE that runs the same executable. It is shared all
/// the time: there is no local phase and no reference to it, only [`on`](Self::on).
///
/// It is the static itself, there from the start, not something that is made while the program runs:
///
/// ```compile_fail,E0277
/// static MADE_LATER: std::sync::OnceLock<shmem_api::SymStatic<u64>> = std::sync::OnceLock::new();
/// ```
#[repr(transparent)]
pub struct SymStatic<T: Elem> {
    value: UnsafeCell<T>,
    /// Z2.
    not_send: PhantomData<*const ()>,
}

// SAFETY: Z1: all access is by relaxed atomics and opaque copies; `T: Elem` is plain data.
unsafe impl<T: Elem> Sync for SymStatic<T> {}

impl<T: Elem> SymStatic<T> {
    /// A static with this value, on each PE.
    pub const fn new(value: T) -> SymStatic<T> {
        const { check_layout::<T>() };
        SymStatic { value: UnsafeCell::new(value), not_send: PhantomData }
    }

    /// The handle of this static, an object of one element, for the PEs of `team` (a [`World`](crate::World)
    /// is one). Local; no phase is needed.
    ///
    /// # Panics
    /// If this value is no static of the executable (but of a shared library, or a local variable), if
    /// static data could not be made symmetric at init, or if some PE of the team runs another executable.
    pub fn on<'w, L: Level>(&'static self, team: &'w Team<'_, L>) -> Remote<'w, T, L> {
        let (engine, members): (&Engine, _) = (&team.engine, team.members());
        let address = self.value.get().expose_provenance();
        let found = match engine.statics.find(address, size_of::<T>()) {
            Ok(found) => found,
            Err(why) => panic!("PE {}: SymStatic::on: {why}", engine.me),
        };
        if let Some(pe) = members.iter().find(|pe| found.place(*pe).is_none()) {
            let why = engine.statics.why_absent(pe);
            panic!("PE {}: SymStatic::on: PE {pe} {why} and has no such static", engine.me);
        }
        Remote::of_static(engine, members, found)
    }
}
