//! Locks (OpenSHMEM 1.6, distributed locking): a symmetric `long`, zero at first, one holder among all PEs.
//!
//! The word of a lock on a PE is two halves of 32 bits: the tail of the queue, used on the lock's home PE
//! only, and this PE's node in it ([`queue`]). The home follows from where the lock is in its page, which is
//! the same on every PE for heap and static objects alike; so locks side by side have different homes.
//!
//! Invariant **LOCK-K1**: a place that `Call::amo_target` gave out for a lock is mapped, aligned, and accessed as
//! two atomics of 32 bits by everybody, for the length of a call: the callers' promise.

pub(crate) mod queue;

use std::sync::atomic::Ordering;

use crate::raw::lock::queue::Words;

use crate::call::Call;
use crate::call::place::Spot;
use crate::call::transfer::mapped::notify;
use crate::engine::Handle;
use crate::node::hot::HOT;
use crate::raw::routines::routines;
use crate::sync::primitives::AtomicU32;
use crate::transport;
use crate::types::amo::AmoOp;

/// A lock, for one call.
struct Lock {
    call: Call,
    at: *mut i64,
    me: u32,
    tail: Spot,
}

impl Lock {
    /// # Safety
    /// LOCK-K1.
    #[inline]
    unsafe fn new(call: Call, at: *mut i64) -> Lock {
        let n_pes = HOT.n_pes.load(Ordering::Relaxed);
        let tail = call.amo_target(at, home(at.addr(), n_pes) as i32);
        Lock { call, at, me: HOT.me.load(Ordering::Relaxed), tail }
    }

    #[cold]
    fn engine(&self) -> Handle {
        self.call.engine()
    }
}

/// Which PE has the tail of the lock at this address. Pages are in the same places on every PE, up to whole pages.
#[inline]
fn home(at: usize, n_pes: u32) -> u32 {
    // Fibonacci hashing: neighbours are spread evenly.
    let spread = ((at % 4096 / 8) as u32).wrapping_mul(0x9e37_79b9);
    ((u64::from(spread) * u64::from(n_pes)) >> 32) as u32
}

impl Words for Lock {
    #[inline]
    fn tail(&self, op: AmoOp<u32>) -> u32 {
        // SAFETY: LOCK-K1: the first half of the home's word.
        unsafe { self.tail.amo_quietly(op) }
    }

    #[inline]
    fn mine(&self) -> &AtomicU32 {
        // SAFETY: LOCK-K1: the second half of this PE's word.
        unsafe { &*self.at.cast::<AtomicU32>().wrapping_add(1) }
    }

    #[inline]
    fn node(&self, pe: u32, op: AmoOp<u32>) -> u32 {
        let word = self.word(pe);
        // SAFETY: LOCK-K1: the second half of that PE's word.
        unsafe { word.plus(4).amo_quietly(op) }
    }

    #[inline]
    fn notify(&self, pe: u32) {
        notify(pe);
    }

    fn wait(&self, before: Option<u32>, ready: impl Fn() -> bool) {
        let (call, at) = (self.call.routine, self.at.addr());
        let place = || match before {
            Some(pe) => format!("{call} on the lock at {at:#x}, behind PE {pe}"),
            None => format!("{call} on the lock at {at:#x}, for the PE that comes next"),
        };
        self.engine().wait_notified(ready, place);
    }
}

impl Lock {
    /// The word on another PE.
    #[cold]
    fn word(&self, pe: u32) -> Spot {
        if pe >= HOT.n_pes.load(Ordering::Relaxed) {
            let at = self.at.addr();
            self.call.fail(&format!(
                "what is at {at:#x} is no lock: it must be 0 on every PE before its first use"
            ));
        }
        self.call.amo_target(self.at, pe as i32)
    }
}

routines! {
    /// Takes the lock, after all PEs that asked for it before (`shmem_set_lock`). Blocks the calling thread only.
    ///
    /// # Safety
    /// `lock` is a symmetric variable that was 0 on every PE before its first use and is used by these three routines
    /// only. The World stays up during the call.
    fn set_lock(call, lock: *mut i64) {
        // SAFETY: RAW-R3: a symmetric variable that these routines alone use.
        let words = unsafe { Lock::new(call, lock) };
        if queue::acquire(&words, words.me).is_err() {
            let at = lock.addr();
            call.fail(&format!("this PE holds the lock at {at:#x}, or waits for it, in this or another thread: it would wait for itself"));
        }
    }

    /// Takes the lock if no PE has it: 0 if it did, 1 if the lock is held (`shmem_test_lock`).
    ///
    /// # Safety
    /// As [`set_lock`].
    fn test_lock(call, lock: *mut i64) -> i32 {
        // SAFETY: RAW-R3: a symmetric variable that these routines alone use.
        let words = unsafe { Lock::new(call, lock) };
        i32::from(!call.tested(queue::try_acquire(&words, words.me), false))
    }

    /// Completes this PE's operations on the default context, then passes the lock to the PE that has waited longest
    /// (`shmem_clear_lock`).
    ///
    /// # Safety
    /// As [`set_lock`].
    fn clear_lock(call, lock: *mut i64) {
        // SAFETY: RAW-R3: a symmetric variable that these routines alone use.
        let words = unsafe { Lock::new(call, lock) };
        transport::quiet(call.stream());
        if queue::release(&words, words.me).is_err() {
            call.fail(&format!("this PE does not hold the lock at {:#x}", lock.addr()));
        }
    }
}
