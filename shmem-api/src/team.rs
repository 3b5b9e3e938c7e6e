//! Teams: the PEs a collective call concerns. So far there is one, the world.

use std::marker::PhantomData;

use crate::coll::slip::{Kind, Slip};
use crate::engine::Handle;
use crate::error::Diverged;
use crate::level::Level;
use crate::members::Members;

/// A set of PEs that call collectives together. A [`World`](crate::World) derefs to its world team.
pub struct Team<'w, L: Level> {
    pub(crate) engine: Handle,
    borrowed: PhantomData<(&'w (), L)>,
}

impl<L: Level> Team<'_, L> {
    pub(crate) fn world(engine: Handle) -> Self {
        Team { engine, borrowed: PhantomData }
    }

    /// Its PEs.
    pub(crate) fn members(&self) -> Members {
        Members::world(self.engine.n_pes)
    }

    /// Collective over the team: shows `slip` to its PEs and compares it with theirs.
    pub(crate) fn meet(&self, slip: Slip) -> Result<(), Diverged> {
        self.engine.meet(slip)
    }

    /// This PE's number in the team, `0..n_pes` (OpenSHMEM 1.6, `shmem_my_pe`).
    pub fn pe(&self) -> usize {
        self.engine.me.0 as usize
    }

    /// How many PEs the team has (OpenSHMEM 1.6, `shmem_n_pes`).
    pub fn n_pes(&self) -> usize {
        self.engine.n_pes as usize
    }

    /// Collective: returns when every PE of the team has called it, and all their puts are visible
    /// (OpenSHMEM 1.6, `shmem_barrier_all`).
    ///
    /// # Panics
    /// On every PE, if another is at some other collective call.
    pub fn barrier(&self) {
        if let Err(diverged) = self.try_barrier() {
            panic!("{diverged}");
        }
    }

    /// As [`barrier`](Self::barrier), but a difference is an error on every PE.
    pub fn try_barrier(&self) -> Result<(), Diverged> {
        self.engine.quiet();
        self.meet(Slip::new(Kind::Barrier))
    }
}
