//! The event in every order of steps: nobody who sleeps is missed, and who wakes sees what was put before.
#![allow(unsafe_code)]

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use crate::sync::primitives::explore;
use crate::sync::wait::*;

/// What PEs put into one PE's memory, and what that PE sleeps on.
struct Mailbox {
    data: [UnsafeCell<u32>; 2],
    signals: [AtomicU32; 2],
    event: AtomicU32,
    asleep: AtomicU32,
}

impl Mailbox {
    fn new() -> Arc<Mailbox> {
        let zero = || AtomicU32::new(0);
        let data = [UnsafeCell::new(0), UnsafeCell::new(0)];
        Arc::new(Mailbox { data, signals: [zero(), zero()], event: zero(), asleep: zero() })
    }

    /// As a put with signal does: the data, an atomic with release, the event.
    fn put_signal(&self, to: usize, signal: usize) {
        // SAFETY: loom checks that nobody else accesses it at the same time.
        self.data[to].with_mut(|data| unsafe { *data = 7 });
        self.signals[signal].fetch_add(1, Ordering::AcqRel);
        notify(&self.event, &self.asleep);
    }

    fn wait(&self, signal: usize, at_least: u32) {
        let ready = || self.signals[signal].load(Ordering::Acquire) >= at_least;
        Policy::SLEEPS.wait(&self.event, &self.asleep, Waker::Notifies, ready, |_| {});
    }

    fn data(&self, of: usize) -> u32 {
        // SAFETY: loom checks that nobody else accesses it at the same time.
        self.data[of].with(|data| unsafe { *data })
    }
}

#[test]
fn a_waiter_is_woken_and_sees_the_data() {
    explore(None, || {
        let mailbox = Mailbox::new();
        let to = mailbox.clone();
        let sender = thread::spawn(move || to.put_signal(0, 0));
        mailbox.wait(0, 1);
        assert_eq!(mailbox.data(0), 7);
        sender.join().unwrap();
    });
}

#[test]
fn a_waiter_may_be_rung_for_other_news_first() {
    explore(None, || {
        let mailbox = Mailbox::new();
        let to = mailbox.clone();
        let sender = thread::spawn(move || {
            to.put_signal(1, 1);
            to.put_signal(0, 0);
        });
        mailbox.wait(0, 1);
        assert_eq!((mailbox.data(0), mailbox.data(1)), (7, 7));
        sender.join().unwrap();
    });
}

#[test]
fn two_senders_are_both_heard() {
    explore(Some(3), || {
        let mailbox = Mailbox::new();
        let senders = [0, 1].map(|i| {
            let to = mailbox.clone();
            thread::spawn(move || to.put_signal(i, 0))
        });
        mailbox.wait(0, 2);
        assert_eq!((mailbox.data(0), mailbox.data(1)), (7, 7));
        senders.into_iter().for_each(|s| s.join().unwrap());
    });
}

#[test]
fn two_waiting_threads_are_both_woken() {
    explore(Some(3), || {
        let mailbox = Mailbox::new();
        let other = mailbox.clone();
        let waiter = thread::spawn(move || {
            other.wait(1, 1);
            assert_eq!(other.data(1), 7);
        });
        let to = mailbox.clone();
        let sender = thread::spawn(move || {
            to.put_signal(0, 0);
            to.put_signal(1, 1);
        });
        mailbox.wait(0, 1);
        assert_eq!(mailbox.data(0), 7);
        sender.join().unwrap();
        waiter.join().unwrap();
    });
}
