//! Every wait of the library for another PE: spin, yield, sleep; and between sleeps, look whether it can still end.

use crate::exit::deadlock::{Blocked, By, provable};
use crate::node::Node;
use crate::node::event::Event;
use crate::sync::wait::Waker;
use crate::transport;

impl Node {
    /// Waits on this PE's own memory until `ready`, which a plain put may bring about.
    pub(crate) fn wait_until(&self, ready: impl Fn() -> bool, place: impl Fn() -> String) {
        let waiters = &self.control().life.waiters.0;
        self.wait(waiters, (Waker::MayBeSilent, By::Memory), &ready, &place, || ());
    }

    /// As [`wait_until`](Self::wait_until), where whoever brings it about calls the library, and notifies.
    pub(crate) fn wait_notified(&self, ready: impl Fn() -> bool, place: impl Fn() -> String) {
        let waiters = &self.control().life.waiters.0;
        self.wait(waiters, (Waker::Notifies, By::Calls), &ready, &place, || ());
    }

    /// Waits until other PEs have come to the same call for the first time, of which nobody notifies.
    pub(crate) fn wait_for_members(&self, ready: impl Fn() -> bool, place: impl Fn() -> String) {
        let waiters = &self.control().life.waiters.0;
        self.wait(waiters, (Waker::MayBeSilent, By::Calls), &ready, &place, || ());
    }

    /// Waits for a call of another PE, asleep on an event of its mailbox, if that is mapped here. `between` is called between sleeps.
    pub(crate) fn wait_for_a_call(
        &self,
        event: Option<&Event>,
        waker: Waker,
        ready: &dyn Fn() -> bool,
        place: impl Fn() -> String,
        between: impl FnMut(),
    ) {
        let waiters = &self.control().life.waiters.0;
        let (event, waker) = match event {
            Some(event) => (event, waker),
            // It is a far PE's: this one looks by itself.
            None => (waiters, Waker::MayBeSilent),
        };
        self.wait(event, (waker, By::Calls), ready, &place, between);
    }

    /// All of them. `place` says what is waited for, for lines.
    fn wait(
        &self,
        event: &Event,
        (waker, by): (Waker, By),
        ready: &dyn Fn() -> bool,
        place: &dyn Fn() -> String,
        mut between: impl FnMut(),
    ) {
        let mut blocked = Blocked::new(self, by, place);
        let told = || match provable(self) && !(by == By::Memory && self.others.may_store()) {
            true => place(),
            false => format!("{} (other threads of the PEs may still end it: not known)", place()),
        };
        let mut report = self.policy.report(self.me, told);
        let ready = || {
            transport::progress();
            ready()
        };
        self.policy.wait(&event.count, &event.asleep, waker, ready, |waited| {
            blocked.look(waited);
            between();
            report(waited);
        });
    }
}
