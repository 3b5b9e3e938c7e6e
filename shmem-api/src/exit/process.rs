//! Process exit: what is left of the library is taken down, or the job ends.
//!
//! ```text
//!   return from main, exit() ──► at_exit ──► a child of fork?          nothing of ours
//!                                   ├──────► a World alive?            the job ends with a line
//!                                   ├──────► inits without finalize?   finalize here, one warning for the job
//!                                   ├──────► start_pes, leaked World?  finalize here
//!                                   └──────► leave the launcher (MPI_Finalize)
//! ```
//!
//! Finalizing here is a rendezvous like any other: if the others are at something else, all find out. What
//! nobody can know is whether a PE that computes will ever come; so this waits, and warns after a second. Where
//! the others wait, too, and for this PE, that is found out (`deadlock`).
#![allow(unsafe_code)]

use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::{LEFT, SPEAK_FIRST, child, end_job, ended, leave_now, say};
use crate::boot;
use crate::engine::Engine;
use crate::holders::{self, Holders};
use crate::level::{self, ThreadLevel};

/// Asks to be called at process exit, once per process, after the launcher's own library asked.
pub(crate) fn watch_process_exit() {
    static ONCE: Once = Once::new();
    // SAFETY: the handler is a plain function and stays in memory as long as the process.
    ONCE.call_once(|| match unsafe { libc::atexit(at_exit) } {
        0 => {}
        _ => say("shmem: no exit handler could be installed; MPI will not be finalized"),
    });
}

extern "C" fn at_exit() {
    // Neither the library nor the launcher knows of it.
    if child::is_child() {
        return;
    }
    // The job has been ended: by a global exit on this PE, where `MPI_Abort` may come this way, or elsewhere.
    if let Some(status) = Engine::current().and_then(|engine| ended(&engine)) {
        leave_now(status);
    }
    let frozen = holders::freeze(SPEAK_FIRST);
    if let Some(engine) = Engine::current() {
        let Some(frozen) = &frozen else {
            let what = "left while another of its threads was in an init or a finalize";
            end_job(&engine, LEFT, &format!("PE {}: {what}; ending the job", engine.me));
        };
        match objection(&engine, &frozen.now()) {
            Some(why) => end_job(&engine, LEFT, &format!("PE {}: {why}; ending the job", engine.me)),
            None => finalize(&engine),
        }
        frozen.exited();
    }
    if let Err(e) = boot::leave() {
        say(&e.to_string());
        leave_now(LEFT);
    }
}

/// Why the library cannot be taken down in good order here, if it cannot.
fn objection(engine: &Engine, holders: &Holders) -> Option<&'static str> {
    let thread = rustix::thread::gettid();
    let main = thread == rustix::process::getpid() && level::in_force() >= ThreadLevel::Serialized;
    if engine.diverged.load(Ordering::Relaxed) {
        return Some("left after the PEs diverged");
    }
    if !holders.may_exit() {
        return Some("left without finalizing (its World is still alive)");
    }
    if thread != engine.thread && !main {
        return Some("left without finalizing, by a thread that is not the one of init");
    }
    (engine.heap.is_in_use() || engine.teams.in_use()).then_some("left in the middle of a collective call")
}

/// The engine whose memory stays at exit, in reach of whoever looks for leaks; nobody else reads it.
#[used]
static KEPT: AtomicPtr<Engine> = AtomicPtr::new(std::ptr::null_mut());

/// The finalize the program left out. The memory stays: other threads may still be looking at it.
fn finalize(engine: &Engine) {
    engine.desk().life.exiting.store(1, Ordering::Release);
    if let Err(e) = engine.last_meeting() {
        end_job(engine, LEFT, &format!("{e}; ending the job"));
    }
    warn_once(engine);
    KEPT.store(std::ptr::from_ref(engine).cast_mut(), Ordering::Relaxed);
    engine.withdraw();
}

/// Says that the program left a finalize out, once for the job, however many PEs did.
pub(super) fn warn_once(engine: &Engine) {
    let forgotten = holders::now().forgotten();
    if forgotten > 0 && engine.desks[0].life.warned.swap(1, Ordering::Relaxed) == 0 {
        let me = engine.me;
        let inits = format!("init calls without it: {forgotten}");
        say(&format!("PE {me}: warning: left without shmem_finalize; finalizing at exit ({inits})"));
    }
}
