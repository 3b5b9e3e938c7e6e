//! Why the static data stays private, and the thread that is the reason.

use std::fmt;
use std::io;

/// Why the static data stays private. The program is unharmed and may try again.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StaticsError {
    /// Another thread kept running, and might have written while its data was copied.
    #[error("{0} is running; initialise before it starts, or while it waits")]
    Busy(Thread),
    /// Another thread sleeps, but if it woke and wrote while the data is moved, it could not be held up.
    #[error(
        "{0} blocks SIGSEGV, and could not be held up if it wrote meanwhile; initialise before it starts"
    )]
    Unstoppable(Thread),
    /// This process is a child of one that remapped it before `fork`.
    #[error("this process was forked from {parent} after that had initialised the library")]
    Forked {
        /// The process that did.
        parent: u32,
    },
    /// Some page of the data is not ordinary private memory any more.
    #[error("the page at {at:#x} is not private and writable: the program or another library remapped it")]
    NotPrivate {
        /// The first such page.
        at: usize,
    },
    /// The system refused.
    #[error("{what}: {why}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The system's reason.
        why: String,
    },
}

impl StaticsError {
    pub(super) fn system(what: &'static str) -> impl FnOnce(io::Error) -> StaticsError {
        move |why| StaticsError::System { what, why: why.to_string() }
    }
}

/// A thread of this process, by number and name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Thread {
    tid: u32,
    name: String,
}

impl Thread {
    /// The thread of this number.
    pub(super) fn of(tid: u32) -> Thread {
        let name = std::fs::read_to_string(format!("/proc/self/task/{tid}/comm"));
        Thread { tid, name: name.as_deref().unwrap_or("ended").trim_end().to_owned() }
    }
}

impl fmt::Display for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {} ({})", self.tid, self.name)
    }
}
