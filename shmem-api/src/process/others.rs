//! Who in this process, beside a thread that waits in the library, could store into symmetric memory: threads of the
//! program, and handlers of signals that come by themselves.
//!
//! Threads and handlers that came up while the library started are its own or MPI's, and store nowhere.

use super::private::{AtomicBool, Ordering};

use crate::process::signals;

/// The program is one of the safe API alone: it cannot store where another thread waits.
static SAFE_ONLY: AtomicBool = AtomicBool::new(false);

/// Says whether the program is one of the safe API alone, whenever that may have changed.
pub(crate) fn set_safe_only(safe: bool) {
    SAFE_ONLY.store(safe, Ordering::Relaxed);
}

/// What this process had of each when the library was up, beyond what it had before.
pub(crate) struct Others {
    /// The library's threads and MPI's, and the one that started it. `None` if that cannot be seen.
    threads: Option<usize>,
    /// MPI's: the signal, and where the handler is.
    handlers: Vec<(u32, usize)>,
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
        let new = self.handlers.zip(signals::caught()).map_or(0, |(before, now)| now & !before);
        Others {
            threads: self.threads.zip(threads()).map(|(before, now)| own(before, now)),
            handlers: by_themselves(new).map(|signal| (signal, signals::handler(signal))).collect(),
        }
    }
}

impl Others {
    /// Whether there are any now. Safe programs cannot store where another thread waits, whatever they have.
    #[cold]
    pub(crate) fn may_store(&self) -> bool {
        if SAFE_ONLY.load(Ordering::Relaxed) {
            return false;
        }
        let thread = self.threads.is_none_or(|own| threads().is_none_or(|now| now > own));
        let known = |signal| self.handlers.contains(&(signal, signals::handler(signal)));
        thread || signals::caught().is_none_or(|now| !by_themselves(now).all(known))
    }
}

/// Those of a set that come by themselves.
fn by_themselves(set: u64) -> impl Iterator<Item = u32> {
    (1..=64).filter(move |signal| (set & BY_THEMSELVES) >> (signal - 1) & 1 != 0)
}

/// How many threads this process has, if that can be seen.
fn threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}
