//! Values that any thread looks up by number, without a lock: made late, taken out rarely.
//!
//! ```text
//!   shelf  [ - | box | - | - | box ]      get: one load      put: one exchange, the first wins
//! ```
//!
//! Invariant **TEAM-K1**: a place holds null or a box that the shelf owns; a box leaves its place by [`take`](Shelf::take)
//! and with the shelf only, and whoever takes one is the last to use what it holds.
#![allow(unsafe_code)]

use std::ptr;

use crate::process::private::{AtomicPtr, Ordering};

/// Places for so many.
pub(crate) struct Shelf<T: Send + Sync>(Box<[AtomicPtr<T>]>);

impl<T: Send + Sync> Shelf<T> {
    /// All empty.
    pub(super) fn new(places: usize) -> Shelf<T> {
        Shelf((0..places).map(|_| AtomicPtr::default()).collect())
    }

    /// How many places there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// What is in a place; `None` if that is nothing, or there is no such place.
    #[inline]
    pub(super) fn get(&self, place: usize) -> Option<&T> {
        let value = self.0.get(place)?.load(Ordering::Acquire);
        // SAFETY: TEAM-K1: null, or a box that stays until this reference is not used any more.
        unsafe { value.as_ref() }
    }

    /// All that there are.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    /// Puts a value into a place, unless there is one: then the new one is dropped. What is there.
    pub(super) fn put(&self, place: usize, value: T) -> &T {
        let value = Box::into_raw(Box::new(value));
        let there =
            self.0[place].compare_exchange(ptr::null_mut(), value, Ordering::AcqRel, Ordering::Acquire);
        let there = there.map_or_else(
            |first| {
                // SAFETY: made above, and given to nobody.
                drop(unsafe { Box::from_raw(value) });
                first
            },
            |_| value,
        );
        // SAFETY: TEAM-K1: a box, as in `get`.
        unsafe { &*there }
    }

    /// Takes out what is in a place.
    ///
    /// # Safety
    /// TEAM-K1: no reference to it is used any more, and nobody is about to [`get`](Self::get) one.
    pub(crate) unsafe fn take(&self, place: usize) -> Option<T> {
        let value = self.0[place].swap(ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: TEAM-K1: a box that was leaked in `put`, and the last use of it; the exchange lets one thread have it.
        (!value.is_null()).then(|| *unsafe { Box::from_raw(value) })
    }
}

impl<T: Send + Sync> Drop for Shelf<T> {
    fn drop(&mut self) {
        for place in &mut self.0 {
            let value = *place.get_mut();
            if !value.is_null() {
                // SAFETY: TEAM-K1: a box that was leaked in `put`; whoever has a reference to what is in it borrows the
                // shelf, which nobody does any more.
                drop(unsafe { Box::from_raw(value) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_first_in_a_place_stays_and_all_are_dropped_once() {
        let drops = Arc::new(());
        let shelf = Shelf::new(3);
        assert!(Arc::ptr_eq(shelf.put(1, drops.clone()), &drops));
        shelf.put(1, drops.clone());
        shelf.put(2, drops.clone());
        assert_eq!((Arc::strong_count(&drops), shelf.iter().count(), shelf.len()), (3, 2, 3));
        assert!(shelf.get(0).is_none() && shelf.get(3).is_none());
        // SAFETY: TEAM-K1: no reference is left, and there is no other thread.
        assert!(unsafe { shelf.take(2) }.is_some());
        // SAFETY: as above.
        assert!(unsafe { shelf.take(2) }.is_none());
        assert_eq!(Arc::strong_count(&drops), 2);
        drop(shelf);
        assert_eq!(Arc::strong_count(&drops), 1);
    }

    #[test]
    fn one_of_several_threads_is_first() {
        let shelf = Shelf::new(1);
        std::thread::scope(|scope| {
            let puts = [1, 2, 3].map(|n| {
                scope.spawn({
                    let shelf = &shelf;
                    move || *shelf.put(0, n)
                })
            });
            let seen = puts.map(|put| put.join().unwrap());
            assert!(seen.iter().all(|n| Some(n) == shelf.get(0)), "{seen:?}");
        });
    }
}
