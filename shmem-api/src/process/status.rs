//! The statuses with which a process of a job ends, and the way it does.

use crate::process::system::exit_now;

/// Of a job that ended because PEs called different things.
pub(crate) const DIVERGED: i32 = 70;
/// Of a job one of whose PEs left without finalizing.
pub(crate) const LEFT: i32 = 71;
/// Of a job one of whose PEs died.
pub(crate) const DIED: i32 = 72;
/// Of a job whose heap somebody wrote into where nobody must.
pub(crate) const CORRUPTED: i32 = 73;
/// Of a job one of whose PEs panicked.
pub(crate) const PANICKED: i32 = 101;

/// Exits without the exit handlers: MPI's would wait for PEs that are not coming.
pub(crate) fn leave_now(status: i32) -> ! {
    exit_now(status)
}
