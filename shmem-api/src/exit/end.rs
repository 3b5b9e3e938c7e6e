//! Ending the job: one line, the mark on every PE's control block, everybody woken, and this process gone.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::boot;
use crate::node::Node;
use crate::node::control_block::Life;
use crate::process::child;
use crate::process::private::AtomicBool;
use crate::process::say::{let_launcher_read, say};
use crate::process::signals::NoSignals;
use crate::process::status::{PANICKED, leave_now};
use crate::process::system::flush_streams;
use crate::sync::wait;
use crate::transport;
use crate::transport::part::Part;

/// How long a PE that found a difference lets the other speak first.
pub(crate) const SPEAK_FIRST: Duration = Duration::from_secs(1);
/// How long a PE of an ended job waits for the launcher to end it.
const LAUNCHER: Duration = Duration::from_secs(1);
/// How long a global exit waits for streams to be flushed.
const FLUSH: Duration = Duration::from_secs(2);

/// Ends the job: says why, marks it as ended for every PE, and exits.
pub(crate) fn end_job(node: &Node, status: i32, line: &str) -> ! {
    end_for_all(node.lives(), status, line)
}

/// [`end_job`] for whoever knows only the PEs' states.
pub(crate) fn end_for_all<'l>(
    lives: impl Iterator<Item = Part<'l, Life>> + Clone,
    status: i32,
    line: &str,
) -> ! {
    child::end_instead(status, line);
    let first = mark_all(lives.clone(), status);
    if first {
        say(line);
        mark_said(lives.clone());
    }
    wake_all(lives.clone());
    match first {
        true if boot::passes_on(status as u8) => leave_now(status),
        true => leave_last(lives, status),
        false => follow(lives, status),
    }
}

/// Leaves a job that this PE has ended and whose launcher leaves the ends of the others to them.
fn leave_last<'l>(lives: impl Iterator<Item = Part<'l, Life>>, status: i32) -> ! {
    let pids = lives.filter_map(|life| Some(life.mapped()?.pulse.pid()));
    let others: Vec<u32> = pids.filter(|pid| ![0, std::process::id()].contains(pid)).collect();
    boot::leave_with(status as u8, &others, || leave_now(status));
    leave_now(status)
}

/// Wakes all PEs. What goes to other hosts has gone when this returns: nobody is left to send it.
fn wake_all<'l>(lives: impl Iterator<Item = Part<'l, Life>>) {
    lives.for_each(wake);
    transport::progress();
}

/// Wakes a PE that sleeps in a wait on its own memory, and the watchdog that watches it.
fn wake(life: Part<'_, Life>) {
    match life {
        Part::Mapped(life) => {
            wait::notify(&life.waiters.event, &life.waiters.asleep);
            life.pulse.wake();
        }
        Part::Far(far) => transport::wake(far.pe),
    }
}

/// Marks the job as ended for every PE; whether nobody had before. Whoever marks the first PE first is the
/// one that speaks.
fn mark_all<'l>(lives: impl Iterator<Item = Part<'l, Life>>, status: i32) -> bool {
    let mark = |life: Part<'l, Life>| {
        life.field(|l| &l.ended)
            .compare_exchange(0, status as u32 + 1, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    };
    let mut marked = lives.map(mark);
    let first = marked.next() == Some(true);
    marked.for_each(drop);
    MARKED.store(true, Ordering::Release);
    first
}

/// This process has marked the job as ended.
static MARKED: AtomicBool = AtomicBool::new(false);

pub(crate) fn has_marked() -> bool {
    MARKED.load(Ordering::Acquire)
}

/// In the marks of an ended job: what there is to say has been said. Who leaves from then on takes nobody's line away, should a
/// launcher end the others for it.
const SAID: u32 = 1 << 31;

fn mark_said<'l>(lives: impl Iterator<Item = Part<'l, Life>>) {
    lives.for_each(|life| life.field(|l| &l.ended).or(SAID, Ordering::AcqRel));
}

/// Ends the job of a PE that unwinds. If the PEs diverged before, the others speak first.
pub(crate) fn after_panic(node: &Node, what: &str) -> ! {
    if node.diverged.load(Ordering::Relaxed) {
        let_others_speak(node);
    }
    end_job(node, PANICKED, &format!("PE {}: {what}; ending the job", node.me))
}

/// Ends the job as the program asks for: every PE, wherever it is, with `status`. Any thread may call it.
pub(crate) fn global_exit(node: &Node, status: i32) -> ! {
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
    flush_streams();
    let_launcher_read(LAUNCHER);
    let lives = || node.lives();
    let first = mark_all(lives(), status);
    mark_said(lives());
    wake_all(lives());
    if boot::passes_on(status as u8) {
        boot::end_all(status as u8);
    } else if first {
        leave_last(lives(), status);
    }
    leave_ended(status)
}

/// The status the job has been ended with, if it has.
pub(crate) fn ended(node: &Node) -> Option<i32> {
    ended_with(node.control().life)
}

/// The same, for whoever knows only this PE's state.
pub(crate) fn ended_with(life: &Life) -> Option<i32> {
    let mark = life.ended.load(Ordering::Acquire) & !SAID;
    (mark != 0).then(|| mark as i32 - 1)
}

/// Of a job that has ended: gives the PE that says why the time to. No other host is asked: it may be what is lost.
pub(crate) fn let_it_be_said<'l>(lives: impl Iterator<Item = Part<'l, Life>>) {
    let Some(here) = lives.filter_map(|life| life.mapped()).next() else { return };
    let start = Instant::now();
    while start.elapsed() < LAUNCHER && here.ended.load(Ordering::Acquire) & SAID == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Leaves a job that has ended.
pub(crate) fn leave_ended(status: i32) -> ! {
    if !boot::passes_on(status as u8) {
        boot::leave_with(status as u8, &[], || leave_now(status));
    }
    leave_now(status)
}

/// Leaves a job that another PE has ended, unless the launcher is quicker.
pub(crate) fn follow<'l>(lives: impl Iterator<Item = Part<'l, Life>>, status: i32) -> ! {
    match boot::passes_on(status as u8) {
        // A launcher takes a PE that leaves with 0 for a failure: it has to be quicker.
        true => std::thread::sleep(if status == 0 { 10 * LAUNCHER } else { LAUNCHER }),
        // It waits.
        false => let_it_be_said(lives),
    }
    leave_ended(status)
}

/// For a waiter, between sleeps: goes too if the job has ended.
pub(crate) fn leave_if_ended(node: &Node) {
    child::refuse("a wait");
    if let Some(status) = ended(node) {
        follow(node.lives(), status)
    }
}

/// Gives the other PEs time to say what was wrong with them, unless the job has ended already.
pub(crate) fn let_others_speak(node: &Node) {
    let start = Instant::now();
    while start.elapsed() < SPEAK_FIRST && node.control().life.ended.load(Ordering::Acquire) == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::control_block::{Pulse, Waiters};
    use crate::process::status::{DIED, LEFT};
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
        let parts = || lives.iter().map(Part::Mapped);
        assert!(mark_all(parts(), LEFT));
        assert!(lives.iter().all(|l| l.ended.load(Ordering::Relaxed) == LEFT as u32 + 1));
        mark_said(parts());
        assert!(!mark_all(parts(), DIED));
        assert!(lives.iter().all(|l| l.ended.load(Ordering::Relaxed) & !SAID == LEFT as u32 + 1));
        assert!(lives.iter().all(|l| l.ended.load(Ordering::Relaxed) & SAID != 0));
    }
}
