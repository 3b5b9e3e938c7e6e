//! How a process ends: in good order, or with the whole job.
//!
//! One failing PE never leaves the others hanging. Whoever notices first prints one line that names the
//! PE, marks the job as ended on every PE's control block, wakes all sleepers, and exits with a status that is
//! not zero; the launcher does the rest, and a PE that is not reached by the launcher sees the mark.
//!
//! | what happens | who notices |
//! |---|---|
//! | panic with a World alive | the World's drop |
//! | `exit` or return from `main` with a World alive | the exit handler (`process`; raw inits are finalized there) |
//! | `exit` while the others wait for this PE for ever | the exit handler (`deadlock`) |
//! | `exit` without finalize while the others compute | the exit handler, after a second (`process`) |
//! | `global_exit` | nobody needs to: it ends the job itself |
//! | a child of `fork` | nobody needs to: it is no PE (`child`) |
//! | killed, `abort`, `_exit`, `exec` | the watchdog of the PE before it, and the launcher |
//! | PEs at different collective calls | both sides, at the rendezvous |
#![allow(unsafe_code)]

pub(crate) mod child;
pub(crate) mod deadlock;
pub(crate) mod others;
pub(crate) mod serial;
#[cfg(all(target_env = "gnu", target_arch = "x86_64"))]
pub(crate) mod static_fork;
pub(crate) mod watchdog;

use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::fs::FileType;

use crate::boot;
use crate::engine::Engine;
use crate::node::control_block::Life;
use crate::process::signals::NoSignals;
use crate::sync::wait;

pub(crate) use crate::exit::deadlock::{Blocked, By, provable};
pub(crate) use crate::exit::others::{Before, Others};
pub(crate) use crate::startup::process_exit::watch_process_exit;

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
/// How long a global exit waits for streams to be flushed.
const FLUSH: Duration = Duration::from_secs(2);

/// One line on standard error, in one write, so that lines of several PEs do not mix. Where nobody reads
/// them, nothing else is harmed.
pub(crate) fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Ends the job: says why, marks it as ended for every PE, and exits.
pub(crate) fn end_job(engine: &Engine, status: i32, line: &str) -> ! {
    end_for_all(engine.controls.iter().map(|d| d.life), status, line)
}

/// [`end_job`] for whoever knows only the PEs' states.
pub(crate) fn end_for_all<'l>(lives: impl Iterator<Item = &'l Life> + Clone, status: i32, line: &str) -> ! {
    child::end_instead(status, line);
    let first = mark_all(lives.clone(), status);
    if first {
        say(line);
        mark_said(lives.clone());
    }
    for life in lives {
        wait::notify(&life.waiters.event, &life.waiters.asleep);
    }
    if !first {
        std::thread::sleep(LAUNCHER);
    }
    leave_now(status)
}

/// Marks the job as ended for every PE; whether nobody had before. Whoever marks the first PE first is the
/// one that speaks.
fn mark_all<'l>(lives: impl Iterator<Item = &'l Life>, status: i32) -> bool {
    let mark = |life: &Life| {
        life.ended.compare_exchange(0, status as u32 + 1, Ordering::AcqRel, Ordering::Acquire).is_ok()
    };
    let mut marked = lives.map(mark);
    let first = marked.next() == Some(true);
    marked.for_each(drop);
    first
}

/// On the first PE, in the mark of an ended job: what there is to say has been said. Who leaves from then on takes
/// nobody's line away, should a launcher end the others for it.
const SAID: u32 = 1 << 31;

fn mark_said<'l>(mut lives: impl Iterator<Item = &'l Life>) {
    if let Some(first) = lives.next() {
        first.ended.fetch_or(SAID, Ordering::AcqRel);
    }
}

/// Ends the job of a PE that unwinds. If the PEs diverged before, the others speak first.
pub(crate) fn after_panic(engine: &Engine, what: &str) -> ! {
    if engine.diverged.load(Ordering::Relaxed) {
        let_others_speak(engine);
    }
    end_job(engine, PANICKED, &format!("PE {}: {what}; ending the job", engine.me))
}

/// Ends the job as the program asks for: every PE, wherever it is, with `status`. Any thread may call it.
pub(crate) fn global_exit(engine: &Engine, status: i32) -> ! {
    child::refuse("shmem_global_exit");
    // Only 8 bits of it reach a launcher.
    let status = status & 0xff;
    // Flushing waits for whoever holds a stream, and that may be a thread that reads; not for ever.
    {
        let _held = NoSignals::but_faults();
        let _ = std::thread::Builder::new().spawn(move || {
            std::thread::sleep(FLUSH);
            leave_now(status)
        });
    }
    let _ = std::io::stdout().flush();
    // SAFETY: all streams; they are locked one by one.
    unsafe { libc::fflush(std::ptr::null_mut()) };
    let_launcher_read();
    let lives = || engine.controls.iter().map(|d| d.life);
    mark_all(lives(), status);
    mark_said(lives());
    lives().for_each(|life| wait::notify(&life.waiters.event, &life.waiters.asleep));
    boot::end_all(status as u8);
    leave_now(status)
}

/// A launcher that ends the job may drop what it has not read from this PE's pipes yet.
fn let_launcher_read() {
    let (out, err) = (std::io::stdout(), std::io::stderr());
    let is_pipe = |fd: &BorrowedFd<'_>| {
        rustix::fs::fstat(fd).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
    };
    let start = Instant::now();
    for pipe in [out.as_fd(), err.as_fd()].iter().filter(|fd| is_pipe(fd)) {
        while start.elapsed() < LAUNCHER && rustix::io::ioctl_fionread(pipe).is_ok_and(|unread| unread > 0) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The status the job has been ended with, if it has.
pub(crate) fn ended(engine: &Engine) -> Option<i32> {
    let mark = engine.control().life.ended.load(Ordering::Acquire) & !SAID;
    (mark != 0).then(|| mark as i32 - 1)
}

/// Of a job that has ended: gives the PE that says why the time to.
pub(crate) fn let_it_be_said(engine: &Engine) {
    let start = Instant::now();
    while start.elapsed() < LAUNCHER && engine.controls[0].life.ended.load(Ordering::Acquire) & SAID == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// For a waiter, between sleeps: goes too if the job has ended.
pub(crate) fn leave_if_ended(engine: &Engine) {
    child::refuse("a wait");
    if let Some(status) = ended(engine) {
        // A launcher takes a PE that leaves with 0 for a failure: it has to be quicker.
        std::thread::sleep(if status == 0 { 10 * LAUNCHER } else { LAUNCHER });
        leave_now(status)
    }
}

/// Gives the other PEs time to say what was wrong with them, unless the job has ended already.
fn let_others_speak(engine: &Engine) {
    let start = Instant::now();
    while start.elapsed() < SPEAK_FIRST && engine.control().life.ended.load(Ordering::Acquire) == 0 {
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
    use crate::node::control_block::{Pulse, Waiters};
    use crate::sync::primitives::{AtomicU32, AtomicU64};

    #[test]
    fn every_pe_is_marked_and_one_speaks() {
        let zero = || AtomicU32::new(0);
        let life = || Life {
            ended: zero(),
            left: zero(),
            node: zero(),
            mlock_failed: zero(),
            warned: zero(),
            exiting: zero(),
            question: zero(),
            blocked: AtomicU64::new(0),
            stores: zero(),
            told: std::array::from_fn(|_| AtomicU64::new(0)),
            waiters: Waiters { event: zero(), asleep: zero() },
            pulse: Pulse::default(),
        };
        let lives = [life(), life(), life()];
        assert!(mark_all(lives.iter(), LEFT));
        assert!(lives.iter().all(|l| l.ended.load(Ordering::Relaxed) == LEFT as u32 + 1));
        mark_said(lives.iter());
        assert!(!mark_all(lives.iter(), DIED));
        assert!(lives.iter().all(|l| l.ended.load(Ordering::Relaxed) & !SAID == LEFT as u32 + 1));
        assert!(lives[0].ended.load(Ordering::Relaxed) & SAID != 0);
    }
}
