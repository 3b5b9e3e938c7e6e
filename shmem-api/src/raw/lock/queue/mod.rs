//! The queue of a lock: PEs are served in the order in which they came, and each waits on its own word.
//!
//! ```text
//!   the lock's word on its home PE          on PE 3 (holds it)        on PE 1 (waits)
//!   | tail: PE 1 | node of the home |       | 0 | HERE HELD next:1 |  | 0 | HERE |
//!        └──────────────────────────────────────────────────────────────► last of the queue
//!
//!   come:  node = HERE HELD; swap the tail ─► nobody before me: it is mine
//!                                          └► PE p: not HELD yet; p's node |= me; wait until HELD
//!   go:    nobody behind me: tail = 0 (if it is still me); node = 0
//!          PE n behind me: node = 0; n's node |= HELD
//! ```
//!
//! This is the queue lock of Mellor-Crummey and Scott, with the nodes in the lock's own word: every PE has a
//! copy of it, so there is nothing to allocate, and a waiting PE watches memory of its own.
//!
//! Invariants: **QUEUE-Q1** a PE in the queue has HERE in its node; one that is not has 0 there. **QUEUE-Q2** at most one
//! PE has HELD and no PE before it in the queue. **QUEUE-Q3** a PE's node is linked to once for each time it
//! comes, by the PE behind it, and is not left before that: nobody writes to the node of a PE that has gone. **QUEUE-Q4** the
//! words are all 0 when nobody holds the lock.

#[cfg(all(test, loom))]
mod models;

use crate::sync::primitives::{AtomicU32, Ordering};
use crate::types::amo::AmoOp;

/// What the queue is made of, and how a PE waits in it.
pub(crate) trait Words {
    /// An operation on the last PE of the queue, plus 1; on the home PE. It acquires and releases.
    fn tail(&self, op: AmoOp<u32>) -> u32;
    /// This PE's node.
    fn mine(&self) -> &AtomicU32;
    /// An operation on the node of another PE. It acquires and releases.
    fn node(&self, pe: u32, op: AmoOp<u32>) -> u32;
    /// Wakes `pe`, whose node was just changed.
    fn notify(&self, pe: u32);
    /// Waits until `ready`: until the PE `before` this one passes the lock on or, if none is given, the one
    /// behind has told of itself.
    fn wait(&self, before: Option<u32>, ready: impl Fn() -> bool);
}

/// This PE is in the queue.
const HERE: u32 = 1 << 31;
/// The lock is this PE's, as far as it knows.
const HELD: u32 = 1 << 30;
/// The PE behind this one, plus 1.
const NEXT: u32 = HELD - 1;

/// This PE, or a thread of it, holds the lock or waits for it.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct AlreadyHere;

/// This PE does not hold the lock.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct NotHeld;

/// Takes the lock, after all who came before.
#[inline]
pub(crate) fn acquire(words: &impl Words, me: u32) -> Result<(), AlreadyHere> {
    let mine = words.mine();
    if mine.load(Ordering::Relaxed) != 0 {
        return Err(AlreadyHere);
    }
    mine.store(HERE | HELD, Ordering::Relaxed);
    // Release: whoever comes next finds my node as I have just made it. Acquire: I see what the last
    // holder did, and the node of the PE before me.
    match words.tail(AmoOp::Swap(me + 1)) {
        0 => {}
        before => queue_up(words, me, before - 1),
    }
    Ok(())
}

#[cold]
fn queue_up(words: &impl Words, me: u32, before: u32) {
    let mine = words.mine();
    // Atomic, since the PE behind me may link to me meanwhile; before I link, since only then am I passed
    // the lock.
    mine.fetch_and(!HELD, Ordering::Relaxed);
    // Release: my node is ready to have the lock passed to it.
    words.node(before, AmoOp::Or(me + 1));
    // It may be asleep until I do this (see `release`).
    words.notify(before);
    // Acquire: I see what the PE before me did.
    words.wait(Some(before), || mine.load(Ordering::Acquire) & HELD != 0);
}

/// Takes the lock if nobody has it; whether it did.
#[inline]
pub(crate) fn try_acquire(words: &impl Words, me: u32) -> bool {
    let mine = words.mine();
    if words.tail(AmoOp::Load) != 0 || mine.load(Ordering::Relaxed) != 0 {
        return false;
    }
    mine.store(HERE | HELD, Ordering::Relaxed);
    let taken = words.tail(AmoOp::CompareSwap(0, me + 1)) == 0;
    if !taken {
        mine.store(0, Ordering::Relaxed);
    }
    taken
}

/// Passes the lock to the PE behind this one, or leaves it free.
#[inline]
pub(crate) fn release(words: &impl Words, me: u32) -> Result<(), NotHeld> {
    let mine = words.mine();
    let node = mine.load(Ordering::Acquire);
    if node & HELD == 0 {
        return Err(NotHeld);
    }
    // Release: the next holder sees what I did.
    if node & NEXT == 0 && words.tail(AmoOp::CompareSwap(me + 1, 0)) == me + 1 {
        mine.store(0, Ordering::Relaxed);
    } else {
        pass_on(words);
    }
    Ok(())
}

#[cold]
fn pass_on(words: &impl Words) {
    let mine = words.mine();
    // Acquire: the node of the PE behind me is ready.
    let next = || mine.load(Ordering::Acquire) & NEXT;
    if next() == 0 {
        // Somebody is behind me, but has not told me yet (QUEUE-Q3).
        words.wait(None, || next() != 0);
    }
    let next = next() - 1;
    // Before the lock is passed on: after that this PE may come again in another thread.
    mine.store(0, Ordering::Relaxed);
    words.node(next, AmoOp::Or(HELD));
    words.notify(next);
}
