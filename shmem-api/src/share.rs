//! The *shared* phase: a closure between two rendezvous in which objects are open to every PE.
//!
//! ```text
//!   local ──Enter (all PEs show the same objects)──► shared ──quiet, Exit──► local again
//!   &mut [T]                                         put, get, atomics, waits; no reference into it
//! ```
//!
//! A Rust reference and a remote write never meet: while an object is shared it is mutably borrowed by
//! [`Team::share`], so no slice of it can exist, and the handles of the phase ([`Remote`]) cannot leave
//! the closure. The two rendezvous compare, on all PEs, which objects are shared and how.
//!
//! Invariants (rules of the Rust API): **S3** a failed Enter runs no closure on any PE; a difference
//! while some PE is at Exit ends the job, for others still hold handles. **S4** Exit comes after
//! everything this PE issued is complete. **S5** unwinding out of the closure ends the job. **P1** a
//! `Remote` exists only inside a phase that all PEs entered with the same object, so its range lies
//! inside that object on every PE of the peer table it carries.

mod remote;

use std::cell::Cell;
use std::marker::PhantomData;

pub use remote::{Cmp, Remote, RemoteRead};

use crate::coll::slip::{Kind, Mode, Slip};
use crate::elem::Elem;
use crate::engine::{Engine, Handle};
use crate::error::Diverged;
use crate::exit;
use crate::level::Level;
use crate::sym::{SymBox, SymPart, SymSlice};
use crate::team::Team;

/// A shared phase. What is done in it concerns the objects it was entered with.
pub struct Phase<'s, L: Level> {
    engine: &'s Engine,
    level: PhantomData<L>,
}

/// What proves to a [`Shareable`] that the phase has been entered.
pub struct PhaseKey<'s> {
    engine: &'s Engine,
}

/// Non-blocking operations that borrow their buffers until the batch ends. See [`Phase::batch`].
pub struct Batch<'b, 'env: 'b> {
    scope: PhantomData<Cell<&'b ()>>,
    env: PhantomData<Cell<&'env ()>>,
}

mod sealed {
    pub trait Sealed {}
}

/// What [`Team::share`] takes: `&mut` or `&` of a [`SymSlice`], [`SymBox`] or [`SymPart`], and tuples of
/// up to eight of them. Shared by `&`, an object can only be read, by others and locally alike.
pub trait Shareable: sealed::Sealed {
    /// What the closure gets.
    type Remote<'s, L: Level>;
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "sealed: nobody else can call or implement it")]
    fn describe(&self, slip: &mut Slip);
    #[doc(hidden)]
    fn remote<'s, L: Level>(&self, key: &PhaseKey<'s>) -> Self::Remote<'s, L>;
}

impl<L: Level> Team<'_, L> {
    /// Collective: opens `objects` to every PE for the length of `body`. A barrier before, quiet and a
    /// barrier after.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), shmem_api::Error> {
    /// let world = shmem_api::World::init()?;
    /// let mut a = world.alloc::<u64>(1)?;
    /// let next = (world.pe() + 1) % world.n_pes();
    /// world.share(&mut a, |_, a| a.put_one(next, 0, world.pe() as u64));
    /// println!("my left neighbour is {}", a[0]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// On every PE, if the PEs share different things; nothing has been shared then. A panic that
    /// leaves `body` ends the job.
    pub fn share<O: Shareable, R>(
        &self,
        objects: O,
        body: impl for<'s> FnOnce(&'s Phase<'s, L>, O::Remote<'s, L>) -> R,
    ) -> R {
        match self.try_share(objects, body) {
            Ok(result) => result,
            Err(diverged) => panic!("{diverged}"),
        }
    }

    /// As [`share`](Self::share), but a difference is an error on every PE, and `body` has not run.
    pub fn try_share<O: Shareable, R>(
        &self,
        objects: O,
        body: impl for<'s> FnOnce(&'s Phase<'s, L>, O::Remote<'s, L>) -> R,
    ) -> Result<R, Diverged> {
        let engine = self.engine;
        let mut slip = Slip::new(Kind::Enter);
        objects.describe(&mut slip);
        engine.meet(slip)?;
        let unwinding = EndsTheJob(engine);
        let phase = Phase { engine: &engine, level: PhantomData };
        let result = body(&phase, objects.remote(&PhaseKey { engine: &engine }));
        engine.quiet();
        if let Err(diverged) = engine.meet(slip.of_exit()) {
            exit::end_job(&engine, exit::DIVERGED, &format!("{diverged}; ending the job"));
        }
        std::mem::forget(unwinding);
        drop(objects);
        Ok(result)
    }
}

/// S5.
struct EndsTheJob(Handle);

impl Drop for EndsTheJob {
    fn drop(&mut self) {
        exit::after_panic(&self.0, "panicked while objects were shared");
    }
}

impl<'s, L: Level> Phase<'s, L> {
    /// This PE's number in the team.
    pub fn pe(&self) -> usize {
        self.engine.me.0 as usize
    }

    /// How many PEs the team has.
    pub fn n_pes(&self) -> usize {
        self.engine.n_pes as usize
    }

    /// Collective: everything every PE has put is visible to all, and all have arrived (OpenSHMEM 1.6,
    /// `shmem_barrier_all`).
    ///
    /// # Panics
    /// On every PE, if another is at some other collective call.
    pub fn barrier(&self) {
        self.engine.quiet();
        if let Err(diverged) = self.engine.meet(Slip::new(Kind::Barrier)) {
            panic!("{diverged}");
        }
    }

    /// Everything this PE has put, and its atomics, are complete and visible to every PE.
    pub fn quiet(&self) {
        self.engine.quiet();
    }

    /// What this PE puts to a PE after the fence arrives there after what it put before it.
    pub fn fence(&self) {
        crate::order::store_fence();
    }

    /// Runs `body` with a [`Batch`] whose operations may still be under way when they return; at the
    /// end of the batch all of them are complete.
    pub fn batch<'env, R>(&'env self, body: impl for<'b> FnOnce(&'b Batch<'b, 'env>) -> R) -> R {
        let _drained = Drained(self.engine);
        body(&Batch { scope: PhantomData, env: PhantomData })
    }
}

/// Completes a batch, also when it is left by unwinding.
struct Drained<'e>(&'e Engine);

impl Drop for Drained<'_> {
    fn drop(&mut self) {
        self.0.quiet();
    }
}

impl<'b> Batch<'b, '_> {
    /// Starts copying `src` to `to` at element `at` on `pe`; `src` is in use until the batch ends.
    ///
    /// # Panics
    /// As [`Remote::put`].
    pub fn put<T: Elem, L: Level>(&'b self, to: Remote<'_, T, L>, pe: usize, at: usize, src: &'b [T]) {
        to.put(pe, at, src);
    }

    /// Starts copying from element `at` of `of` on `pe` into `dst`, which is in use until the batch ends.
    ///
    /// # Panics
    /// As [`Remote::get`].
    pub fn get<T: Elem, L: Level>(&'b self, of: Remote<'_, T, L>, pe: usize, at: usize, dst: &'b mut [T]) {
        of.get(pe, at, dst);
    }
}

macro_rules! shareable {
    ($($name:ident . $part:tt),*) => {$(
        impl<T: Elem> sealed::Sealed for &mut $name<'_, T> {}
        impl<T: Elem> sealed::Sealed for &$name<'_, T> {}

        #[allow(private_interfaces, reason = "sealed: nobody else can call or implement it")]
        impl<T: Elem> Shareable for &mut $name<'_, T> {
            type Remote<'s, L: Level> = Remote<'s, T, L>;
            fn describe(&self, slip: &mut Slip) {
                let object = shareable!(@object self, $part);
                slip.object(object.at, object.bytes(), size_of::<T>(), Mode::ReadWrite);
            }
            fn remote<'s, L: Level>(&self, key: &PhaseKey<'s>) -> Remote<'s, T, L> {
                let object = shareable!(@object self, $part);
                Remote::new(key.engine, object.at, object.len)
            }
        }

        #[allow(private_interfaces, reason = "sealed: nobody else can call or implement it")]
        impl<T: Elem> Shareable for &$name<'_, T> {
            type Remote<'s, L: Level> = RemoteRead<'s, T, L>;
            fn describe(&self, slip: &mut Slip) {
                let object = shareable!(@object self, $part);
                slip.object(object.at, object.bytes(), size_of::<T>(), Mode::ReadOnly);
            }
            fn remote<'s, L: Level>(&self, key: &PhaseKey<'s>) -> RemoteRead<'s, T, L> {
                let object = shareable!(@object self, $part);
                RemoteRead::new(Remote::new(key.engine, object.at, object.len))
            }
        }
    )*};
    (@object $self:ident, self) => { &**$self };
    (@object $self:ident, 0) => { &$self.0 };
}

shareable!(SymSlice.self, SymPart.self, SymBox.0);

macro_rules! shareable_tuple {
    ($($name:ident $i:tt),*) => {
        impl<$($name: Shareable),*> sealed::Sealed for ($($name,)*) {}

        #[allow(private_interfaces, reason = "sealed: nobody else can call or implement it")]
        #[allow(clippy::unused_unit, unused_variables, reason = "the empty tuple shares nothing")]
        impl<$($name: Shareable),*> Shareable for ($($name,)*) {
            type Remote<'s, L: Level> = ($($name::Remote<'s, L>,)*);
            fn describe(&self, slip: &mut Slip) {
                $(self.$i.describe(slip);)*
            }
            fn remote<'s, L: Level>(&self, key: &PhaseKey<'s>) -> Self::Remote<'s, L> {
                ($(self.$i.remote(key),)*)
            }
        }
    };
}

shareable_tuple!();
shareable_tuple!(A 0);
shareable_tuple!(A 0, B 1);
shareable_tuple!(A 0, B 1, C 2);
shareable_tuple!(A 0, B 1, C 2, D 3);
shareable_tuple!(A 0, B 1, C 2, D 3, E 4);
shareable_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
shareable_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
shareable_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
