//! A host of the job is lost: the job ends on those that are left, with a line that names it.
//!
//! ```text
//!   a call needs it (its thread) ─┐                                        ┌─► all PEs of hosts that are left: the mark
//!                                 ├─► the first time: a thread that ends it ┤   one of those that noticed says the line
//!   the serving thread's look ────┘   every time: a call does not return    └─► this process leaves, in a bounded time
//!
//!   a mark that comes from another host wakes nobody who computes: the serving thread looks for it
//! ```
//!
//! The thread that ends the job marks far PEs as any call does, so another host may be lost meanwhile: it then goes on without, as the
//! serving thread does, which it needs to be told so.

use std::cell::Cell;
use std::sync::Once;
use std::time::Duration;

use memheap::PeId;

use crate::exit::end::{end_for_all, ended, follow, has_marked};
use crate::node::Node;
use crate::process::say::say;
use crate::process::signals::NoSignals;
use crate::process::status::{DIED, leave_now};

/// What marking the other PEs, and then leaving, may take.
const MARKING: Duration = Duration::from_secs(2);
const LEAVING: Duration = Duration::from_secs(3);

thread_local! {
    /// This thread goes on when a host is lost.
    static GOES_ON: Cell<bool> = const { Cell::new(false) };
}

/// This thread serves.
pub(super) fn goes_on() {
    GOES_ON.set(true);
}

/// The process of a PE of another host is lost. `on`: its host, in words; `left`: by PE, whether it is of a host that is not lost.
pub(super) fn lost(pe: PeId, on: &str, why: &str, left: &[bool]) {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        let line = format!("PE {pe}, on {on}, is lost: {why}; ending the job");
        let (left, say_so) = (left.to_vec(), line.clone());
        let _held = NoSignals::but_faults();
        let thread = std::thread::Builder::new().name("shmem-lost".to_owned());
        if thread.spawn(move || end(&left, &line)).is_err() {
            say(&say_so);
            leave_now(DIED);
        }
    });
    while !GOES_ON.get() {
        std::thread::sleep(LEAVING);
    }
}

/// Ends the job on the hosts that are left.
fn end(left: &[bool], line: &str) {
    GOES_ON.set(true);
    let say_so = line.to_owned();
    let backstop = move || {
        std::thread::sleep(MARKING);
        if !has_marked() {
            say(&say_so);
        }
        std::thread::sleep(LEAVING);
        leave_now(DIED)
    };
    if std::thread::Builder::new().spawn(backstop).is_ok() {
        Node::with_current(|node| {
            let lives = node.lives().zip(left).filter(|(_, left)| **left);
            end_for_all(lives.map(|(life, _)| life), DIED, line)
        });
    }
    say(line);
    leave_now(DIED);
}

/// At every look of the serving thread: another host may have ended the job.
pub(super) fn look_after() {
    Node::with_current(|node| {
        if let Some(status) = ended(node) {
            follow(node.lives(), status);
        }
    });
}
