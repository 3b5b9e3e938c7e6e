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
pub(crate) mod local;
#[cfg(feature = "mpi")]
pub(crate) mod mpi;
pub(crate) mod step;

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use memheap::PeId;
use memheap::settings::{self, Settings};

use crate::error::Error;
use crate::types::thread_level::ThreadLevel;

/// A job that this process has joined.
pub(crate) trait Boot: Send {
    /// This PE's number.
    fn pe(&self) -> PeId;

    /// How many PEs there are.
    fn n_pes(&self) -> u32;

    /// The thread level this process may use.
    fn level(&self) -> ThreadLevel;

    /// Collective: gives `mine` and gets everybody's, in PE order.
    fn exchange(&mut self, mine: &Frame) -> Result<Vec<Frame>, Error>;

    /// Collective: gives the others `mine`, if there is one, and hands each of theirs to `take`, by PE. It may fail on one
    /// PE only; a step that follows tells the others.
    fn pass_files(
        &mut self,
        mine: Option<BorrowedFd<'_>>,
        take: &mut dyn FnMut(usize, OwnedFd),
    ) -> std::io::Result<()>;

    /// Ends all PEs such that the launcher exits with `status`, if there is a way to. (A process that just leaves with
    /// a status other than 0 ends them all, too, but then a launcher may report that of one it has killed.) Any
    /// thread may call it. It returns if there is none.
    fn end_all(&mut self, status: u8);

    /// Called once, at process exit, when the library is down: leaves the job in good order. An error if
    /// other PEs are at a start meanwhile.
    fn leave(self: Box<Self>) -> Result<(), Error>;
}

/// What a PE sends in one exchange: always as long, so that PEs at different steps still understand each
/// other. The first byte says what it is.
pub(crate) type Frame = [u8; FRAME];

/// Bytes of a frame.
pub(crate) const FRAME: usize = 1024;

/// First byte of a frame: this PE is well.
pub(crate) const WELL: u8 = 0;
/// First byte of a frame: this PE has failed; a text follows.
pub(crate) const FAILED: u8 = 1;
/// First byte of a frame: this PE is at process exit.
#[cfg(feature = "mpi")]
pub(crate) const LEAVES: u8 = 2;
/// First byte of a frame: this PE ends the job, with the status in the second.
pub(crate) const ENDS: u8 = 3;
/// First byte of a frame: this PE is passing files; the second is 1 if it has one.
pub(crate) const FILES: u8 = 4;

/// After everybody's frames: which other PEs pass a file.
pub(super) fn who_passes(all: &[Frame], me: PeId) -> std::io::Result<Vec<usize>> {
    match all.iter().position(|frame| frame[0] != FILES) {
        Some(pe) if all[pe][0] == FAILED => {
            let text = String::from_utf8_lossy(&all[pe][1..]);
            Err(std::io::Error::other(format!("PE {pe}: {}", text.trim_end_matches('\0'))))
        }
        Some(pe) => Err(std::io::Error::other(format!("PE {pe} is at something else"))),
        None => Ok((0..all.len()).filter(|&pe| pe != me.0 as usize && all[pe][1] == 1).collect()),
    }
}

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

/// The launcher this process was started by, as far as its environment tells, and the number of PEs.
pub(crate) fn launched_by() -> Option<(&'static str, u32)> {
    const MARKS: [(&str, &str); 3] =
        [("OMPI_COMM_WORLD_SIZE", "mpirun"), ("PMI_SIZE", "mpiexec"), ("SLURM_STEP_NUM_TASKS", "srun")];
    MARKS.iter().find_map(|(var, by)| Some((*by, std::env::var(var).ok()?.parse().ok()?)))
}

/// The setting that asks for a local start, if it is one.
pub(crate) fn local_pes() -> Option<u32> {
    let value = std::env::var(settings::LOCAL_PES.name).ok()?;
    // What is wrong with a wrong one, init says.
    let settings = Settings::from_pairs([(settings::LOCAL_PES.name, value)]).ok()?;
    u32::try_from(settings.count(&settings::LOCAL_PES)?).ok()
}
