//! The MPI that this library has to finalize: at process exit, when all PEs are there.
//!
//! It is ours because we initialised it, or because the program did, and finalized it while messages between hosts still went over it:
//! then that is put off.
//!
#![allow(unsafe_code)]

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::abi::{Abi, Functions};
use crate::types::thread_level::ThreadLevel;

/// How long PEs of several hosts, which have met, wait before they call `MPI_Finalize`: MPICH 4.0 hangs there now and then while
/// its connections still carry something (of 2+2 ranks over tcp, in a third of all runs).
const SETTLES: Duration = Duration::from_millis(200);

/// What is done with it, whatever its interface.
trait Owned: Send + Sync {
    fn is_up(&self) -> bool;
    fn abort(&self, status: u8);
    fn finalize(&self);
}

/// Ours to finalize.
static OURS: Mutex<Option<&'static dyn Owned>> = Mutex::new(None);
/// The program's, which messages between hosts go over.
static USED: Mutex<Option<&'static dyn Owned>> = Mutex::new(None);
impl<A: Abi> Functions<A> {
    /// `MPI_Abort`, if MPI is up, and this thread may call it. It passes the status on under every MPI.
    pub(super) fn abort_job(&self, status: u8) {
        let is_main = rustix::thread::gettid() == rustix::process::getpid();
        if self.level().is_some_and(|level| is_main || level >= ThreadLevel::Serialized) {
            // SAFETY: MPI-L2.
            unsafe { (self.abort)(self.world, status.into()) };
        }
    }
}

impl<A: Abi> Owned for Functions<A> {
    fn is_up(&self) -> bool {
        !self.is_finalized()
    }

    fn abort(&self, status: u8) {
        self.abort_job(status);
    }

    fn finalize(&self) {
        // SAFETY: MPI-L2: the last call of MPI, and all PEs are at it.
        unsafe { (self.finalize)() };
    }
}

/// This library has initialised it.
pub(super) fn keep<A: Abi>(functions: Functions<A>) {
    *OURS.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::leak(Box::new(functions)));
}

/// Messages between hosts go over it, whoever initialised it.
pub(crate) fn is_used_between_hosts<A: Abi>(functions: Functions<A>) {
    *USED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::leak(Box::new(functions)));
}

/// The program finalizes its MPI. Whether that is put off until the process exits, since this library still uses it between hosts.
pub fn put_off_mpi_finalize() -> bool {
    let used = now(&USED);
    if used.is_some() {
        *OURS.lock().unwrap_or_else(PoisonError::into_inner) = used;
    }
    used.is_some()
}

/// Not held while MPI is called: that may end the process, and come here again.
fn now(which: &Mutex<Option<&'static dyn Owned>>) -> Option<&'static dyn Owned> {
    *which.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether there is one that is ours to finalize. `MPI_Finalize` waits for every PE, so all must be at process exit before
/// any calls it.
pub(in crate::boot) fn is_ours() -> bool {
    now(&OURS).is_some_and(Owned::is_up)
}

/// Ends all PEs with that status, by an MPI that is ours. Returns if there is none.
pub(in crate::boot) fn abort(status: u8) {
    if let Some(mpi) = now(&OURS) {
        mpi.abort(status);
    }
}

/// Finalizes it, if there is one. Collective, when all PEs have met for this; `several`: they are on several hosts.
pub(crate) fn finalize(several: bool) {
    if let Some(mpi) = now(&OURS).filter(|mpi| mpi.is_up()) {
        if several {
            std::thread::sleep(SETTLES);
        }
        mpi.finalize();
    }
}
