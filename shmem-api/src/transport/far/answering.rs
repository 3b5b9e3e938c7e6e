//! What a server says: that a request is done, what was asked for, that one is refused; and whose memory has changed.
#![allow(unsafe_code)]

use memheap::PeId;

use super::execute::Outcome;
use super::message::{Answer, Op, Request, Says};
#[cfg(test)]
use super::mutation::Mutation;
use super::server::{Around, Server};
use crate::sync::fences;
use crate::transport::wire::{Lane, Outgoing};
use crate::types::amo::AmoKind;

impl Server {
    /// One is done: FAR-V2.
    pub(super) fn done(&mut self, around: &Around<'_>, from: PeId, request: &Request, outcome: Outcome) {
        self.sender(from).did(request);
        let reads = matches!(request.op, Op::Get | Op::GetBlocks)
            || (request.op == Op::Amo && request.kind == AmoKind::Load);
        if !reads && self.changed.last() != Some(&request.target) {
            self.changed.push(request.target);
        }
        let (id, course) = (request.id, request.course);
        match outcome {
            Outcome::Value(value) if id != 0 => {
                self.answer(around, from, (Says::Value, course, id, value), Outgoing::Copied(&[]));
            }
            Outcome::Copied(bytes) => {
                let len = bytes.len() as u64;
                self.answer(around, from, (Says::Data, course, id, len), Outgoing::Copied(&bytes));
            }
            Outcome::Lent(at, len) => {
                let payload = Outgoing::Lent { at, len, id };
                self.answer(around, from, (Says::Data, course, id, len as u64), payload);
            }
            _ => {}
        }
    }

    pub(super) fn answer(
        &mut self,
        around: &Around<'_>,
        to: PeId,
        (says, course, id, value): (Says, u8, u64, u64),
        payload: Outgoing<'_>,
    ) {
        let sender = self.sender(to);
        let [requests, bytes] = sender.tells();
        let done = sender.course(course).done();
        let answer = Answer { says, course, id, value, done, requests, bytes };
        #[cfg(test)]
        if around.mutation == Mutation::AckLost && says == Says::Done && requests % 3 == 0 {
            return;
        }
        // What it tells of is there for everybody who hears of it.
        fences::full_fence();
        let header = answer.header(around.hosts.me(), around.secret);
        // SAFETY: WIRE-W1 by FAR-X4: what is lent is memory that `resolve` gave.
        unsafe { around.wire.send(to, Lane::Replies, &header, payload) }
    }

    /// One cannot be done, or a message is not to be read any further.
    pub(super) fn refuse(&mut self, around: &Around<'_>, from: PeId, number: u64) {
        self.answer(around, from, (Says::Refused, 0, 0, number), Outgoing::Copied(&[]));
    }

    /// Tells what is done of a course, if somebody asked for it, and it is due.
    pub(super) fn tell_done(&mut self, around: &Around<'_>, from: PeId, course: u8) {
        let sender = self.sender(from);
        // FAR-W1: or it is much.
        if sender.course(course).answer_is_due() || sender.has_news() {
            self.answer(around, from, (Says::Done, course, 0, 0), Outgoing::Copied(&[]));
        }
    }

    /// Wakes those whose memory has changed.
    pub(super) fn ring(&mut self, around: &Around<'_>) {
        if self.changed.is_empty() {
            return;
        }
        fences::full_fence();
        self.changed.dedup();
        self.changed.drain(..).for_each(|pe| around.memory.ring(pe));
    }

    /// A process was lost: nobody waits for what it asked.
    pub(super) fn lose(&mut self, pe: PeId, why: String) {
        if let Some(mut sender) = self.senders.remove(&pe) {
            self.unwanted.extend(sender.drop_held());
        }
        self.lost.push((pe, why));
    }
}
