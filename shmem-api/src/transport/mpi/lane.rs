//! One lane: what comes by one of the two communicators, and what goes by the other; and how its poller sleeps.
//!
//! What a sender leaves for the poller to do (a message that could not go at once, a `Sent`) rings its bell if it sleeps.
#![allow(unsafe_code)]

use std::time::Duration;

use memheap::PeId;
use parking_lot::Mutex;

use super::doorbell::{Doorbell, Peer};
use super::requests::Calls;
use super::state::{Body, State, Told};
use crate::boot::mpi::abi::Abi;
use crate::process::private::{AtomicBool, Ordering};
use crate::transport::bell::Bell;
use crate::transport::wire::{Event, Outgoing, Payload, Token};

/// See above.
pub(super) struct Lane<A: Abi> {
    state: Mutex<State<A>>,
    /// What is being told.
    told: Mutex<Vec<Told>>,
    bell: Bell,
    pub(super) doorbell: Doorbell,
    /// The poller sleeps, or is about to.
    asleep: AtomicBool,
}

impl<A: Abi> Lane<A> {
    /// `parity`: that of its tokens.
    pub(super) fn open(calls: Calls<A>, doorbell: Doorbell, parity: u64) -> Result<Lane<A>, String> {
        Ok(Lane {
            state: Mutex::new(State::new(calls, parity)),
            told: Mutex::default(),
            bell: Bell::new()?,
            doorbell,
            asleep: AtomicBool::new(false),
        })
    }

    /// Once. The communicators: of what comes, of what goes; or why there are none.
    pub(super) fn meet(&self, peers: Vec<Peer>, comms: Result<[A::Handle; 2], String>) {
        self.state.lock().meet(peers, comms);
    }

    /// # Safety
    /// WIRE-W1, for what is lent.
    pub(super) unsafe fn send(&self, to: PeId, header: &[u8], payload: Outgoing<'_>) {
        let mut state = self.state.lock();
        // SAFETY: WIRE-W1.
        let went = unsafe { state.send(to.0, header, payload) };
        state.pauses.start_over();
        if went && let Some(peer) = state.peers.get_mut(to.0 as usize) {
            self.doorbell.ring(peer);
        }
        let to_do = !state.events.is_empty() || state.has_requests();
        drop(state);
        if to_do && self.asleep.swap(false, Ordering::AcqRel) {
            self.bell.ring();
        }
    }

    pub(super) fn poll(&self, tell: &mut dyn FnMut(Event<'_>)) -> usize {
        // Somebody else polls, against the rule: it tells all.
        let Some(mut told) = self.told.try_lock() else { return 0 };
        self.asleep.store(false, Ordering::Release);
        {
            let mut state = self.state.lock();
            state.turn();
            std::mem::swap(&mut *told, &mut state.events);
            if !told.is_empty() {
                state.pauses.start_over();
            }
        }
        let (n, mut read) = (told.len(), Vec::new());
        for event in told.drain(..) {
            match event {
                Told::Message { bytes, header, body } => {
                    let payload = match body {
                        Body::Here(at) => Payload::Here(&bytes[at]),
                        Body::Coming(token, len) => Payload::Coming { token: Token(token), len },
                    };
                    tell(Event::Message { header: &bytes[header], payload });
                    read.push(bytes);
                }
                Told::Sent(id) => tell(Event::Sent(id)),
                Told::Received(id) => tell(Event::Received(id)),
                Told::Failed(id, why) => tell(Event::Failed(id, why)),
                Told::Lost(pe, why) => tell(Event::Lost(PeId(pe), why)),
            }
        }
        if !read.is_empty() {
            let mut state = self.state.lock();
            read.into_iter().for_each(|bytes| state.give_back(bytes));
        }
        n
    }

    /// # Safety
    /// WIRE-W1 and WIRE-W2.
    pub(super) unsafe fn receive(&self, token: u64, to: *mut u8, len: usize, id: u64) {
        // SAFETY: WIRE-W1, WIRE-W2.
        unsafe { self.state.lock().receive(token, to, len, id) }
    }

    pub(super) fn refuse(&self, token: u64) {
        self.state.lock().refuse(token);
    }

    pub(super) fn sleep(&self, most: Duration) {
        let pause = {
            let mut state = self.state.lock();
            if !state.events.is_empty() {
                return;
            }
            self.doorbell.hear(&mut state.peers);
            self.asleep.store(true, Ordering::Release);
            let traffic = state.traffic();
            state.pauses.next(traffic)
        };
        if !pause.is_zero() {
            self.bell.sleep(self.doorbell.as_fd(), most.min(pause));
        }
    }

    pub(super) fn wake(&self) {
        self.bell.ring();
    }

    /// The end, step by step: from here on nothing is told, and what has not gone goes.
    pub(super) fn let_go(&self) {
        self.state.lock().let_go();
    }

    /// Whether something has not gone yet.
    pub(super) fn is_going(&self) -> bool {
        let mut state = self.state.lock();
        state.turn();
        state.is_going()
    }

    /// What has not come does not.
    pub(super) fn cancel(&self) {
        self.state.lock().cancel();
    }
}
