//! Symmetric objects that are there from the start: statics of the executable.
//!
//! ```text
//!   static HITS: SymStatic<u64> = SymStatic::new(0);
//!   HITS.on(&world).add(pe, 0, 1);       // no phase: a static is always shared
//! ```
//!
//! Invariant **Z1**: no reference to the value of a `SymStatic` ever exists; it is accessed only through a
//! [`Remote`], as shared memory is.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;

use crate::elem::{Elem, check_layout};
use crate::engine::Engine;
use crate::level::Level;
use crate::share::Remote;
use crate::team::Team;

/// A static variable that every PE can reach on every PE that runs the same executable. It is shared all
/// the time: there is no local phase and no reference to it, only [`on`](Self::on).
#[repr(transparent)]
pub struct SymStatic<T: Elem>(UnsafeCell<T>);

// SAFETY: Z1: all access is by relaxed atomics and opaque copies; `T: Elem` is plain data.
unsafe impl<T: Elem> Sync for SymStatic<T> {}

impl<T: Elem> SymStatic<T> {
    /// A static with this value, on each PE.
    pub const fn new(value: T) -> SymStatic<T> {
        const { check_layout::<T>() };
        SymStatic(UnsafeCell::new(value))
    }

    /// The handle of this static, an object of one element, for the PEs of `team` (a [`World`](crate::World)
    /// is one). Local; no phase is needed.
    ///
    /// # Panics
    /// If this value is no static of the executable (but of a shared library, or a local variable), if
    /// static data could not be made symmetric at init, or if some PE of the team runs another executable.
    pub fn on<'w, L: Level>(&'static self, team: &'w Team<'_, L>) -> Remote<'w, T, L> {
        let (engine, members): (&Engine, _) = (&team.engine, team.members());
        let address = self.0.get().expose_provenance();
        let found = match engine.statics.find(address, size_of::<T>()) {
            Ok(found) => found,
            Err(why) => panic!("PE {}: SymStatic::on: {why}", engine.me),
        };
        if let Some(pe) = members.iter().find(|pe| found.place(*pe).is_none()) {
            panic!("PE {}: SymStatic::on: PE {pe} runs another executable and has no such static", engine.me);
        }
        Remote::of_static(engine, members, found)
    }
}
