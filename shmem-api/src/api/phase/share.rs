//! Entering a phase and leaving it, and what can be done in it that concerns no single object.

use crate::api::phase::key::PhaseKey;
use crate::api::phase::shareable::Shareable;
use crate::api::team::Team;
use crate::engine::{Engine, Handle};
use crate::error::Diverged;
use crate::exit::end::after_panic;
use crate::exit::end::end_job;
use crate::node::signature::{Kind, MAX_OBJECTS, Signature};
use crate::process::child;
use crate::process::status::DIVERGED;
use crate::transport::{self, Stream};
use crate::types::thread_level::Level;

/// A shared phase. What is done in it concerns the objects it was entered with.
pub struct Phase<'s, L: Level> {
    team: &'s Team<'s, L>,
}

impl<L: Level> Team<'_, L> {
    /// Collective over the team: opens `objects` to its PEs for the length of `body`. A barrier before, quiet and a
    /// barrier after. In the phase PEs have the team's numbers; PEs outside the team keep their parts of the
    /// objects local, and cannot be reached.
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
        const { assert!(O::OBJECTS <= MAX_OBJECTS, "a phase shares at most eight objects") };
        let engine = self.engine;
        let mut signature = Signature::new(Kind::Enter);
        objects.describe(&mut signature);
        let key = PhaseKey::enter(self, &engine, &signature)?;
        let unwinding = EndsTheJob(engine);
        let result = body(&Phase { team: self }, objects.remote(&key));
        engine.quiet();
        if let Err(diverged) = self.meet(signature.of_exit()) {
            end_job(&engine, DIVERGED, &format!("{diverged}; ending the job"));
        }
        std::mem::forget(unwinding);
        drop(objects);
        Ok(result)
    }
}

/// PHASE-S5.
struct EndsTheJob(Handle);

impl Drop for EndsTheJob {
    fn drop(&mut self) {
        if child::is_child() {
            return;
        }
        after_panic(&self.0, "panicked while objects were shared");
    }
}

impl<L: Level> Phase<'_, L> {
    pub(super) fn engine(&self) -> &Engine {
        &self.team.engine
    }

    /// This PE's number in the team.
    pub fn pe(&self) -> usize {
        self.team.pe()
    }

    /// How many PEs the team has.
    pub fn n_pes(&self) -> usize {
        self.team.n_pes()
    }

    /// Collective over the team: everything every PE has put is visible to all, and all have arrived
    /// (`shmem_barrier_all`).
    ///
    /// # Panics
    /// On every PE, if another is at some other collective call.
    pub fn barrier(&self) {
        self.team.barrier();
    }

    /// Everything this PE has put, and its atomics and signals, on whatever context, are complete and visible
    /// to every PE (`shmem_quiet`).
    pub fn quiet(&self) {
        self.engine().quiet();
    }

    /// What this PE puts to a PE after the fence, and its atomics and signals there, arrive after what
    /// came before it (`shmem_fence`). Says nothing of two different PEs.
    pub fn fence(&self) {
        transport::fence(Stream::ALL);
    }
}
