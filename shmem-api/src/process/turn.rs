//! Turns: one thread at a time forks, or does what no fork may come into the middle of.
//!
//! Invariants: **TURN-U1** A turn has an owner, a thread, and ends where that took it; everybody else waits as long as it
//! takes. **TURN-U2** The owner goes on at once where it takes it again (a signal handler that forks in the middle of it), and
//! does not end it there. **TURN-U3** System calls and atomics only.

use super::private::{AtomicU64, Ordering};
use std::time::Duration;

use crate::process::child::is_child;

/// Process and thread that own it, or 0. After a fork that ran no handlers, an owner may be of another process: nobody.
pub(crate) struct Turn(AtomicU64);

/// What taking a turn gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Taken {
    /// It has begun.
    Anew,
    /// It was this thread's already.
    Within,
}

fn me() -> u64 {
    let thread = rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
    u64::from(std::process::id()) << 32 | u64::from(thread)
}

impl Turn {
    pub(crate) const fn new() -> Turn {
        Turn(AtomicU64::new(0))
    }

    pub(crate) fn take(&self) -> Taken {
        let me = me();
        for round in 0u64.. {
            let owner = self.0.load(Ordering::Relaxed);
            if owner == me {
                return Taken::Within;
            }
            let free = owner == 0 || owner >> 32 != me >> 32;
            if free && self.0.compare_exchange(owner, me, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                break;
            }
            match round {
                0..100 => std::thread::yield_now(),
                _ => std::thread::sleep(Duration::from_micros(50)),
            }
        }
        Taken::Anew
    }

    /// Ends what [`Turn::take`] began.
    pub(crate) fn end(&self, taken: Taken) {
        if taken == Taken::Anew {
            self.0.store(0, Ordering::Release);
        }
    }

    /// In the child of an owner: what it is in the middle of is this thread's.
    pub(crate) fn inherit(&self) {
        self.0.store(me(), Ordering::Relaxed);
    }
}

/// For forks, and for what they may not come into the middle of.
static TURN: Turn = Turn::new();

/// None in a child, where there is nothing that a fork could come into the middle of.
pub(crate) fn take_turn() -> Option<Taken> {
    (!is_child()).then(|| TURN.take())
}

pub(crate) fn end_turn(turn: Option<Taken>) {
    turn.into_iter().for_each(|taken| TURN.end(taken));
}

/// In a new child: the turn of the thread that forked is its own.
pub(crate) fn inherit_turn(turn: Option<Taken>) {
    if turn.is_some() {
        TURN.inherit();
    }
}

/// Runs what no fork may come into the middle of. It is short, and neither forks nor allocates: who waits for the turn
/// in order to fork may hold the locks of an allocator.
pub(crate) fn between_forks<R>(what: impl FnOnce() -> R) -> R {
    let turn = take_turn();
    let result = what();
    end_turn(turn);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::private::{AtomicBool, AtomicU32, Ordering::SeqCst};

    #[test]
    fn others_wait_as_long_as_it_takes() {
        let (turn, inside, waited) = (Turn::new(), AtomicBool::new(false), AtomicU32::new(0));
        let first = turn.take();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let taken = turn.take();
                    assert!(taken == Taken::Anew && !inside.swap(true, SeqCst));
                    std::thread::sleep(Duration::from_millis(2));
                    assert!(inside.swap(false, SeqCst));
                    turn.end(taken);
                    waited.fetch_add(1, SeqCst);
                });
            }
            std::thread::sleep(Duration::from_secs(2));
            let again = turn.take();
            assert_eq!((first, again), (Taken::Anew, Taken::Within));
            turn.end(again);
            std::thread::sleep(Duration::from_millis(20));
            assert_eq!(waited.load(SeqCst), 0, "the first turn is not over");
            turn.end(first);
        });
        assert_eq!(waited.load(SeqCst), 3);
    }

    #[test]
    fn an_owner_of_another_process_is_nobody() {
        let turn = Turn(AtomicU64::new(me() ^ 1 << 40));
        assert_eq!((turn.take(), turn.take()), (Taken::Anew, Taken::Within));
        turn.end(Taken::Anew);
        assert_eq!(turn.0.load(SeqCst), 0);
    }
}
