//! The serving side: what others ask of this host's PEs is done here, by one thread, out of the messages of `Lane::Requests`.
//!
//! ```text
//!   message ─► envelope: this job's? of a PE that this process serves?          else dropped
//!      └─► request ─► its course: its turn? ── later ─► held back ──┐            a number twice, or too far: refused
//!                        │ now                                       │
//!                        ▼                                           │
//!                     execute ─► done ─► the course goes on ─────────┘
//!                        │          └─► answer: a value, data, "so much is done"
//!                        └─► its bytes are to come: received into their place, then done
//! ```
//!
//! A request that cannot be done is answered as refused, which ends the job of whoever asked: TRANSPORT-T1 says that there is none,
//! and nobody waits for ever. It never waits in a send.
//!
//! Invariants: **FAR-V1** what is kept of a sender is bounded: at most `MAX_REQUESTS` numbers per course, and `MAX_BYTES` of data
//! that are held back, or the data of one request; more is refused. **FAR-V2** a request is told to be done when it is, and its PE is rung after that.
#![allow(unsafe_code)]

use hashbrown::HashMap;
use memheap::PeId;

use super::execute::{Data, Memory, Outcome, finish, perform};
use super::flow::MAX_BYTES;
use super::hosts::Hosts;
use super::message::{self, Form, Op, Request, Says, Secret};
#[cfg(test)]
use super::mutation::Mutation;
use super::order::Turn;
use super::sender::{Kept, Sender};
use crate::transport::wire::{Event, Outgoing, Payload, Token, Wire};

/// What a server serves with.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) wire: &'a dyn Wire,
    pub(super) memory: &'a dyn Memory,
    pub(super) hosts: &'a Hosts,
    pub(super) secret: Secret,
    /// The longest answer that is copied.
    pub(super) copied: usize,
    #[cfg(test)]
    pub(super) mutation: Mutation,
}

/// What is being received.
enum Moving {
    Data(Request),
    Batch(Vec<u8>),
}

/// See above.
#[derive(Default)]
pub(super) struct Server {
    pub(super) senders: HashMap<PeId, Box<Sender>>,
    moving: HashMap<u64, (PeId, Moving)>,
    next: u64,
    /// Payloads that nobody wants, to be refused when the poll is over.
    pub(super) unwanted: Vec<Token>,
    /// Whose memory has changed.
    pub(super) changed: Vec<PeId>,
    /// Processes that were lost.
    pub(super) lost: Vec<(PeId, String)>,
}

impl Server {
    /// An event on `Lane::Requests`.
    pub(super) fn tell(&mut self, around: &Around<'_>, event: Event<'_>) {
        match event {
            Event::Message { header, payload } => self.message(around, header, payload),
            // It is memory of PEs, which stays.
            Event::Sent(_) => {}
            Event::Received(id) => self.received(around, id),
            Event::Failed(id, why) => {
                if let Some((from, _)) = self.moving.remove(&id) {
                    self.lose(from, why);
                }
            }
            Event::Lost(pe, why) => self.lose(pe, why),
        }
        self.ring(around);
    }

    /// What is to be refused, now that the poll is over; and who was lost.
    pub(super) fn after_poll(&mut self, wire: &dyn Wire) -> Vec<(PeId, String)> {
        self.unwanted.drain(..).for_each(|token| wire.refuse(token));
        std::mem::take(&mut self.lost)
    }

    /// Whether a payload is coming.
    pub(super) fn is_receiving(&self) -> bool {
        !self.moving.is_empty()
    }

    pub(super) fn sender(&mut self, pe: PeId) -> &mut Sender {
        self.senders.entry(pe).or_insert_with(|| Box::new(Sender::new()))
    }

    fn message(&mut self, around: &Around<'_>, header: &[u8], payload: Payload<'_>) {
        let opened = message::open(header, around.secret);
        let ours = opened.filter(|&(form, from, _)| form != Form::Answer && around.hosts.serves(from));
        let Some((form, from, rest)) = ours else {
            return self.drop_payload(payload);
        };
        match (form, payload) {
            (Form::Batch, Payload::Here(batch)) => self.batch(around, from, batch),
            (Form::Batch, Payload::Coming { token, len }) if len <= around.copied => {
                let mut batch = vec![0; len];
                let to = batch.as_mut_ptr();
                self.receive(around, from, Moving::Batch(batch), (token, to, len));
            }
            (Form::Beat, Payload::Here([])) => {
                self.answer(around, from, (Says::Done, 0, 0, 0), Outgoing::Copied(&[]));
            }
            _ => self.lent(around, from, rest, payload),
        }
    }

    fn drop_payload(&mut self, payload: Payload<'_>) {
        if let Payload::Coming { token, .. } = payload {
            self.unwanted.push(token);
        }
    }

    fn batch(&mut self, around: &Around<'_>, from: PeId, mut batch: &[u8]) {
        loop {
            match message::next(&mut batch) {
                Some(Some((request, data))) => self.request(around, from, request, Data::Here(data)),
                Some(None) => return,
                None => return self.refuse(around, from, 0),
            }
        }
    }

    fn lent(&mut self, around: &Around<'_>, from: PeId, request: &[u8], payload: Payload<'_>) {
        let (len, data) = match payload {
            Payload::Here(bytes) => (bytes.len(), Data::Here(bytes)),
            Payload::Coming { token, len } => (len, Data::Coming(token)),
        };
        match Request::read(request) {
            Some(request)
                if [Op::Put, Op::PutSignal].contains(&request.op) && request.data() == Some(len) =>
            {
                // It asks, too: whoever sends so much mostly waits for it next.
                self.sender(from).course(request.course).ask(request.number);
                self.request(around, from, request, data);
            }
            _ => {
                self.drop_payload(payload);
                self.refuse(around, from, 0);
            }
        }
    }

    /// Does it, or holds it back.
    fn request(&mut self, around: &Around<'_>, from: PeId, request: Request, data: Data<'_>) {
        if request.op == Op::Ask {
            self.sender(from).course(request.course).ask(request.number);
            return self.tell_done(around, from, request.course);
        }
        #[cfg(test)]
        if around.mutation == Mutation::SignalFirst && request.op == Op::PutSignal {
            super::execute::amo(around.memory, &request, request.words[0]);
        }
        let kept = match data {
            Data::Here(bytes) => bytes.len() as u64,
            Data::Coming(_) => 0,
        };
        let here = around.hosts.is_here(request.target);
        let sender = self.sender(from);
        match sender.course(request.course).comes(request.number, request.after) {
            _ if !here => {}
            Turn::Now => {
                self.perform(around, from, request, data);
                return self.go_on(around, from, request.course);
            }
            Turn::Later if sender.held == 0 || sender.held + kept <= MAX_BYTES => {
                sender.held += kept;
                let data = match data {
                    Data::Here(bytes) => Kept::Here(bytes.into()),
                    Data::Coming(token) => Kept::Coming(token),
                };
                return sender.course(request.course).hold(request.number, request.after, (request, data));
            }
            Turn::Later | Turn::Wrong => {}
        }
        if let Data::Coming(token) = data {
            self.unwanted.push(token);
        }
        self.refuse(around, from, request.number);
    }

    /// One of the course is done: the turn of those has come that waited for it.
    fn go_on(&mut self, around: &Around<'_>, from: PeId, course: u8) {
        while let Some((request, kept)) = self.sender(from).course(course).next() {
            match kept {
                Kept::Here(bytes) => {
                    self.sender(from).held -= bytes.len() as u64;
                    self.perform(around, from, request, Data::Here(&bytes));
                }
                Kept::Coming(token) => self.perform(around, from, request, Data::Coming(token)),
            }
        }
        self.tell_done(around, from, course);
    }

    fn perform(&mut self, around: &Around<'_>, from: PeId, request: Request, data: Data<'_>) {
        #[cfg(test)]
        if around.mutation == Mutation::PostDropped
            && request.is_posted_amo()
            && request.number.is_multiple_of(3)
        {
            return self.done(around, from, &request, Outcome::Done);
        }
        match perform(around.memory, &request, data, around.copied) {
            Outcome::Receive(token, to, len) => {
                self.receive(around, from, Moving::Data(request), (token, to, len));
            }
            Outcome::Refused => {
                if let Data::Coming(token) = data {
                    self.unwanted.push(token);
                }
                self.refuse(around, from, request.number);
            }
            done => self.done(around, from, &request, done),
        }
    }

    fn receive(
        &mut self,
        around: &Around<'_>,
        from: PeId,
        what: Moving,
        (token, to, len): (Token, *mut u8, usize),
    ) {
        self.next += 1;
        self.moving.insert(self.next, (from, what));
        // SAFETY: WIRE-W1 by FAR-X4, or of a batch, which `moving` keeps where it is until it is there; WIRE-W2: a token is used once.
        unsafe { around.wire.receive(token, to, len, self.next) }
    }

    fn received(&mut self, around: &Around<'_>, id: u64) {
        match self.moving.remove(&id) {
            Some((from, Moving::Batch(batch))) => {
                self.batch(around, from, &batch);
            }
            Some((from, Moving::Data(request))) => {
                match finish(around.memory, &request) {
                    Outcome::Refused => self.refuse(around, from, request.number),
                    done => self.done(around, from, &request, done),
                }
                self.go_on(around, from, request.course);
            }
            None => {}
        }
    }
}
