//! Boot: who am I, who else is there, and a way to exchange a few bytes before memory is shared.
//!
//! ```text
//!   mpirun -n N ./program            SHMEM_LOCAL_PES=N ./program
//!        │ MPI_Init                        │ supervisor re-executes it N times
//!        ▼                                 ▼
//!   boot::mpi ──────────► trait Boot ◄──── boot::local
//!                     exchange(bytes) -> everybody's bytes
//! ```
//!
//! A process boots once; a later start of the library uses the same boot again. Boot carries no put
//! and no barrier: once the segments are mapped, PEs of one host meet in shared memory.

pub(crate) mod files;
pub(crate) mod launched;
pub(crate) mod local;
#[cfg(feature = "mpi")]
pub(crate) mod mpi;
pub(crate) mod protocol;
pub(crate) mod step;
pub(crate) mod text;

use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(not(feature = "mpi"))]
use memheap::settings;

#[cfg(not(feature = "mpi"))]
use crate::boot::launched::launched_by;
use crate::boot::protocol::Boot;
use crate::error::Error;

/// The boot of this process, once it has one.
static BOOT: Mutex<Option<Box<dyn Boot>>> = Mutex::new(None);

/// Joins the job, or finds it joined already.
pub(crate) fn join() -> Result<Joined, Error> {
    let mut boot = lock();
    if boot.is_none() {
        *boot = Some(choose()?);
    }
    Ok(Joined(boot))
}

/// Whether this process has joined a job.
pub(crate) fn is_joined() -> bool {
    lock().is_some()
}

/// Leaves the job, if one was joined. Called at process exit.
pub(crate) fn leave() -> Result<(), Error> {
    let boot = lock().take();
    boot.map_or(Ok(()), Boot::leave)
}

/// Ends all PEs such that the launcher exits with `status`, if there is a way to.
pub(crate) fn end_all(status: u8) {
    if let Ok(mut boot) = BOOT.try_lock()
        && let Some(boot) = boot.as_deref_mut()
    {
        boot.end_all(status);
    }
}

/// The joined job, held for the length of one start-up.
pub(crate) struct Joined(MutexGuard<'static, Option<Box<dyn Boot>>>);

impl Joined {
    pub(crate) fn get(&mut self) -> &mut dyn Boot {
        self.0.as_deref_mut().expect("`join` puts one in")
    }
}

fn lock() -> MutexGuard<'static, Option<Box<dyn Boot>>> {
    BOOT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn choose() -> Result<Box<dyn Boot>, Error> {
    if let Some(local) = local::LocalBoot::from_supervisor() {
        return Ok(Box::new(local));
    }
    #[cfg(feature = "mpi")]
    return Ok(Box::new(mpi::MpiBoot::join()?));
    #[cfg(not(feature = "mpi"))]
    match launched_by() {
        Some((launcher, n)) if n > 1 => Err(Error::Boot(format!(
            "started as one of {n} by {launcher}, but this program was built without MPI; build it with the `mpi` \
             feature, or start it without {launcher} and with {}={n}",
            settings::LOCAL_PES.name
        ))),
        _ => Ok(Box::new(local::LocalBoot::alone())),
    }
}
