//! Waiting for this PE's own part to change (OpenSHMEM 1.6, 9.12).
//!
//! ```text
//!   flags.wait_until(3, Cmp::Ge, 7)                    one element
//!   flags.watch(0..8, Cmp::Ne, 0).wait_any()           several, compared with one value
//!   flags.watch_each([(0, 5), (6, 9)], Cmp::Eq).wait_all()          each with its own
//!   flags.watch((0..8).filter(|i| !done[*i]), Cmp::Ne, 0).test_some()   but those that are done
//! ```

use std::cell::{Cell, RefCell};

use crate::api::phase::remote::Remote;
use crate::sync::conditions::Conditions;
use crate::types::cmp::Cmp;
use crate::types::elem::Waitable;
use crate::types::thread_level::Level;

/// Elements of this PE's own part, each with a comparison, that are waited for together. Made by
/// [`Remote::watch`] and [`Signals::watch`](crate::Signals::watch); it can be used again and again.
#[must_use = "it waits when it is asked to"]
pub struct Watch<'s, T, L: Level> {
    of: Remote<'s, T, L>,
    /// Which element, and the value it is compared with.
    elements: Vec<(usize, T)>,
    cmp: Cmp,
}

/// What was put before the change that is seen, and ordered by fence or quiet, is visible afterwards.
impl<'s, T: Waitable, L: Level> Remote<'s, T, L> {
    /// Waits until element `at` of this PE's own part compares true with `value`, and returns it
    /// (`shmem_wait_until`).
    ///
    /// # Panics
    /// If there is no such element.
    pub fn wait_until(&self, at: usize, cmp: Cmp, value: T) -> T {
        let seen = Cell::new(value);
        let holds = || {
            seen.set(self.look("wait_until", at));
            cmp.holds(seen.get(), value)
        };
        let place = || format!("wait_until on element {at} of the object at {}", self.offset());
        self.engine().wait_until(holds, place);
        seen.get()
    }

    /// Whether element `at` of this PE's own part compares true with `value` (`shmem_test`).
    ///
    /// # Panics
    /// If there is no such element.
    #[inline]
    pub fn test(&self, at: usize, cmp: Cmp, value: T) -> bool {
        cmp.holds(self.look("test", at), value)
    }

    /// Elements `set` of this PE's own part, all to be compared with one `value`. What the standard leaves out by a
    /// status array is left out of `set`, any iterator of element numbers.
    ///
    /// # Panics
    /// If there is no such element.
    pub fn watch(&self, set: impl IntoIterator<Item = usize>, cmp: Cmp, value: T) -> Watch<'s, T, L> {
        self.watch_each(set.into_iter().map(|at| (at, value)), cmp)
    }

    /// Elements of this PE's own part, each to be compared with a value of its own (the `vector` forms).
    ///
    /// # Panics
    /// If there is no such element.
    pub fn watch_each(&self, set: impl IntoIterator<Item = (usize, T)>, cmp: Cmp) -> Watch<'s, T, L> {
        let look = |(at, value)| {
            self.own_place("watch", at, 1);
            (at, value)
        };
        Watch { of: *self, elements: set.into_iter().map(look).collect(), cmp }
    }
}

/// Elements are told by their numbers in the object. An element that stays true is told by one of few calls, however
/// many others are true, too.
impl<T: Waitable, L: Level> Watch<'_, T, L> {
    /// Waits until each element has compared true (`shmem_wait_until_all`). Returns at once if there is none.
    pub fn wait_all(&self) {
        Conditions::wait_all(self);
    }

    /// Waits until one element compares true, and tells which (`shmem_wait_until_any`); `None`, at once, if there is
    /// no element to wait for.
    pub fn wait_any(&self) -> Option<usize> {
        Conditions::wait_any(self).map(|i| self.elements[i].0)
    }

    /// Waits until at least one element compares true, and tells which do (`shmem_wait_until_some`); none, at once, if
    /// there is no element to wait for.
    pub fn wait_some(&self) -> Vec<usize> {
        self.listed(|found| Conditions::wait_some(self, found))
    }

    /// Whether all elements compare true (`shmem_test_all`), also if there is none.
    pub fn test_all(&self) -> bool {
        self.unmet(0) == self.elements.len()
    }

    /// An element that compares true (`shmem_test_any`).
    pub fn test_any(&self) -> Option<usize> {
        Conditions::test_any(self).map(|i| self.elements[i].0)
    }

    /// The elements that compare true (`shmem_test_some`).
    pub fn test_some(&self) -> Vec<usize> {
        self.listed(|found| self.some(found))
    }

    /// What `look` finds last.
    fn listed(&self, look: impl FnOnce(&dyn Fn(usize, usize)) -> usize) -> Vec<usize> {
        let list = RefCell::new(Vec::new());
        let n = look(&|n, i| {
            let mut list = list.borrow_mut();
            list.truncate(n);
            list.push(self.elements[i].0);
        });
        let mut list = list.into_inner();
        list.truncate(n);
        list
    }
}

impl<T: Waitable, L: Level> Conditions for Watch<'_, T, L> {
    fn len(&self) -> usize {
        self.elements.len()
    }

    #[inline]
    fn holds(&self, i: usize) -> bool {
        let (at, value) = self.elements[i];
        self.cmp.holds(self.of.look("watch", at), value)
    }

    fn sleep(&self, ready: impl Fn() -> bool) {
        let n = self.elements.len();
        let place = || format!("a wait for {n} elements of the object at {}", self.of.offset());
        self.of.engine().wait_until(ready, place);
    }
}
