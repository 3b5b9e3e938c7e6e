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

use std::io::Write;
use std::sync::Once;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::boot;
use crate::engine::Engine;
use crate::internals::Life;
use crate::wait;

/// Status of a job that ended because PEs called different things.
pub(crate) const DIVERGED: i32 = 70;
/// Status of a job one of whose PEs left without finalizing.
pub(crate) const LEFT: i32 = 71;
/// Status of a job one of whose PEs died.
pub(crate) const DIED: i32 = 72;
/// Status of a job whose heap somebody wrote into where nobody must.
pub(crate) const CORRUPTED: i32 = 73;
/// Status of a job one of whose PEs panicked.
pub(crate) const PANICKED: i32 = 101;

/// How long a PE that found a difference lets the other speak first.
pub(crate) const SPEAK_FIRST: Duration = Duration::from_secs(1);
/// How long a PE of an ended job waits for the launcher to end it.
const LAUNCHER: Duration = Duration::from_secs(1);

/// Held while the engine is taken down, and by process exit, which may come from another thread.
pub(crate) static TAKING_DOWN: Mutex<()> = Mutex::new(());

/// One line on standard error, in one write, so that lines of several PEs do not mix. Where nobody reads
/// them, nothing else is harmed.
pub(crate) fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

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
    let _alone = TAKING_DOWN.lock();
    if let Some(engine) = Engine::current() {
        let mine = engine.thread == rustix::thread::gettid();
        if mine && engine.leaked.load(Ordering::Relaxed) {
            match engine.last_meeting() {
                // The memory stays: other threads may still be looking at it.
                Ok(_) => engine.desk().life.left.store(1, Ordering::Release),
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
    if let Err(e) = boot::leave() {
        say(&e.to_string());
        leave_now(LEFT);
    }
}

/// Ends the job: says why, marks it as ended for every PE, and exits.
pub(crate) fn end_job(engine: &Engine, status: i32, line: &str) -> ! {
    end_for_all(engine.desks.iter().map(|d| d.life), status, line)
}

/// [`end_job`] for whoever knows only the PEs' states.
pub(crate) fn end_for_all<'l>(lives: impl Iterator<Item = &'l Life> + Clone, status: i32, line: &str) -> ! {
    let first = mark_all(lives.clone(), status);
    if first {
        say(line);
    }
    for life in lives {
        wait::ring(&life.waiters.bell, &life.waiters.asleep);
    }
    if !first {
        std::thread::sleep(LAUNCHER);
    }
    leave_now(status)
}

/// Marks the job as ended for every PE; whether nobody had before. Whoever marks the first PE first is the
/// one that speaks.
fn mark_all<'l>(lives: impl Iterator<Item = &'l Life>, status: i32) -> bool {
    let mut before = lives.map(|life| life.ended.swap(status as u32 + 1, Ordering::AcqRel));
    let first = before.next() == Some(0);
    before.for_each(drop);
    first
}

/// Ends the job of a PE that unwinds. If the PEs diverged before, the others speak first.
pub(crate) fn after_panic(engine: &Engine, what: &str) -> ! {
    if engine.diverged.load(Ordering::Relaxed) {
        let_others_speak(engine);
    }
    end_job(engine, PANICKED, &format!("PE {}: {what}; ending the job", engine.me))
}

/// For a waiter, between sleeps: goes too if the job has ended.
pub(crate) fn leave_if_ended(engine: &Engine) {
    let mark = engine.desk().life.ended.load(Ordering::Acquire);
    if mark != 0 {
        std::thread::sleep(LAUNCHER);
        leave_now(mark as i32 - 1)
    }
}

/// Gives the other PEs time to say what was wrong with them, unless the job has ended already.
fn let_others_speak(engine: &Engine) {
    let start = Instant::now();
    while start.elapsed() < SPEAK_FIRST && engine.desk().life.ended.load(Ordering::Acquire) == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Exits without the exit handlers: MPI's would wait for PEs that are not coming.
pub(crate) fn leave_now(status: i32) -> ! {
    // SAFETY: always sound; it does not return.
    unsafe { libc::_exit(status) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::internals::Waiters;
    use crate::sync::AtomicU32;

    #[test]
    fn every_pe_is_marked_and_one_speaks() {
        let zero = || AtomicU32::new(0);
        let life = || Life {
            ended: zero(),
            left: zero(),
            node: zero(),
            pin_failed: zero(),
            waiters: Waiters { bell: zero(), asleep: zero() },
        };
        let lives = [life(), life(), life()];
        assert!(mark_all(lives.iter(), LEFT));
        assert!(lives.iter().all(|l| l.ended.load(Ordering::Relaxed) == LEFT as u32 + 1));
        assert!(!mark_all(lives.iter(), DIED));
    }
}
