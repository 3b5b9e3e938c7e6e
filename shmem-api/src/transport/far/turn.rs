//! Whose turn it is to poll `Lane::Replies`: of the threads that wait, one polls, and sleeps in the engine; the others sleep here.
//!
//! ```text
//!   seen = news()                 before a thread looks whether what it waits for is there
//!   take(seen)  Polls             it polls, sleeps in the engine, and gives the turn back: all others look, one takes it
//!               Others            somebody else polls: it has slept until there was news, or a few milliseconds
//! ```
//!
//! Invariant: **FAR-T1** one thread has the turn; news are counted after they can be seen, so who counted before it looked, and found
//! nothing, does not sleep through them.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// At the end of it a thread looks by itself.
const LONGEST_SLEEP: Duration = Duration::from_millis(5);

#[derive(Default)]
struct State {
    taken: bool,
    news: u64,
}

/// See above.
#[derive(Default)]
pub(super) struct PollTurn {
    state: Mutex<State>,
    given: Condvar,
}

impl PollTurn {
    /// How often there was news.
    pub(super) fn news(&self) -> u64 {
        self.state.lock().news
    }

    /// The turn, if nobody has it, and there was no news since `seen`. Else sleeps, if `sleep` says so.
    pub(super) fn take(&self, seen: u64, sleep: bool) -> Option<Taken<'_>> {
        let mut state = self.state.lock();
        if state.news != seen {
            return None;
        }
        if state.taken {
            if sleep {
                self.given.wait_for(&mut state, LONGEST_SLEEP);
            }
            return None;
        }
        state.taken = true;
        Some(Taken { turn: self, news: false })
    }

    /// There is news, which does not come from a poll.
    pub(super) fn tell(&self) {
        self.state.lock().news += 1;
        self.given.notify_all();
    }
}

/// The turn, as long as it is held.
pub(super) struct Taken<'t> {
    turn: &'t PollTurn,
    /// Whether there was any.
    pub(super) news: bool,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut state = self.turn.state.lock();
        state.taken = false;
        state.news += u64::from(self.news);
        drop(state);
        self.turn.given.notify_all();
    }
}
