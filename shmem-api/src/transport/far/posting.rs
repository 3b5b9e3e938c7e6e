//! Requests are posted: numbered, and put into their host's batch, or sent with a payload that is lent.
//!
//! A batch goes when it is full, when somebody waits (for an answer, a quiet, or on its own memory), or after at most a millisecond, which
//! the serving thread sees to. A fence sends nothing: what comes after it says so in its request.
#![allow(unsafe_code)]

use memheap::PeId;

use super::Far;
use super::answers::Came;
use super::flow::has_room;
use super::message::{self, COURSES, ENVELOPE, Form, LONGEST, Op, REQUEST, Request};
#[cfg(test)]
use super::mutation::Mutation;
use super::outbox::Outbox;
use super::user::Place;
use crate::process::private::Ordering;
use crate::transport::Stream;
use crate::transport::wire::{Lane, Outgoing};

/// How a request is posted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Post {
    /// As what a fence orders.
    Plain,
    /// After all that was posted before on its course.
    Releasing,
    /// That, and at once: somebody waits for its answer.
    Fetching,
}

/// The last course is that of meetings.
const OF_STREAMS: usize = COURSES - 1;

/// The course of a stream.
pub(super) fn course(stream: Stream) -> u8 {
    match stream {
        Stream::MEETINGS => OF_STREAMS as u8,
        Stream(number) => (number % OF_STREAMS) as u8,
    }
}

/// The courses of a stream, or of all that calls are made on.
fn courses(stream: Stream) -> std::ops::Range<usize> {
    match stream {
        Stream::ALL => 0..OF_STREAMS,
        one => usize::from(course(one))..usize::from(course(one)) + 1,
    }
}

/// Adds the data of the last request to the batch.
///
/// # Safety
/// USER-U1: readable.
unsafe fn pack(outbox: &mut Outbox, data: &Place) {
    // SAFETY: USER-U1, of which the caller made sure.
    unsafe { data.pack(&mut outbox.batch) };
    let padded = outbox.batch.len().next_multiple_of(8);
    outbox.batch.resize(padded, 0);
}

impl Far {
    /// Posts a request to a host with its data. Returns when that may be used again; `false` if the host is lost.
    ///
    /// # Safety
    /// USER-U1 for the data: readable.
    pub(super) unsafe fn post(&self, host: usize, mut request: Request, post: Post, data: &Place) -> bool {
        self.begin(request.course);
        let Some(outbox) = &self.outboxes[host] else {
            unreachable!("TRANSPORT-T1: {} is of this host", request.target);
        };
        let mut outbox = loop {
            let mut outbox = outbox.lock();
            let done = self.answers.done(host);
            let [requests, bytes] = [0, 1].map(|i| outbox.given[i].saturating_sub(done[i]));
            if has_room(requests, bytes, request.cost()) || self.answers.is_lost(host) {
                break outbox;
            }
            // FAR-W1.
            self.ask(&mut outbox, 0..COURSES);
            self.flush(&mut outbox);
            drop(outbox);
            let more = || self.answers.has_done_more(host, done);
            if self.wait(more).is_none() {
                return false;
            }
        };
        if self.answers.is_lost(host) {
            drop(outbox);
            return self.wait(|| self.answers.hopeless(host)).is_some();
        }
        let fences = self.fences[usize::from(request.course)].load(Ordering::Acquire);
        if post == Post::Plain && outbox.join(&request, fences, self.copied) {
            // SAFETY: USER-U1, of which the caller made sure.
            unsafe { pack(&mut outbox, data) };
            return true;
        }
        outbox.number(&mut request, fences, post != Post::Plain);
        self.given.fetch_add(1, Ordering::Relaxed);
        if request.cost() <= self.copied {
            self.append(&mut outbox, &request);
            // SAFETY: USER-U1, of which the caller made sure.
            unsafe { pack(&mut outbox, data) };
            if post == Post::Fetching {
                // Whoever waits for it also polls.
                self.flush(&mut outbox);
            } else {
                drop(outbox);
                self.watch();
            }
            return true;
        }
        // What was before it goes before it.
        self.flush(&mut outbox);
        outbox.asks_itself(request.course);
        let Some(at) = data.in_a_row() else { unreachable!("blocks are posted in parts that can be copied") };
        let mut header = [0; LONGEST];
        header[..ENVELOPE].copy_from_slice(&message::envelope(Form::Lent, self.hosts.me(), self.secret));
        header[ENVELOPE..].copy_from_slice(&request.bytes());
        let id = self.answers.expect_sent(host, data.bytes());
        let payload = Outgoing::Lent { at, len: data.bytes(), id };
        // SAFETY: WIRE-W1 by USER-U1: the caller keeps it until this returns, which is after `Sent`, or the loss of that process.
        unsafe { self.wire.send(outbox.server, Lane::Requests, &header, payload) };
        drop(outbox);
        let sent = self.wait_for(data.bytes(), || self.answers.take(host, id)).is_some();
        self.answers.forget(id);
        sent
    }

    /// A course is used, perhaps for the first time.
    fn begin(&self, course: u8) {
        let bit = 1 << course;
        if self.used.load(Ordering::Relaxed) & bit == 0 {
            if self.fenced_all.load(Ordering::Acquire) {
                // A fence on all, of which this course does not know, came before.
                self.quiet_stream(Stream::ALL);
            }
            self.used.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Adds a request to the batch, which goes first if it is full.
    fn append(&self, outbox: &mut Outbox, request: &Request) {
        if outbox.batch.len() + request.cost() > self.copied {
            self.flush(outbox);
        }
        if outbox.batch.is_empty() {
            self.waiting.fetch_add(1, Ordering::Relaxed);
        }
        outbox.append(request);
    }

    /// Sends the batch.
    fn flush(&self, outbox: &mut Outbox) {
        if outbox.batch.is_empty() {
            return;
        }
        let header = message::envelope(Form::Batch, self.hosts.me(), self.secret);
        self.send_copy(outbox.server, &header, &outbox.batch);
        outbox.clear();
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Sends a request's message that may be used again at once.
    pub(super) fn send_copy(&self, to: PeId, header: &[u8], payload: &[u8]) {
        // SAFETY: nothing is lent.
        unsafe { self.wire.send(to, Lane::Requests, header, Outgoing::Copied(payload)) }
    }

    /// Asks to be told when what was posted on these courses is done.
    fn ask(&self, outbox: &mut Outbox, courses: std::ops::Range<usize>) {
        for course in courses {
            if let Some(ask) = outbox.ask(course) {
                self.append(outbox, &ask);
            }
        }
    }

    /// Sends all batches; `asking`, to be told of all that is under way.
    pub(super) fn flush_all(&self, asking: bool) {
        for outbox in self.outboxes.iter().flatten() {
            let mut outbox = outbox.lock();
            if asking {
                self.ask(&mut outbox, 0..COURSES);
            }
            self.flush(&mut outbox);
        }
    }

    /// Whether something lies in a batch, or is not known to be done.
    pub(super) fn is_under_way(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
            || self.given.load(Ordering::Acquire) != self.answers.done_at_all()
    }

    /// Has the serving thread look after what was just posted.
    fn watch(&self) {
        if !self.watched.load(Ordering::Relaxed) && !self.watched.swap(true, Ordering::AcqRel) {
            self.wire.wake(Lane::Requests);
        }
    }

    /// See [`Transport::fence`](crate::transport::Transport::fence).
    pub(super) fn fence_stream(&self, stream: Stream) {
        #[cfg(test)]
        if self.mutation == Mutation::FenceIgnored {
            return;
        }
        if stream == Stream::ALL {
            self.fenced_all.store(true, Ordering::Release);
            if (self.used.load(Ordering::Relaxed) & !(1 << OF_STREAMS)).count_ones() > 1 {
                // Courses do not know of each other.
                return self.quiet_stream(stream);
            }
        }
        for course in courses(stream) {
            self.fences[course].fetch_add(1, Ordering::AcqRel);
        }
    }

    /// See [`Transport::quiet`](crate::transport::Transport::quiet). All hosts are asked before any is waited for.
    pub(super) fn quiet_stream(&self, stream: Stream) {
        let mut asked = Vec::new();
        for (host, outbox) in self.outboxes.iter().enumerate() {
            let Some(outbox) = outbox else { continue };
            let mut outbox = outbox.lock();
            if outbox.given[0] == self.answers.done(host)[0] {
                continue;
            }
            let used = self.used.load(Ordering::Relaxed);
            for course in courses(stream).filter(|course| used >> course & 1 == 1) {
                let last = outbox.last(course);
                if !matches!(self.answers.has_done(host, course, last), Came::Yes(())) {
                    asked.push((host, course, last));
                }
            }
            if asked.last().is_some_and(|&(of, ..)| of == host) {
                self.ask(&mut outbox, courses(stream));
                self.flush(&mut outbox);
            }
        }
        for (host, course, last) in asked {
            _ = self.wait(|| self.answers.has_done(host, course, last));
        }
        if stream == Stream::ALL {
            self.fenced_all.store(false, Ordering::Release);
        }
    }

    /// See [`Transport::wake`](crate::transport::Transport::wake). Whatever changes a PE's memory rings it: mostly, that has been posted.
    pub(super) fn wake_far(&self, pe: PeId) {
        let rung = self.rung.get(pe.0 as usize).is_some_and(|rung| rung.swap(false, Ordering::AcqRel));
        if let (false, Some(host)) = (rung, self.hosts.host(pe)) {
            let request = Request::new(Op::Ring, course(Stream::DEFAULT), pe, 0);
            // SAFETY: USER-U1: no bytes.
            unsafe { self.post(host, request, Post::Releasing, &Place::nothing()) };
        }
    }

    /// See [`Transport::progress`](crate::transport::Transport::progress).
    pub(super) fn move_along(&self) {
        if self.is_under_way() {
            if self.waiting.load(Ordering::Acquire) > 0 {
                self.flush_all(false);
            }
            self.poll_if_free();
        }
        self.serve_meanwhile();
    }
}

const _: () = assert!(LONGEST == ENVELOPE + REQUEST);
