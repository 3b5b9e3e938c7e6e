//! The handle of a shared object: put, get, atomics and waits, on any PE.
//!
//! Every call checks the PE and the range, then goes straight to the peer's memory: one load of the
//! peer's base from the table the handle carries, and the copy. No lock, no allocation, no virtual call.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use memheap::{Offset, PeId};

use crate::copy;
use crate::elem::{AmoInt, Elem};
use crate::engine::Engine;
use crate::global::GlobalPtr;
use crate::level::Level;
use crate::segment::Peer;
use crate::static_data::Static;

/// An object open to every PE, for the length of a phase.
///
/// All calls may be made by any PE on any PE, itself included, without others taking part. What several
/// PEs do to the same element at once is unordered; only the atomics are atomic towards each other.
pub struct Remote<'s, T, L: Level> {
    engine: &'s Engine,
    /// Where the object's memory is for each PE: its segment, or its statics.
    peers: &'s [Peer],
    at: Offset,
    len: usize,
    what: PhantomData<(&'s T, L)>,
}

/// An object open to every PE for reading only.
pub struct RemoteRead<'s, T, L: Level>(Remote<'s, T, L>);

/// How a wait compares the element with the value (OpenSHMEM 1.6, `SHMEM_CMP_*`).
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

impl<T, L: Level> Clone for Remote<'_, T, L> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, L: Level> Copy for Remote<'_, T, L> {}
impl<T, L: Level> Clone for RemoteRead<'_, T, L> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, L: Level> Copy for RemoteRead<'_, T, L> {}

impl<'s, T: Elem, L: Level> Remote<'s, T, L> {
    /// The object of `len` elements at `at`, which all PEs have entered the phase with (P1).
    pub(super) fn new(engine: &'s Engine, at: Offset, len: usize) -> Self {
        Remote { engine, peers: &engine.peers, at, len, what: PhantomData }
    }

    /// A static of one element that every PE has (C1).
    pub(crate) fn of_static(engine: &'s Engine, found: Static<'s>) -> Self {
        Remote { engine, peers: found.table, at: found.at, len: 1, what: PhantomData }
    }

    /// Elements of the object, on each PE.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Who asks, of how many PEs, and where in the heap the object lies; for a static, past every heap.
    #[inline]
    pub(crate) fn whereabouts(&self) -> (PeId, u32, Offset) {
        let in_heap = std::ptr::eq(self.peers.as_ptr(), self.engine.peers.as_ptr());
        (self.engine.me, self.engine.n_pes, if in_heap { self.at } else { Offset(u64::MAX >> 1) })
    }

    /// Where elements `at .. at + n` of the object on `pe` are in this process.
    #[inline]
    fn place(&self, call: &'static str, pe: usize, at: usize, n: usize) -> *mut T {
        let Some(peer) = self.peers.get(pe) else { self.no_such_pe(call, pe) };
        if at > self.len || self.len - at < n {
            self.out_of_range(call, pe, at, n);
        }
        let offset = self.at.0 as usize + at * size_of::<T>();
        // SAFETY: P1, or C1 for a static: the object lies inside that memory of every peer, and the range
        // inside the object.
        unsafe { peer.heap.add(offset) }.cast::<T>()
    }

    #[cold]
    #[inline(never)]
    fn no_such_pe(&self, call: &str, pe: usize) -> ! {
        let Engine { me, n_pes, .. } = self.engine;
        panic!("PE {me}: {call}: there is no PE {pe}; the job has PEs 0 to {}", n_pes - 1)
    }

    #[cold]
    #[inline(never)]
    fn out_of_range(&self, call: &str, pe: usize, at: usize, n: usize) -> ! {
        let (me, len) = (self.engine.me, self.len);
        panic!("PE {me}: {call}: elements {at}..{} of an object of {len} on PE {pe}", at.saturating_add(n))
    }

    /// Copies `src` to elements `at ..` of the object on `pe`. Returns when `src` may be used again; the
    /// data is there for others after [`quiet`](super::Phase::quiet) or a barrier (OpenSHMEM 1.6, `shmem_put`).
    ///
    /// # Panics
    /// If there is no PE `pe` or the range leaves the object.
    #[inline]
    pub fn put(&self, pe: usize, at: usize, src: &[T]) {
        let to = self.place("put", pe, at, src.len());
        // SAFETY: `place` checked the range; a shared object is never behind a Rust reference, so it
        // cannot overlap `src`.
        unsafe { copy::put(to, src.as_ptr(), src.len()) }
    }

    /// Copies elements `at ..` of the object on `pe` into `dst`, and returns when they are there
    /// (OpenSHMEM 1.6, `shmem_get`).
    ///
    /// # Panics
    /// As [`put`](Self::put).
    #[inline]
    pub fn get(&self, pe: usize, at: usize, dst: &mut [T]) {
        let from = self.place("get", pe, at, dst.len());
        // SAFETY: as in `put`.
        unsafe { copy::get(dst.as_mut_ptr(), from, dst.len()) }
    }

    /// Puts one element (OpenSHMEM 1.6, `shmem_p`). Not torn if its size is its alignment and at most 8.
    ///
    /// # Panics
    /// As [`put`](Self::put).
    #[inline]
    pub fn put_one(&self, pe: usize, at: usize, value: T) {
        let to = self.place("put_one", pe, at, 1);
        // SAFETY: `place` checked the range.
        unsafe { copy::store(to, value) }
    }

    /// Gets one element (OpenSHMEM 1.6, `shmem_g`).
    ///
    /// # Panics
    /// As [`put`](Self::put).
    #[inline]
    pub fn get_one(&self, pe: usize, at: usize) -> T {
        let from = self.place("get_one", pe, at, 1);
        // SAFETY: `place` checked the range.
        unsafe { copy::load(from) }
    }

    /// Reads an element of this PE's own part.
    ///
    /// # Panics
    /// If there is no such element.
    #[inline]
    pub fn read(&self, at: usize) -> T {
        self.get_one(self.engine.me.0 as usize, at)
    }

    /// Writes an element of this PE's own part.
    ///
    /// # Panics
    /// If there is no such element.
    #[inline]
    pub fn write(&self, at: usize, value: T) {
        self.put_one(self.engine.me.0 as usize, at, value)
    }
}

impl<'s, T: Elem, L: Level> Remote<'s, GlobalPtr<T>, L> {
    /// The same object as the words its pointers are, for waits and other atomics: a pointer is a
    /// transparent wrapper of a word, and any word is a pointer.
    #[inline]
    pub fn words(&self) -> Remote<'s, u64, L> {
        Remote { engine: self.engine, peers: self.peers, at: self.at, len: self.len, what: PhantomData }
    }
}

impl<T: AmoInt, L: Level> Remote<'_, T, L> {
    /// Atomically adds `value` and returns what was there (OpenSHMEM 1.6, `shmem_atomic_fetch_add`).
    ///
    /// # Panics
    /// If there is no PE `pe` or no element `at`; so for all atomics.
    #[inline]
    pub fn fetch_add(&self, pe: usize, at: usize, value: T) -> T {
        let to = self.place("fetch_add", pe, at, 1);
        // SAFETY: `place` checked the range; the element is aligned, and changed atomically only.
        let old = unsafe { T::amo_add(to, value) };
        self.ring(pe);
        old
    }

    /// Atomically adds `value` (OpenSHMEM 1.6, `shmem_atomic_add`).
    #[inline]
    pub fn add(&self, pe: usize, at: usize, value: T) {
        self.fetch_add(pe, at, value);
    }

    /// Atomically puts `new` if `expected` is there; returns what was there (OpenSHMEM 1.6,
    /// `shmem_atomic_compare_swap`).
    #[inline]
    pub fn compare_swap(&self, pe: usize, at: usize, expected: T, new: T) -> T {
        let to = self.place("compare_swap", pe, at, 1);
        // SAFETY: as in `fetch_add`.
        let old = unsafe { T::amo_compare_swap(to, expected, new) };
        self.ring(pe);
        old
    }

    /// Atomically puts `value` and returns what was there (OpenSHMEM 1.6, `shmem_atomic_swap`).
    #[inline]
    pub fn swap(&self, pe: usize, at: usize, value: T) -> T {
        let to = self.place("swap", pe, at, 1);
        // SAFETY: as in `fetch_add`.
        let old = unsafe { T::amo_swap(to, value) };
        self.ring(pe);
        old
    }

    /// Atomically reads (OpenSHMEM 1.6, `shmem_atomic_fetch`); what was put before the value is visible
    /// afterwards.
    #[inline]
    pub fn fetch(&self, pe: usize, at: usize) -> T {
        let from = self.place("fetch", pe, at, 1);
        // SAFETY: as in `fetch_add`.
        unsafe { T::amo_load(from) }
    }

    /// Atomically writes (OpenSHMEM 1.6, `shmem_atomic_set`).
    #[inline]
    pub fn set(&self, pe: usize, at: usize, value: T) {
        let to = self.place("set", pe, at, 1);
        // SAFETY: as in `fetch_add`.
        unsafe { T::amo_set(to, value) }
        self.ring(pe);
    }

    /// Waits until element `at` of this PE's own part compares true with `value`, and returns it
    /// (OpenSHMEM 1.6, `shmem_wait_until`). What was put before the change is visible afterwards.
    pub fn wait_until(&self, at: usize, cmp: Cmp, value: T) -> T {
        let mine = self.place("wait_until", self.engine.me.0 as usize, at, 1);
        let seen = std::cell::Cell::new(value);
        let holds = || {
            // SAFETY: as in `fetch_add`.
            seen.set(unsafe { T::amo_load(mine) });
            cmp.holds(seen.get(), value)
        };
        let place = || format!("wait_until on element {at} of the object at {}", self.at);
        self.engine.wait_until(holds, place);
        seen.get()
    }

    #[inline]
    fn ring(&self, pe: usize) {
        self.engine.ring(PeId(pe as u32));
    }
}

impl<'s, T: Elem, L: Level> RemoteRead<'s, T, L> {
    pub(super) fn new(remote: Remote<'s, T, L>) -> Self {
        RemoteRead(remote)
    }

    /// The handle behind it, for reading only.
    #[inline]
    pub(crate) fn readable(&self) -> &Remote<'s, T, L> {
        &self.0
    }

    /// Elements of the object, on each PE.
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// As [`Remote::get`].
    ///
    /// # Panics
    /// As there.
    #[inline]
    pub fn get(&self, pe: usize, at: usize, dst: &mut [T]) {
        self.0.get(pe, at, dst);
    }

    /// As [`Remote::get_one`].
    ///
    /// # Panics
    /// As there.
    #[inline]
    pub fn get_one(&self, pe: usize, at: usize) -> T {
        self.0.get_one(pe, at)
    }
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
