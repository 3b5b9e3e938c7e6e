//! Conditions on this PE's own memory, of which a caller waits for all, for any, or for some (OpenSHMEM 1.6, 9.12).
//!
//! ```text
//!   conditions:  F  T  F  T
//!                   ▲─────┘
//!                   └ every call of the `any` forms starts to look somewhere else
//! ```
//!
//! What a condition is, and how its caller sleeps, is the implementer's: the `raw` calls have variables at
//! addresses and a status array, the safe API elements of an object. The forms of waiting are here, once.
//!
//! Invariant **CONDITIONS-W2**: a condition that stays true is found by one of few calls: the starts are spread evenly, also
//! those of every second call, of every third, and so on.

use crate::process::private::{AtomicU64, Ordering};
use std::cell::Cell;

/// Conditions, by number.
pub(crate) trait Conditions {
    /// How many there are, those that are left out included.
    fn len(&self) -> usize;

    /// Whether condition `i` takes part.
    #[inline]
    fn has(&self, _i: usize) -> bool {
        true
    }

    /// Whether condition `i` is true now. What was put before it became so is seen afterwards.
    fn holds(&self, i: usize) -> bool;

    /// Sleeps until `ready`, which looks afresh.
    fn sleep(&self, ready: impl Fn() -> bool);

    /// Whether none takes part.
    fn is_empty(&self) -> bool {
        !(0..self.len()).any(|i| self.has(i))
    }

    /// The first from `from` on that takes part and is false, or the length.
    #[inline]
    fn unmet(&self, from: usize) -> usize {
        (from..self.len()).find(|&i| self.has(i) && !self.holds(i)).unwrap_or(self.len())
    }

    /// One that is true, looked for from `start` on.
    #[inline]
    fn any(&self, start: usize) -> Option<usize> {
        (start..self.len()).chain(0..start).find(|&i| self.has(i) && self.holds(i))
    }

    /// All that are true: how many, each told to `found` with its place among them.
    #[inline]
    fn some(&self, found: impl Fn(usize, usize)) -> usize {
        let mut n = 0;
        for i in (0..self.len()).filter(|&i| self.has(i) && self.holds(i)) {
            found(n, i);
            n += 1;
        }
        n
    }

    /// One that is true, fairly chosen.
    #[inline]
    fn test_any(&self) -> Option<usize> {
        self.any(start(self.len()))
    }

    /// Returns when each has been true.
    fn wait_all(&self) {
        // One that has been true once is done, whatever becomes of it.
        let first = Cell::new(self.unmet(0));
        if first.get() < self.len() {
            self.sleep(|| {
                first.set(self.unmet(first.get()));
                first.get() == self.len()
            });
        }
    }

    /// Returns when one is true: which, fairly chosen. At once if none takes part.
    fn wait_any(&self) -> Option<usize> {
        let start = start(self.len());
        let found = Cell::new(self.any(start));
        if found.get().is_none() && !self.is_empty() {
            self.sleep(|| {
                found.set(self.any(start));
                found.get().is_some()
            });
        }
        found.get()
    }

    /// Returns when at least one is true, as [`some`](Self::some). At once if none takes part.
    fn wait_some(&self, found: impl Fn(usize, usize)) -> usize {
        let n = Cell::new(self.some(&found));
        if n.get() == 0 && !self.is_empty() {
            self.sleep(|| {
                n.set(self.some(&found));
                n.get() > 0
            });
        }
        n.get()
    }
}

/// CONDITIONS-W2: where the next call of an `any` form begins to look among `len` conditions.
#[inline]
fn start(len: usize) -> usize {
    /// 2^64 over the golden ratio: its multiples fill the circle evenly, and so does every n-th of them.
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    static TURN: AtomicU64 = AtomicU64::new(0);
    // Two threads may get the same turn: no harm.
    let turn = TURN.load(Ordering::Relaxed).wrapping_add(GOLDEN);
    TURN.store(turn, Ordering::Relaxed);
    ((u128::from(turn) * len as u128) >> 64) as usize
}
