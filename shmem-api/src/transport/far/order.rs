//! In which order the requests of a course are done: that of their numbers, as far as they ask for it.
//!
//! ```text
//!   numbers   1 2 3 4 5 6 7 8 9            # done   + came, and is under way   h held back
//!             # # # + # h                  done up to 3; 4 is a large put whose bytes are still coming; 6 came with
//!                                           "after 5", so it waits for 4; 5 came with "after 2", and could be done
//! ```
//!
//! A *course* is one stream's way from a PE to a host: its requests are numbered from 1 without a gap.
//!
//! Invariants: **FAR-O1** a request with "after n" is not done before all up to n are. **FAR-O2** a number is taken once, and only
//! within [`WINDOW`] past what is done: so what is kept of a course is bounded, whoever sends.

use std::collections::BTreeMap;

use super::flow::MAX_REQUESTS;

/// How far numbers may be ahead of what is done.
const WINDOW: u64 = MAX_REQUESTS;
const WORDS: usize = (WINDOW / 64) as usize;

/// What is to become of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    Now,
    /// [`Course::hold`] it.
    Later,
    /// It breaks FAR-O2.
    Wrong,
}

/// Numbers within the window.
struct Numbers([u64; WORDS]);

impl Numbers {
    fn place(number: u64) -> (usize, u64) {
        let at = number % WINDOW;
        ((at / 64) as usize, 1 << (at % 64))
    }

    fn has(&self, number: u64) -> bool {
        let (word, bit) = Numbers::place(number);
        self.0[word] & bit != 0
    }

    fn set(&mut self, number: u64, to: bool) {
        let (word, bit) = Numbers::place(number);
        if to { self.0[word] |= bit } else { self.0[word] &= !bit }
    }
}

/// At the process that serves it.
pub(super) struct Course<T> {
    done: u64,
    came: Numbers,
    did: Numbers,
    /// By what they wait for and their own number.
    held: BTreeMap<(u64, u64), T>,
    /// Somebody wants to hear when this number is done.
    asked: Option<u64>,
}

impl<T> Course<T> {
    pub(super) fn new() -> Course<T> {
        let [came, did] = [(); 2].map(|()| Numbers([0; WORDS]));
        Course { done: 0, came, did, held: BTreeMap::new(), asked: None }
    }

    /// All up to this number are done.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// A request has come.
    pub(super) fn comes(&mut self, number: u64, after: u64) -> Turn {
        if number <= self.done || number - self.done > WINDOW || self.came.has(number) {
            return Turn::Wrong;
        }
        self.came.set(number, true);
        if after <= self.done { Turn::Now } else { Turn::Later }
    }

    /// Keeps one whose turn is later.
    pub(super) fn hold(&mut self, number: u64, after: u64, request: T) {
        self.held.insert((after, number), request);
    }

    /// One is done, which had come.
    pub(super) fn did(&mut self, number: u64) {
        self.did.set(number, true);
        while self.did.has(self.done + 1) {
            self.done += 1;
            self.did.set(self.done, false);
            self.came.set(self.done, false);
        }
    }

    /// One that was held back, and whose turn it is: FAR-O1.
    pub(super) fn next(&mut self) -> Option<T> {
        let first = self.held.first_entry()?;
        (first.key().0 <= self.done).then(|| first.remove())
    }

    /// How many are held back.
    #[cfg(test)]
    pub(super) fn n_held(&self) -> usize {
        self.held.len()
    }

    /// All that are held back, which nobody waits for any more.
    pub(super) fn drop_held(&mut self) -> impl Iterator<Item = T> {
        std::mem::take(&mut self.held).into_values()
    }

    /// Somebody asks for an answer when `number` is done.
    pub(super) fn ask(&mut self, number: u64) {
        self.asked = self.asked.max(Some(number));
    }

    /// Whether that answer is due; it is then given.
    pub(super) fn answer_is_due(&mut self) -> bool {
        self.asked.take_if(|asked| *asked <= self.done).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    #[test]
    fn numbers_are_taken_once_and_within_the_window() {
        let mut course = Course::<()>::new();
        assert_eq!([0, 1, 1, WINDOW, WINDOW + 1].map(|n| course.comes(n, 0)), {
            [Turn::Wrong, Turn::Now, Turn::Wrong, Turn::Now, Turn::Wrong]
        });
        course.did(1);
        assert_eq!(course.done(), 1);
        assert_eq!([1, WINDOW, WINDOW + 1, 2].map(|n| course.comes(n, 0)), {
            [Turn::Wrong, Turn::Wrong, Turn::Now, Turn::Now]
        });
    }

    /// Requests in any order, each after some number before it: each is done once, and not before its turn.
    #[test]
    fn each_is_done_in_its_turn() {
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let mut course = Course::new();
            let mut coming: Vec<(u64, u64)> =
                (1..=300).map(|n| (n, random.below(n as usize) as u64)).collect();
            let mut doing: Vec<(u64, u64)> = Vec::new();
            let mut done = vec![false; 301];
            course.ask(300);
            while !coming.is_empty() || !doing.is_empty() {
                if !coming.is_empty() && random.below(2) == 0 {
                    let (number, after) = coming.swap_remove(random.below(coming.len()));
                    match course.comes(number, after) {
                        Turn::Now => doing.push((number, after)),
                        Turn::Later => course.hold(number, after, (number, after)),
                        Turn::Wrong => panic!("{number} is refused"),
                    }
                } else if !doing.is_empty() {
                    let (number, after) = doing.swap_remove(random.below(doing.len()));
                    assert!(
                        done[1..=after as usize].iter().all(|&done| done),
                        "seed {seed}: {number} after {after}"
                    );
                    assert!(!course.answer_is_due());
                    done[number as usize] = true;
                    course.did(number);
                    doing.extend(std::iter::from_fn(|| course.next()));
                }
            }
            assert_eq!((course.done(), course.n_held()), (300, 0), "seed {seed}");
            assert!(course.answer_is_due() && !course.answer_is_due());
        }
    }
}
