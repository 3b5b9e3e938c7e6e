//! The atomics and the sleeping of the protocols that are model-checked: those of the system, or loom's.
//!
//! What waits, meets or queues uses these, so that `make loom` explores the code that runs, not a copy. A
//! model has no clock: a sleep there lasts until it is woken, so a lost wake is a deadlock that loom reports.

pub(crate) use std::sync::atomic::Ordering;

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, fence};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::fence;
#[cfg(not(loom))]
#[allow(clippy::disallowed_types)]
mod of_the_system {
    pub(crate) type AtomicU32 = std::sync::atomic::AtomicU32;
    pub(crate) type AtomicU64 = std::sync::atomic::AtomicU64;
}
#[cfg(not(loom))]
pub(crate) use of_the_system::{AtomicU32, AtomicU64};

/// Sleeping on a word that other processes may change.
#[cfg(not(loom))]
pub(crate) mod futex {
    use std::time::Duration;

    use rustix::thread::futex;

    use super::AtomicU32;

    /// Sleeps, at most for `at_most` (below a second), unless the word is no longer `seen`.
    pub(crate) fn wait(word: &AtomicU32, seen: u32, at_most: Duration) {
        let timeout = futex::Timespec { tv_sec: 0, tv_nsec: at_most.subsec_nanos().into() };
        // A wake, a changed word, the end of the time and a signal are all reasons to look again.
        let _ = futex::wait(word, futex::Flags::empty(), seen, Some(&timeout));
    }

    /// Wakes everybody asleep on the word, in every process.
    pub(crate) fn wake_all(word: &AtomicU32) {
        // It can only fail for an address that is not mapped.
        let _ = futex::wake(word, futex::Flags::empty(), i32::MAX as u32);
    }
}

/// The same in a model: a word is compared and its sleepers are woken under one lock, as in the kernel.
#[cfg(loom)]
pub(crate) mod futex {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::time::Duration;

    use loom::sync::{Condvar, Mutex};

    use super::AtomicU32;

    loom::lazy_static! {
        static ref SLEEPERS: Mutex<HashMap<usize, Arc<Condvar>>> = Mutex::new(HashMap::new());
    }

    pub(crate) fn wait(word: &AtomicU32, seen: u32, _: Duration) {
        let mut sleepers = SLEEPERS.lock().unwrap();
        if word.load(super::Ordering::Relaxed) == seen {
            let here = sleepers.entry(address(word)).or_insert_with(|| Arc::new(Condvar::new())).clone();
            drop(here.wait(sleepers));
        }
    }

    pub(crate) fn wake_all(word: &AtomicU32) {
        if let Some(here) = SLEEPERS.lock().unwrap().get(&address(word)) {
            here.notify_all();
        }
    }

    fn address(word: &AtomicU32) -> usize {
        std::ptr::from_ref(word).addr()
    }
}

/// Runs `model` in every order in which its threads can run, or in those with at most so many preemptions; with
/// `SHMEM_TEST_PREEMPTIONS`, in none with more than that.
#[cfg(all(test, loom))]
pub(crate) fn explore(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    let most = std::env::var("SHMEM_TEST_PREEMPTIONS").ok().map(|n| n.parse().expect("a number"));
    builder.preemption_bound = preemptions.into_iter().chain(most).min();
    builder.check(model);
}
