//! Atomics on elements of a shared object, on any PE (OpenSHMEM 1.6, 9.8).
//!
//! ```text
//!   AmoSwap   f32 f64 + integers   fetch, set, swap
//!   AmoInt    integers             add, inc, compare_swap
//!   AmoBit    integers             and, or, xor
//! ```
//!
//! Each is one instruction on the peer's memory and a look whether the PE sleeps in a wait. What the
//! non-fetching ones do is complete when they return where that memory is mapped here; on another host it is under way, as a put is,
//! and `quiet` completes it.

use crate::api::phase::remote::Remote;
use crate::types::amo::AmoOp;
use crate::types::elem::{AmoBit, AmoInt, AmoSwap};
use crate::types::thread_level::Level;

impl<T: AmoSwap, L: Level> Remote<'_, T, L> {
    /// Atomically reads (`shmem_atomic_fetch`); what was put before the value is visible afterwards.
    #[inline]
    pub fn fetch(&self, pe: usize, at: usize) -> T {
        self.change("fetch", pe, at, AmoOp::Load)
    }

    /// Atomically writes (`shmem_atomic_set`).
    #[inline]
    pub fn set(&self, pe: usize, at: usize, value: T) {
        self.post("set", pe, at, AmoOp::Set(value));
    }

    /// Atomically puts `value` and returns what was there (`shmem_atomic_swap`).
    #[inline]
    pub fn swap(&self, pe: usize, at: usize, value: T) -> T {
        self.change("swap", pe, at, AmoOp::Swap(value))
    }
}

/// All panic if there is no PE `pe` or no element `at`. Sums wrap around.
impl<T: AmoInt, L: Level> Remote<'_, T, L> {
    /// Atomically puts `new` if `expected` is there; returns what was there (`shmem_atomic_compare_swap`).
    #[inline]
    pub fn compare_swap(&self, pe: usize, at: usize, expected: T, new: T) -> T {
        self.change("compare_swap", pe, at, AmoOp::CompareSwap(expected, new))
    }

    /// Atomically adds `value` and returns what was there (`shmem_atomic_fetch_add`).
    #[inline]
    pub fn fetch_add(&self, pe: usize, at: usize, value: T) -> T {
        self.change("fetch_add", pe, at, AmoOp::Add(value))
    }

    /// Atomically adds `value` (`shmem_atomic_add`).
    #[inline]
    pub fn add(&self, pe: usize, at: usize, value: T) {
        self.post("add", pe, at, AmoOp::Add(value));
    }

    /// Atomically adds one and returns what was there (`shmem_atomic_fetch_inc`).
    #[inline]
    pub fn fetch_inc(&self, pe: usize, at: usize) -> T {
        self.fetch_add(pe, at, T::ONE)
    }

    /// Atomically adds one (`shmem_atomic_inc`).
    #[inline]
    pub fn inc(&self, pe: usize, at: usize) {
        self.post("inc", pe, at, AmoOp::Add(T::ONE));
    }
}

/// All panic if there is no PE `pe` or no element `at`.
impl<T: AmoBit, L: Level> Remote<'_, T, L> {
    /// Atomically keeps the bits that are set in `value`; returns what was there (`shmem_atomic_fetch_and`).
    #[inline]
    pub fn fetch_and(&self, pe: usize, at: usize, value: T) -> T {
        self.change("fetch_and", pe, at, AmoOp::And(value))
    }

    /// Atomically keeps the bits that are set in `value` (`shmem_atomic_and`).
    #[inline]
    pub fn and(&self, pe: usize, at: usize, value: T) {
        self.post("and", pe, at, AmoOp::And(value));
    }

    /// Atomically sets the bits that are set in `value`; returns what was there (`shmem_atomic_fetch_or`).
    #[inline]
    pub fn fetch_or(&self, pe: usize, at: usize, value: T) -> T {
        self.change("fetch_or", pe, at, AmoOp::Or(value))
    }

    /// Atomically sets the bits that are set in `value` (`shmem_atomic_or`).
    #[inline]
    pub fn or(&self, pe: usize, at: usize, value: T) {
        self.post("or", pe, at, AmoOp::Or(value));
    }

    /// Atomically flips the bits that are set in `value`; returns what was there (`shmem_atomic_fetch_xor`).
    #[inline]
    pub fn fetch_xor(&self, pe: usize, at: usize, value: T) -> T {
        self.change("fetch_xor", pe, at, AmoOp::Xor(value))
    }

    /// Atomically flips the bits that are set in `value` (`shmem_atomic_xor`).
    #[inline]
    pub fn xor(&self, pe: usize, at: usize, value: T) {
        self.post("xor", pe, at, AmoOp::Xor(value));
    }
}
