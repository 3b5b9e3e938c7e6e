//! Locks: one holder among all PEs, first come first served (OpenSHMEM 1.6, 9.13).
//!
//! ```text
//!   let turn = lock.lock();            waits behind those that asked before
//!   ... get, put, atomics ...          of what the lock is to protect
//!   drop(turn)                         quiet, and the next one has it
//! ```
//!
//! A lock needs no phase: its word is never laid open, so nobody can write it. Who protects an object with one
//! shares the object, and takes the lock in the phase.
//!
//! Invariants: **APILOCK-Q1** the word of a lock was 0 on every PE before its first use, and is used by the calls of
//! [`crate::raw`] for locks only, until every PE has dropped it: PEs agree that it is a lock when they allocate it. **APILOCK-Q2** the threads of a PE take turns at
//! their PE's place in the queue.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use memheap::place::{Near, Reach};
use parking_lot::{ReentrantMutex, ReentrantMutexGuard};

use crate::api::sym::SymSlice;
use crate::api::sym_static::Declared;
use crate::api::world::World;
use crate::error::Error;
use crate::exit::deadlock::{Blocked, By};
use crate::process::child;
use crate::raw::{Call, ops};
use crate::types::object::ObjectType;
use crate::types::thread_level::Level;

/// How often a thread that waits for another of its PE looks whether the job goes on.
const LOOK: Duration = Duration::from_millis(100);

/// A symmetric lock: one for all PEs, which at most one thread of one PE holds. See [`World::alloc_lock`].
pub struct SymLock<'w, L: Level> {
    word: SymSlice<'w, i64>,
    threads: ReentrantMutex<()>,
    level: PhantomData<L>,
}

/// A lock that is a static of the executable, there from the start as a [`SymStatic`](crate::SymStatic) is.
/// [`sym_static!`](macro@crate::sym_static) declares one.
///
/// ```no_run
/// shmem_api::sym_static! { static ONE_AT_A_TIME: StaticLock; }
///
/// # fn main() -> Result<(), shmem_api::Error> {
/// let world = shmem_api::World::init()?;
/// let _turn = ONE_AT_A_TIME.lock(&world);
/// println!("PE {} alone", world.pe());
/// # Ok(()) }
/// ```
pub struct StaticLock {
    word: UnsafeCell<i64>,
    threads: ReentrantMutex<()>,
}

// SAFETY: the word is used by the calls for locks only (APILOCK-Q1), which access it atomically.
unsafe impl Sync for StaticLock {}

/// Holds a lock, until it is dropped; then everything this PE has done is complete and visible to the next holder.
#[must_use = "the lock is released when this is dropped"]
pub struct LockGuard<'l> {
    word: *mut i64,
    _turn: ReentrantMutexGuard<'l, ()>,
}

impl<L: Level> World<L> {
    /// Collective: a lock that nobody holds.
    ///
    /// # Errors
    /// As [`alloc`](Self::alloc).
    #[track_caller]
    pub fn alloc_lock(&self) -> Result<SymLock<'_, L>, Error> {
        let word = self.take(1, ObjectType::lock(), Reach::World, Near::Any)?;
        // APILOCK-Q1: on every PE it is 0 by now.
        self.try_barrier()?;
        Ok(SymLock { word, threads: ReentrantMutex::new(()), level: PhantomData })
    }
}

impl<L: Level> SymLock<'_, L> {
    /// Waits until no PE holds the lock and all that asked for it before have had it, and holds it
    /// (`shmem_set_lock`). Not collective. A thread that holds it already ends the job with one line: it would wait
    /// for itself.
    pub fn lock(&self) -> LockGuard<'_> {
        let turn = turn("SymLock::lock", &self.threads);
        // SAFETY: APILOCK-Q1 for the word of a SymLock; APILOCK-Q2 by the turn.
        unsafe { LockGuard::wait("SymLock::lock", self.word.base(), turn) }
    }

    /// Holds the lock if nobody does (`shmem_test_lock`). Not collective.
    pub fn try_lock(&self) -> Option<LockGuard<'_>> {
        let turn = self.threads.try_lock()?;
        // SAFETY: APILOCK-Q1 for the word of a SymLock; APILOCK-Q2 by the turn.
        unsafe { LockGuard::test("SymLock::try_lock", self.word.base(), turn) }
    }
}

impl StaticLock {
    /// A lock that nobody holds.
    #[doc(hidden)]
    pub const fn declared(_: Declared) -> StaticLock {
        StaticLock { word: UnsafeCell::new(0), threads: ReentrantMutex::new(()) }
    }

    /// As [`SymLock::lock`]. It ends the job, too, if this is no static of the executable, or if some PE runs
    /// another one.
    pub fn lock<'l, L: Level>(&'static self, _world: &'l World<L>) -> LockGuard<'l> {
        let turn = turn("StaticLock::lock", &self.threads);
        // SAFETY: APILOCK-Q1: by SYMSTATIC-Z2 of `sym_static` it is the word of this lock on every PE, 0 at first, and private; the call checks that
        // it is symmetric, and the World is up as long as the guard lives. APILOCK-Q2 by the turn.
        unsafe { LockGuard::wait("StaticLock::lock", self.word.get(), turn) }
    }

    /// As [`SymLock::try_lock`], and as [`lock`](Self::lock).
    pub fn try_lock<'l, L: Level>(&'static self, _world: &'l World<L>) -> Option<LockGuard<'l>> {
        let turn = self.threads.try_lock()?;
        // SAFETY: APILOCK-Q1 by SYMSTATIC-Z2, as the call checks, while the World is up; APILOCK-Q2 by the turn.
        unsafe { LockGuard::test("StaticLock::try_lock", self.word.get(), turn) }
    }
}

/// This thread's turn at its PE's place in the queue (APILOCK-Q2).
#[inline]
fn turn<'l>(call: &'static str, threads: &'l ReentrantMutex<()>) -> ReentrantMutexGuard<'l, ()> {
    threads.try_lock().unwrap_or_else(|| turn_of_several(call, threads))
}

/// As [`turn`], behind another thread of this PE, which may have forgotten its guard: so the wait is one that is told of.
#[cold]
fn turn_of_several<'l>(call: &'static str, threads: &'l ReentrantMutex<()>) -> ReentrantMutexGuard<'l, ()> {
    let engine = Call::new(call).engine();
    let place = || format!("{call}, behind another thread of this PE");
    let mut report = engine.policy.report(engine.me, place);
    let (mut blocked, start) = (Blocked::new(&engine, By::Calls, &place), Instant::now());
    loop {
        if let Some(turn) = threads.try_lock_for(LOOK) {
            return turn;
        }
        blocked.look(start.elapsed());
        report(start.elapsed());
    }
}

impl<'l> LockGuard<'l> {
    /// # Safety
    /// APILOCK-Q1 for `word`, and the World stays up for `'l`.
    unsafe fn wait(call: &'static str, word: *mut i64, turn: ReentrantMutexGuard<'l, ()>) -> LockGuard<'l> {
        // SAFETY: APILOCK-Q1, of which the caller made sure, and APILOCK-Q2 by the turn.
        unsafe { ops::set_lock(Call::new(call), word) };
        LockGuard { word, _turn: turn }
    }

    /// # Safety
    /// As for [`wait`](Self::wait).
    unsafe fn test(
        call: &'static str,
        word: *mut i64,
        turn: ReentrantMutexGuard<'l, ()>,
    ) -> Option<LockGuard<'l>> {
        // SAFETY: APILOCK-Q1, of which the caller made sure, and APILOCK-Q2 by the turn.
        let held = unsafe { ops::test_lock(Call::new(call), word) };
        (held == 0).then(|| LockGuard { word, _turn: turn })
    }
}

impl Drop for LockGuard<'_> {
    fn drop(&mut self) {
        // It is its parent that holds it.
        if child::is_marked() {
            return;
        }
        // SAFETY: APILOCK-Q1, and APILOCK-Q2: this thread holds it, since the guard stays on its thread.
        unsafe { ops::clear_lock(Call::new("LockGuard::drop"), self.word) };
    }
}
