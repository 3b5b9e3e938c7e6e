//! Who in this process, beside a thread that waits in the library, could store into symmetric memory: threads of the
//! program, and handlers of signals that come by themselves.
//!
//! Threads and handlers that came up while the library started are its own or MPI's, and store nowhere.

use crate::holders;
use crate::signals;

/// What this process had of each when the library was up, beyond what it had before.
pub(crate) struct Others {
    /// The library's threads and MPI's, and the one that started it. `None` if that cannot be seen.
    threads: Option<usize>,
    /// Caught by MPI.
    handlers: u64,
}

/// Before the start.
pub(crate) struct Before {
    threads: Option<usize>,
    handlers: Option<u64>,
}

/// SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGIO, and those of real time: a timer or a child may send them, and a program
/// catches them to do something. The others come of faults, of a user who ends the program, or of a change of state.
const BY_THEMSELVES: u64 = 1 << 9 | 1 << 11 | 1 << 13 | 1 << 25 | 1 << 28 | !0 << 33;

impl Before {
    pub(crate) fn look() -> Before {
        Before { threads: threads(), handlers: signals::caught() }
    }

    /// The library is up.
    pub(crate) fn started(self) -> Others {
        let own = |before: usize, now: usize| now.saturating_sub(before) + 1;
        let new = |before: u64, now: u64| now & !before;
        Others {
            threads: self.threads.zip(threads()).map(|(before, now)| own(before, now)),
            handlers: self.handlers.zip(signals::caught()).map_or(0, |(before, now)| new(before, now)),
        }
    }
}

impl Others {
    /// Whether there are any now. Safe programs cannot store where another thread waits, whatever they have.
    #[cold]
    pub(crate) fn may_store(&self) -> bool {
        if holders::now().only_worlds() {
            return false;
        }
        let thread = self.threads.is_none_or(|own| threads().is_none_or(|now| now > own));
        thread || signals::caught().is_none_or(|now| now & BY_THEMSELVES & !self.handlers != 0)
    }
}

/// How many threads this process has, if that can be seen.
fn threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}
