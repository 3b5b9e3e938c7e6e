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

use super::{Boot, FRAME, Frame, LEAVES};
use crate::error::Error;
use crate::level::ThreadLevel;

/// What the MPI that this was built with calls itself, in one line. May be called at any time.
pub fn mpi_version() -> String {
    let text = environment::library_version().unwrap_or_default();
    let line = text.lines().next().unwrap_or_default().trim_end_matches('\0');
    let line = line.split(", package").next().unwrap_or_default();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The job MPI's world communicator spans.
pub(crate) struct MpiBoot {
    /// Present if this library initialised MPI; dropping it finalizes MPI.
    ours: Option<Universe>,
    level: ThreadLevel,
    pe: PeId,
    n_pes: u32,
}

impl MpiBoot {
    /// Initialises MPI, or joins a program that has done so. MPI can be initialised once, so it is asked for the
    /// most that a later init could want.
    pub(crate) fn join() -> Result<MpiBoot, Error> {
        if environment::is_finalized() {
            return Err(Error::Boot("MPI has been finalized already and cannot be started again".into()));
        }
        let ours = environment::initialize_with_threading(Threading::Multiple).map(|(universe, _)| universe);
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

    fn exchange(&mut self, mine: &Frame) -> Result<Vec<Frame>, Error> {
        if environment::is_finalized() {
            return Err(Error::Boot("MPI has been finalized; the library cannot be started again".into()));
        }
        let all = self.gather(mine);
        match all.iter().position(|frame| frame[0] == LEAVES) {
            Some(pe) => {
                Err(Error::Boot(format!("PE {pe} has left the job; PE {} starts the library", self.pe)))
            }
            None => Ok(all),
        }
    }

    /// `MPI_Abort` passes the status on under every MPI. Which threads may call it is the level's affair.
    fn end_all(&mut self, status: u8) {
        let mine =
            self.level >= ThreadLevel::Serialized || rustix::thread::gettid() == rustix::process::getpid();
        if mine && !environment::is_finalized() {
            SimpleCommunicator::world().abort(status.into());
        }
    }

    /// `MPI_Finalize` waits for every PE, so all must be at process exit before any calls it.
    fn leave(self: Box<Self>) -> Result<(), Error> {
        if environment::is_finalized() {
            // The program has done so: dropping it would, once more.
            std::mem::forget(self.ours);
            return Ok(());
        }
        if self.ours.is_none() {
            return Ok(());
        }
        let mut frame = [0; FRAME];
        frame[0] = LEAVES;
        let all = self.gather(&frame);
        if let Some(pe) = all.iter().position(|frame| frame[0] != LEAVES) {
            let why = format!("PE {} leaves the job while PE {pe} starts the library", self.pe);
            // Not dropped: that is `MPI_Finalize`, which would wait for that PE.
            std::mem::forget(self.ours);
            return Err(Error::Boot(why));
        }
        drop(self.ours);
        Ok(())
    }
}

impl MpiBoot {
    fn gather(&self, mine: &Frame) -> Vec<Frame> {
        let mut all = vec![0u8; FRAME * self.n_pes as usize];
        SimpleCommunicator::world().all_gather_into(&mine[..], &mut all[..]);
        all.as_chunks::<FRAME>().0.to_vec()
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
