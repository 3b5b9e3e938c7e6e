//! A PE at process exit that finalizes there: what it says, and how long it waits for the others (see
//! `startup::process_exit`).

use crate::process::private::{AtomicI32, AtomicU32, Ordering};
use std::time::Duration;

use memheap::PeId;

use crate::exit::end::end_job;
use crate::node::Node;
use crate::process::say::say;
use crate::process::status::LEFT;

/// How long a PE that left in error waits for the others.
const LIMIT: Duration = Duration::from_secs(1);

/// The status this process exits with, where the C library tells.
static STATUS: AtomicI32 = AtomicI32::new(0);
/// Inits that should have had a finalize.
static FORGOTTEN: AtomicU32 = AtomicU32::new(0);

/// This process exits with that status, and so many finalizes were left out.
pub(crate) fn begin(status: i32, forgotten: u32) {
    STATUS.store(status, Ordering::Relaxed);
    FORGOTTEN.store(forgotten, Ordering::Relaxed);
}

/// Says that the program left a finalize out, once for the job, however many PEs did.
pub(crate) fn warn_once(node: &Node) {
    let forgotten = FORGOTTEN.load(Ordering::Relaxed);
    if forgotten > 0 && node.control_of(PeId(0)).life().field(|l| &l.warned).swap(1, Ordering::Relaxed) == 0 {
        let me = node.me;
        let inits = format!("init calls without it: {forgotten}");
        say(&format!("PE {me}: warning: left without shmem_finalize; finalizing at exit ({inits})"));
    }
}

/// For the wait of a finalize at exit, once it has lasted for a while: the warning, and then the end (see above).
pub(crate) fn still_alone(node: &Node, waited: Duration) {
    warn_once(node);
    let status = STATUS.load(Ordering::Relaxed);
    let left_out = FORGOTTEN.load(Ordering::Relaxed) > 0;
    if waited < LIMIT || (status == 0 && !left_out) {
        return;
    }
    let what = if left_out { " without shmem_finalize" } else { "" };
    let line = format!(
        "PE {}: left{what} with status {status}, and not all PEs have followed within {} s; ending the job",
        node.me,
        LIMIT.as_secs_f64()
    );
    end_job(node, if status == 0 { LEFT } else { status }, &line)
}
