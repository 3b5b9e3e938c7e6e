//! The lock in every order of steps: one holder at a time, who sees what the last one did; nobody waits for
//! ever; all zero at the end.
#![allow(unsafe_code)]

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use crate::raw::lock::queue::*;
use crate::sync::primitives::explore;
use crate::sync::wait;
use crate::sync::wait::{Policy, Waker};
use crate::types::amo::AmoOp;

const PES: usize = 3;

/// A lock of up to three PEs and what it protects, and each PE's event.
struct Job {
    tail: AtomicU32,
    nodes: [AtomicU32; PES],
    events: [AtomicU32; PES],
    asleep: [AtomicU32; PES],
    count: UnsafeCell<u32>,
}

/// The job as one of its PEs sees it.
struct Pe {
    job: Arc<Job>,
    me: u32,
}

/// What the processor, or a transport, does.
fn apply(word: &AtomicU32, op: AmoOp<u32>) -> u32 {
    match op {
        AmoOp::Load => word.load(Ordering::Acquire),
        AmoOp::Swap(v) => word.swap(v, Ordering::AcqRel),
        AmoOp::CompareSwap(expected, new) => word
            .compare_exchange(expected, new, Ordering::AcqRel, Ordering::Acquire)
            .unwrap_or_else(|was| was),
        AmoOp::Or(v) => word.fetch_or(v, Ordering::AcqRel),
        op => unreachable!("the queue does not ask for {op:?}"),
    }
}

impl Words for Pe {
    fn tail(&self, op: AmoOp<u32>) -> u32 {
        apply(&self.job.tail, op)
    }
    fn mine(&self) -> &AtomicU32 {
        &self.job.nodes[self.me as usize]
    }
    fn node(&self, pe: u32, op: AmoOp<u32>) -> u32 {
        apply(&self.job.nodes[pe as usize], op)
    }
    fn notify(&self, pe: u32) {
        wait::notify(&self.job.events[pe as usize], &self.job.asleep[pe as usize]);
    }
    fn wait(&self, _: Option<u32>, ready: impl Fn() -> bool) {
        let (event, asleep) = (&self.job.events[self.me as usize], &self.job.asleep[self.me as usize]);
        Policy::SLEEPS.wait(event, asleep, Waker::Notifies, ready, |_| {});
    }
}

impl Pe {
    /// Loom checks that nobody else is in here.
    fn count(&self) {
        // SAFETY: that is what is checked.
        self.job.count.with_mut(|count| unsafe { *count += 1 });
    }

    fn hold(&self) {
        acquire(self, self.me).unwrap();
        self.count();
        release(self, self.me).unwrap();
    }

    fn try_to_hold(&self) -> bool {
        let taken = try_acquire(self, self.me);
        if taken {
            self.count();
            release(self, self.me).unwrap();
        }
        taken
    }
}

/// Runs a body on each PE of a job, the first on this thread; the job afterwards.
fn run(bodies: Vec<fn(&Pe) -> u32>) {
    let zeroes = || std::array::from_fn(|_| AtomicU32::new(0));
    let job = Job {
        tail: AtomicU32::new(0),
        nodes: zeroes(),
        events: zeroes(),
        asleep: zeroes(),
        count: UnsafeCell::new(0),
    };
    let job = Arc::new(job);
    let mut pes =
        bodies.into_iter().enumerate().map(|(me, body)| (Pe { job: job.clone(), me: me as u32 }, body));
    let (first, body) = pes.next().unwrap();
    let others: Vec<_> = pes.map(|(pe, body)| thread::spawn(move || body(&pe))).collect();
    let mine = body(&first);
    let held = mine + others.into_iter().map(|t| t.join().unwrap()).sum::<u32>();
    // QUEUE-Q4, and nobody's turn was lost.
    assert_eq!(job.tail.load(Ordering::Relaxed), 0);
    assert!(job.nodes.iter().all(|node| node.load(Ordering::Relaxed) == 0));
    // SAFETY: all others have ended.
    assert_eq!(job.count.with(|count| unsafe { *count }), held);
}

fn once(pe: &Pe) -> u32 {
    pe.hold();
    1
}

fn twice(pe: &Pe) -> u32 {
    pe.hold();
    pe.hold();
    2
}

fn tries(pe: &Pe) -> u32 {
    u32::from(pe.try_to_hold())
}

#[test]
fn two_pes_queue() {
    explore(None, || run(vec![once, once]));
}

#[test]
fn one_pe_only_tries() {
    explore(None, || run(vec![once, tries]));
}

/// A PE that comes again finds its own node as it was at first.
#[test]
fn two_pes_twice_each() {
    explore(Some(3), || run(vec![twice, twice]));
}

#[test]
fn three_pes_queue() {
    explore(Some(3), || run(vec![once, once, once]));
}

#[test]
fn three_pes_one_twice_one_tries() {
    explore(Some(2), || run(vec![twice, once, tries]));
}

/// Who holds the lock cannot take it again, and who does not cannot clear it; both are told, and nothing is harmed.
#[test]
fn misuse_is_told_and_harms_nothing() {
    explore(None, || {
        run(vec![
            |pe| {
                acquire(pe, pe.me).unwrap();
                assert_eq!(acquire(pe, pe.me), Err(AlreadyHere));
                assert!(!try_acquire(pe, pe.me));
                pe.count();
                release(pe, pe.me).unwrap();
                1
            },
            |pe| {
                assert_eq!(release(pe, pe.me), Err(NotHeld));
                tries(pe)
            },
        ]);
    });
}
