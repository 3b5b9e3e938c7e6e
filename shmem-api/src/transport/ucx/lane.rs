//! One lane: a worker of UCX, its endpoints, and the lock that all calls on it are made under.
//!
//! ```text
//!   send: any thread ──┐                      ┌─► lock, ucp_worker_progress (callbacks fill the inbox), swap, unlock
//!                      ├─► lock ─► UCX        poll: one thread ─► tell, tell, tell ─► lock, give kept buffers back
//!   receive, refuse ───┘
//!   sleep: lock, nothing told? ucp_worker_arm, unlock ─► asleep on the worker's descriptor and the bell
//! ```
//!
//! What a sender leaves for the poller to do (a message that could not go at once, a `Sent`) rings the bell if the poller sleeps: UCX's
//! descriptor tells of what comes from outside.
#![allow(unsafe_code)]

use std::os::fd::BorrowedFd;
use std::slice;
use std::time::Duration;

use memheap::PeId;
use parking_lot::Mutex;

use super::abi::Context;
use super::inbox::{Body, Entry, Queue};
use super::library::Functions;
use super::state::{BUSY, Rest, State};
use crate::transport::bell::Bell;
use crate::transport::wire::{Event, Outgoing, Payload, Token};

/// See above.
pub(super) struct Lane {
    state: Mutex<State>,
    /// What is being told.
    told: Mutex<Queue>,
    bell: Bell,
    pub(super) address: Vec<u8>,
    pub(super) max_header: usize,
}

impl Lane {
    /// `parity`: that of its tokens.
    pub(super) fn open(library: Functions, context: *mut Context, parity: u64) -> Result<Lane, String> {
        let (state, max_header) = State::open(library, context, parity)?;
        let address = state.address()?;
        let bell = Bell::new()?;
        let told = Mutex::default();
        Ok(Lane { state: Mutex::new(state), told, bell, address, max_header })
    }

    /// The addresses of the lanes that this one sends to, by PE. Once.
    pub(super) fn meet(&self, addresses: Vec<Vec<u8>>) {
        self.state.lock().meet(addresses);
    }

    /// # Safety
    /// WIRE-W1, for what is lent.
    pub(super) unsafe fn send(&self, to: PeId, header: &[u8], payload: Outgoing<'_>) {
        assert!(header.len() <= self.max_header, "a header of {} bytes", header.len());
        let mut state = self.state.lock();
        // SAFETY: WIRE-W1.
        let going = unsafe { state.send(to.0, header, payload) };
        state.close_broken();
        if state.asleep && (going || !state.inbox.is_empty()) {
            state.asleep = false;
            self.bell.ring();
        }
    }

    pub(super) fn poll(&self, tell: &mut dyn FnMut(Event<'_>)) -> usize {
        // Somebody else polls, against the rule: it tells all.
        let Some(mut told) = self.told.try_lock() else { return 0 };
        told.clear();
        {
            let mut state = self.state.lock();
            state.turn();
            std::mem::swap(&mut *told, &mut *state.inbox.queue.borrow_mut());
        }
        let Queue { entries, bytes } = &mut *told;
        let (n, mut kept) = (entries.len(), Vec::new());
        for entry in entries.drain(..) {
            match entry {
                Entry::Message { header, body } => {
                    let payload = match body {
                        Body::Copied(at) => Payload::Here(&bytes[at]),
                        Body::Kept(data, len) => {
                            kept.push(data);
                            // SAFETY: UCX-U3: it is ours until it is given back below.
                            Payload::Here(unsafe { slice::from_raw_parts(data.cast::<u8>(), len) })
                        }
                        Body::Coming(token, len) => Payload::Coming { token: Token(token), len },
                    };
                    tell(Event::Message { header: &bytes[header], payload });
                }
                Entry::Sent(id) => tell(Event::Sent(id)),
                Entry::Received(id) => tell(Event::Received(id)),
                Entry::Failed(id, why) => tell(Event::Failed(id, why)),
                Entry::Lost(pe, why) => tell(Event::Lost(PeId(pe), why)),
            }
        }
        if !kept.is_empty() {
            let state = self.state.lock();
            kept.into_iter().for_each(|data| state.release(data));
        }
        n
    }

    /// # Safety
    /// WIRE-W1 and WIRE-W2.
    pub(super) unsafe fn receive(&self, token: u64, to: *mut u8, len: usize, id: u64) {
        let state = self.state.lock();
        let held = state.inbox.take(token);
        let Some((data, whole)) = held else { return };
        assert_eq!(len, whole, "a payload is received as it was sent");
        // SAFETY: WIRE-W1.
        unsafe { state.receive(data, to, len, id) };
    }

    pub(super) fn refuse(&self, token: u64) {
        let state = self.state.lock();
        if let Some((data, _)) = state.inbox.take(token) {
            state.release(data);
        }
    }

    pub(super) fn sleep(&self, most: Duration) {
        let (rest, readable) = {
            let mut state = self.state.lock();
            (state.rest(), state.readable)
        };
        let (other, most) = match rest {
            Rest::No => return,
            // SAFETY: UCX-U4: the worker's, which is there while a call is under way.
            Rest::Armed => (Some(unsafe { BorrowedFd::borrow_raw(readable) }), most),
            Rest::Pause => (None, most.min(BUSY.1)),
            Rest::Ended => (None, most),
        };
        self.bell.sleep(other, most);
        self.state.lock().asleep = false;
    }

    pub(super) fn wake(&self) {
        self.bell.ring();
    }

    /// The end, step by step: from here on nothing is told, and what has not gone goes.
    pub(super) fn let_go(&self) {
        let state = self.state.lock();
        state.inbox.closing.set(true);
        state.inbox.take_all().into_iter().for_each(|data| state.release(data));
    }

    /// The connections go, whatever the peers do.
    pub(super) fn cut(&self) {
        self.state.lock().cut();
    }

    /// Whether something has not gone yet or a connection has not, and whether something has moved.
    pub(super) fn is_ending(&self) -> (bool, bool) {
        let state = self.state.lock();
        let moved = !state.worker.is_null() && state.progress() != 0;
        (state.inbox.pending.get() != 0, moved)
    }

    /// The worker goes.
    pub(super) fn destroy(&self) {
        self.state.lock().destroy();
    }
}
