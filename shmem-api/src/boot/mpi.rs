//! Boot through MPI: `mpirun` starts the PEs, MPI tells them apart and exchanges the first bytes.
//!
//! **MPI is ours to start, never ours to end early**: it cannot be initialised twice, so the library's
//! finalize leaves it up, and process exit ends it. Where the program initialised MPI itself, it also
//! ends it.

use ::mpi::Threading;
use ::mpi::environment::{self, Universe};
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::{Communicator, CommunicatorCollectives};
use memheap::PeId;

use super::Boot;
use crate::error::Error;
use crate::level::ThreadLevel;

/// The job MPI's world communicator spans.
pub(crate) struct MpiBoot {
    /// Present if this library initialised MPI; dropping it finalizes MPI.
    ours: Option<Universe>,
    level: ThreadLevel,
    pe: PeId,
    n_pes: u32,
}

impl MpiBoot {
    /// Initialises MPI, or joins a program that has done so.
    pub(crate) fn join(asked: ThreadLevel) -> Result<MpiBoot, Error> {
        if environment::is_finalized() {
            return Err(Error::Boot("MPI has been finalized already and cannot be started again".into()));
        }
        let ours = environment::initialize_with_threading(raw(asked)).map(|(universe, _)| universe);
        let level = level(environment::threading_support());
        let world = SimpleCommunicator::world();
        let (rank, size) = (world.rank(), world.size());
        let number =
            |n: i32| u32::try_from(n).map_err(|_| Error::Boot(format!("MPI says rank {rank} of {size}")));
        Ok(MpiBoot { ours, level, pe: PeId(number(rank)?), n_pes: number(size)? })
    }
}

impl Boot for MpiBoot {
    fn pe(&self) -> PeId {
        self.pe
    }

    fn n_pes(&self) -> u32 {
        self.n_pes
    }

    fn level(&self) -> ThreadLevel {
        self.level
    }

    fn exchange(&mut self, mine: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        let mut all = vec![0u8; mine.len() * self.n_pes as usize];
        SimpleCommunicator::world().all_gather_into(mine, &mut all[..]);
        Ok(all.chunks(mine.len().max(1)).map(<[u8]>::to_vec).collect())
    }

    fn leave(self: Box<Self>) {
        if !environment::is_finalized() {
            drop(self.ours);
        }
    }
}

fn raw(level: ThreadLevel) -> Threading {
    match level {
        ThreadLevel::Single => Threading::Single,
        ThreadLevel::Funneled => Threading::Funneled,
        ThreadLevel::Serialized => Threading::Serialized,
        ThreadLevel::Multiple => Threading::Multiple,
    }
}

fn level(raw: Threading) -> ThreadLevel {
    match raw {
        Threading::Single => ThreadLevel::Single,
        Threading::Funneled => ThreadLevel::Funneled,
        Threading::Serialized => ThreadLevel::Serialized,
        Threading::Multiple => ThreadLevel::Multiple,
    }
}
