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
//! Finalizing here is a rendezvous like any other: if the others are at something else, all find out. Where the
//! others wait, too, and for this PE, that is found out (`deadlock`). What nobody can know is whether a PE that
//! computes will ever come. A program that left its finalize out, or leaves with a status that is not 0, is in
//! error: it gets a warning after a second, and the job ends after one and a half. After `start_pes` and of a leaked World there
//! is no finalize to leave out: this waits.

use crate::process::private::{AtomicPtr, Ordering};
use std::sync::Once;

use crate::boot;
use crate::engine::Engine;
use crate::error::Error;
use crate::exit::end::{SPEAK_FIRST, end_job, ended, leave_ended, let_it_be_said, let_others_speak};
use crate::exit::leaving::{self, warn_once};
use crate::process::child;
use crate::process::say::say;
use crate::process::status::{LEFT, leave_now};
use crate::process::system;
use crate::startup::hosts;
use crate::startup::init_count;
use crate::startup::init_count::InitCounts;
use crate::types::thread_level;
use crate::types::thread_level::ThreadLevel;

/// Asks to be called at process exit, once per process, after the launcher's own library asked.
pub(crate) fn watch_process_exit() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| match system::at_exit(at_exit) {
        true => {}
        false => say("shmem: no exit handler could be installed; MPI will not be finalized"),
    });
}

fn at_exit(status: i32) {
    // Neither the library nor the launcher knows of it.
    if child::is_child() {
        return;
    }
    // The job has been ended: by a global exit on this PE, where `MPI_Abort` may come this way, or elsewhere.
    if let Some((engine, status)) = Engine::current().and_then(|engine| Some((engine, ended(&engine)?))) {
        let_it_be_said(engine.lives());
        leave_ended(status);
    }
    let frozen = init_count::freeze(SPEAK_FIRST);
    if let Some(engine) = Engine::current() {
        let Some(frozen) = &frozen else {
            let what = "left while another of its threads was in an init or a finalize";
            end_job(&engine, LEFT, &format!("PE {}: {what}; ending the job", engine.me));
        };
        match objection(&engine, &frozen.now()) {
            Some(why) => {
                // What they differ in says more than that this PE left.
                if engine.diverged.load(Ordering::Relaxed) {
                    let_others_speak(&engine);
                }
                end_job(&engine, LEFT, &format!("PE {}: {why}; ending the job", engine.me))
            }
            None => {
                // As the launcher sees it.
                leaving::begin(status & 0xff, frozen.now().forgotten());
                finalize(&engine);
            }
        }
        frozen.exited();
    }
    hosts::leave();
    if let Err(e) = boot::leave() {
        say(&e.to_string());
        leave_now(LEFT);
    }
}

/// Why the library cannot be taken down in good order here, if it cannot.
fn objection(engine: &Engine, holders: &InitCounts) -> Option<&'static str> {
    let thread = rustix::thread::gettid();
    let main = thread == rustix::process::getpid() && thread_level::in_force() >= ThreadLevel::Serialized;
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
    engine.control().life.exiting.store(1, Ordering::Release);
    let fail = |e: Error| end_job(engine, LEFT, &format!("{e}; ending the job"));
    if let Err(e) = engine.last_meeting() {
        fail(e)
    }
    warn_once(engine);
    if let Err(e) = hosts::part() {
        fail(e)
    }
    KEPT.store(std::ptr::from_ref(engine).cast_mut(), Ordering::Relaxed);
    engine.withdraw();
}
