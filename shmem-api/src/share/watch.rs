//! Waiting for this PE's own part to change (OpenSHMEM 1.6, 9.12).
#![allow(unsafe_code)]

use std::cell::Cell;

use super::Remote;
use crate::elem::Waitable;
use crate::level::Level;

/// How a wait compares the element with the value (`SHMEM_CMP_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cmp {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
}

impl Cmp {
    /// Whether `is` compares true with `value`.
    #[inline]
    pub(crate) fn holds<T: PartialOrd>(self, is: T, value: T) -> bool {
        match self {
            Cmp::Eq => is == value,
            Cmp::Ne => is != value,
            Cmp::Gt => is > value,
            Cmp::Ge => is >= value,
            Cmp::Lt => is < value,
            Cmp::Le => is <= value,
        }
    }
}

/// What was put before the change that is seen, and ordered by fence or quiet, is visible afterwards.
impl<T: Waitable, L: Level> Remote<'_, T, L> {
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

    /// Element `at` of this PE's own part, as it is now.
    #[inline]
    pub(crate) fn look(&self, call: &'static str, at: usize) -> T {
        let mine = self.own_place(call, at, 1);
        // SAFETY: `own_place` checked the range; the element is aligned, and changed atomically only.
        unsafe { T::amo_load(mine) }
    }
}
