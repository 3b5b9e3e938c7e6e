//! Boot: who am I, who else is there, and a way to exchange a few bytes before memory is shared.
//!
//! ```text
//!   mpirun, srun, mpiexec -n N ./program                    SHMEM_LOCAL_PES=N ./program
//!        │ the launcher's PMIx, PMI-1 or MPI (`launcher`)        │ supervisor re-executes it N times
//!        ▼                                                       ▼
//!   boot::star: sockets to PE 0 ──────────► trait Boot ◄──── boot::local: sockets to the supervisor
//!                               exchange(bytes) -> everybody's bytes
//! ```
//!
//! | file | what |
//! |---|---|
//! | `choice` | which way is taken, and why the others are not |
//! | `launcher`, `pmix`, `pmi`, `mpi` | what is asked of a launcher, and three that are asked |
//! | `missing` | PEs that end before they join |
//! | `star`, `local` | the two kinds of job |
//! | `protocol`, `step`, `text`, `secret` | what PEs say to each other |
//! | `sockets`, `files` | sockets and open files between processes of a host |
//! | `host`, `net` | which host a PE is on; the networks between hosts |
//! | `launched`, `loaded` | what the environment says, and which libraries are here |
//!
//! A process boots once; a later start of the library uses the same boot again. Boot carries no put
//! and no barrier: once the segments are mapped, PEs of one host meet in shared memory.

pub(crate) mod choice;
pub(crate) mod files;
pub(crate) mod host;
pub(crate) mod launched;
pub(crate) mod launcher;
pub(crate) mod loaded;
pub(crate) mod local;
pub(crate) mod missing;
pub(crate) mod mpi;
pub(crate) mod net;
pub(crate) mod pmi;
pub(crate) mod pmix;
pub(crate) mod protocol;
pub(crate) mod secret;
mod sockets;
pub(crate) mod star;
pub(crate) mod step;
pub(crate) mod text;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::boot::choice::BootWay;
use crate::boot::mpi::owned;
use crate::boot::protocol::Boot;
use crate::boot::sockets::is_alive;
use crate::error::Error;
use crate::process::private::AtomicU32;

/// The boot of this process, once it has one.
static BOOT: Mutex<Option<Box<dyn Boot>>> = Mutex::new(None);

/// What became of all ways to join, once it has joined.
static WAYS: Mutex<Vec<BootWay>> = Mutex::new(Vec::new());

/// Joins the job, or finds it joined already.
pub(crate) fn join() -> Result<Joined, Error> {
    let mut boot = lock();
    if boot.is_none() {
        let (joined, ways) = choice::join()?;
        *WAYS.lock().unwrap_or_else(PoisonError::into_inner) = ways;
        let left = [0, 1].into_iter().filter(|status| !joined.passes_on(*status));
        LEFT_TO_PES.store(left.map(kind).sum(), Relaxed);
        *boot = Some(joined);
    }
    Ok(Joined(boot))
}

/// One line for each way to join: what became of it.
pub(crate) fn ways() -> Vec<String> {
    WAYS.lock().unwrap_or_else(PoisonError::into_inner).iter().map(BootWay::to_string).collect()
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

/// Whether the launcher, asked for by [`end_all`], ends the job with that status. If not, each PE has to leave with it.
pub(crate) fn passes_on(status: u8) -> bool {
    owned::is_ours() || LEFT_TO_PES.load(Relaxed) & kind(status) == 0
}

/// Which kinds of status the launcher does not pass on. (The boot itself may be in use.)
static LEFT_TO_PES: AtomicU32 = AtomicU32::new(0);

fn kind(status: u8) -> u32 {
    if status == 0 { 1 } else { 2 }
}

/// How long the other PEs of an ended job may take to leave.
const REST: Duration = Duration::from_secs(1);

/// Leaves a job that has ended with a status which the launcher does not pass on, in good order, so that it takes that of this
/// process for what it is; then `end`, which ends the process. Of several threads one does. The PE that ends the job
/// waits for the processes of the `others`; has one of them become another program, the launcher is to end it.
pub(crate) fn leave_with(status: u8, others: &[u32], end: impl FnOnce()) {
    let mut boot = lock();
    let start = Instant::now();
    while others.iter().any(|pid| is_alive(*pid as i32)) {
        if start.elapsed() > REST {
            boot.as_deref_mut().into_iter().for_each(|boot| boot.end_all(status));
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    if let Some(boot) = boot.take() {
        // Whatever is wrong with it, the job has ended.
        let _ = boot.leave();
    }
    end();
}

/// Ends all PEs such that the launcher exits with `status`, if there is a way to.
pub(crate) fn end_all(status: u8) {
    owned::abort(status);
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
