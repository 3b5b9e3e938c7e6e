//! Whether this process is a PE, or a child of one: a child of `fork` is none, and no call of the library goes on in it.
//!
//! What is forked without the fork handlers (`_Fork`, `clone`) is known by its process number where it calls.

use super::private::{AtomicBool, AtomicU32, Ordering};

use crate::error::Error;
use crate::process::say::say_now;
use crate::process::status::{PANICKED, leave_now};

/// The process that joined the job, or is about to; 0 if none has.
static PE: AtomicU32 = AtomicU32::new(0);
/// This is a child of it, by `fork`.
static CHILD: AtomicBool = AtomicBool::new(false);

/// This process is about to join the job; whether it was not before.
pub(crate) fn claim_pe() -> bool {
    PE.compare_exchange(0, std::process::id(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

/// It has not joined, and nothing has changed: its children may.
pub(crate) fn disclaim_pe() {
    PE.store(0, Ordering::Relaxed);
}

/// As long as this process is no child of one that has joined.
///
/// # Errors
/// It is.
pub(crate) fn may_join() -> Result<(), Error> {
    let (me, pe) = (std::process::id(), PE.load(Ordering::Relaxed));
    match pe {
        0 => Ok(()),
        pe if pe == me => Ok(()),
        pe => Err(Error::Boot(format!(
            "process {me} was forked from {pe}, which is a PE or was about to be one; a child is none"
        ))),
    }
}

/// In a new child, by its fork handler: marks it as a child if its parent is a PE. Whether it was not marked before.
pub(crate) fn mark() -> bool {
    PE.load(Ordering::Relaxed) != 0 && !CHILD.swap(true, Ordering::Relaxed)
}

/// Whether this is a child of a process that is a PE.
pub(crate) fn is_child() -> bool {
    let pe = PE.load(Ordering::Relaxed);
    CHILD.load(Ordering::Relaxed) || pe != 0 && pe != std::process::id()
}

/// Whether this is a child by `fork`: no question to the system.
#[inline]
pub(crate) fn is_marked() -> bool {
    CHILD.load(Ordering::Relaxed)
}

/// Ends a child that calls the library.
#[inline]
pub(crate) fn refuse(call: &str) {
    if is_child() {
        end(PANICKED, format_args!("{call} was called"));
    }
}

/// Ends a child in place of the job, if this is one.
pub(crate) fn end_instead(status: i32, line: &str) {
    if is_child() {
        end(status, format_args!("{line}"));
    }
}

/// Ends this child: one line, without an allocation.
pub(crate) fn end(status: i32, why: std::fmt::Arguments<'_>) -> ! {
    let (me, pe) = (std::process::id(), PE.load(Ordering::Relaxed));
    say_now(format_args!(
        "shmem: process {me} was forked from process {pe}, a PE, and is none itself: {why}; ending process {me} only"
    ));
    leave_now(status)
}
