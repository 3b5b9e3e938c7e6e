//! How a process ends: in good order, or with the whole job.
//!
//! One failing PE never leaves the others hanging. Whoever notices first prints one line that names the
//! PE, marks the job as ended on every PE's desk, wakes all sleepers, and exits with a status that is
//! not zero; the launcher does the rest, and a PE that is not reached by the launcher sees the mark.
//!
//! | what happens | who notices |
//! |---|---|
//! | panic with a World alive | the World's drop |
//! | `exit` or return from `main` with a World alive | the exit handler |
//! | killed, `abort`, `_exit` | the warden of the PE before it, and the launcher |
//! | PEs at different collective calls | both sides, at the rendezvous |
#![allow(unsafe_code)]

use std::sync::Once;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use memheap::PeId;

use crate::boot;
use crate::engine::Engine;
use crate::wait;

/// Status of a job that ended because PEs called different things.
pub(crate) const DIVERGED: i32 = 70;
/// Status of a job one of whose PEs left without finalizing.
pub(crate) const LEFT: i32 = 71;
/// Status of a job one of whose PEs died.
pub(crate) const DIED: i32 = 72;
/// Status of a job one of whose PEs panicked.
pub(crate) const PANICKED: i32 = 101;

/// How long a PE that found a difference lets the other speak first.
pub(crate) const SPEAK_FIRST: Duration = Duration::from_secs(1);
/// How long a PE of an ended job waits for the launcher to end it.
const LAUNCHER: Duration = Duration::from_secs(1);

/// Asks to be called at process exit, once per process, after the launcher's own library asked.
pub(crate) fn watch_process_exit() {
    static ONCE: Once = Once::new();
    // SAFETY: the handler is a plain function and stays in memory as long as the process.
    ONCE.call_once(|| match unsafe { libc::atexit(at_exit) } {
        0 => {}
        _ => eprintln!("shmem: no exit handler could be installed; MPI will not be finalized"),
    });
}

extern "C" fn at_exit() {
    if let Some(engine) = Engine::current() {
        let mine = engine.thread == rustix::thread::gettid();
        if mine && engine.leaked.load(Ordering::Relaxed) {
            match engine.last_meeting() {
                // The memory stays: other threads may still be looking at it.
                Ok(_) => engine.desk().left.store(1, Ordering::Release),
                Err(e) => end_job(&engine, LEFT, &format!("{e}; ending the job")),
            }
        } else {
            let why = match engine.diverged.load(Ordering::Relaxed) {
                true => "left after the PEs diverged",
                false => "left without finalizing (its World is still alive)",
            };
            end_job(&engine, LEFT, &format!("PE {}: {why}; ending the job", engine.me));
        }
    }
    boot::leave();
}

/// Ends the job: says why, marks it as ended for every PE, and exits.
pub(crate) fn end_job(engine: &Engine, status: i32, line: &str) -> ! {
    let first = (0..engine.n_pes).map(PeId).all(|pe| engine.desk_of(pe).ended.load(Ordering::Acquire) == 0);
    for pe in (0..engine.n_pes).map(PeId) {
        engine.desk_of(pe).ended.store(status as u32 + 1, Ordering::Release);
    }
    if first {
        eprintln!("{line}");
    }
    for pe in (0..engine.n_pes).map(PeId) {
        let desk = engine.desk_of(pe);
        wait::ring(&desk.waiters.bell, &desk.waiters.asleep);
    }
    leave_now(status)
}

/// For a waiter, between sleeps: goes too if the job has ended.
pub(crate) fn leave_if_ended(engine: &Engine) {
    let mark = engine.desk().ended.load(Ordering::Acquire);
    if mark != 0 {
        std::thread::sleep(LAUNCHER);
        leave_now(mark as i32 - 1)
    }
}

/// Gives the other PEs time to say what was wrong with them, unless the job has ended already.
pub(crate) fn let_others_speak(engine: &Engine) {
    let start = Instant::now();
    while start.elapsed() < SPEAK_FIRST && engine.desk().ended.load(Ordering::Acquire) == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Exits without the exit handlers: MPI's would wait for PEs that are not coming.
pub(crate) fn leave_now(status: i32) -> ! {
    // SAFETY: always sound; it does not return.
    unsafe { libc::_exit(status) }
}
