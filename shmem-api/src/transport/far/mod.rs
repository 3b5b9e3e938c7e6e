//! The protocol between hosts: what a put or an atomic on a PE of another host is, in messages over any engine.
//!
//! ```text
//!   put, amo, fence, ..  (calls)                                    this host's memory
//!        │                                                                ▲ resolve
//!        ▼                                                                │
//!   posting ─► outbox of the host: numbers, a batch              server ─► order ─► execute
//!        │            │ Lane::Requests of its serving process ───► ▲  serve: one thread
//!        ▼            │                                            │
//!   waiting ◄─ answers ◄── Lane::Replies ◄──────────────────── answering
//! ```
//!
//! | what is promised | how |
//! |---|---|
//! | a request is done at a place inside the target's memory, or not at all | `message` (FAR-F1), `execute` (FAR-X1) |
//! | order, although messages overtake each other | a number per course, and which must be done before it: `outbox` (FAR-B2), `order` (FAR-O1) |
//! | atomics are atomic to the target's neighbours | `execute` (FAR-X2) |
//! | few messages | small requests to a host go together: `posting` |
//! | bounded memory | `flow` (FAR-W1), `sender` (FAR-V1) |
//! | nobody waits for a host that is lost, and a link that is dead is noticed | `waiting` (FAR-N1), `links`, `watching` (FAR-L1) |
//!
//! *A course* is the way of a stream to a host; streams that are the same modulo [`COURSES`] share one: they then wait for each other, and
//! are else as they were. What fetches comes after all that its stream asked of that host before; a fence costs nothing: it is a
//! number in what follows. Fences and quiets of all streams are told apart from those of one ([`Stream::ALL`]).
//!
//! Invariants: **FAR-P1** locks are taken in the order links, outbox, answers; that of an outbox is held in sends, and never taken in a poll.
#![allow(unsafe_code)]

mod answering;
mod answers;
mod calls;
pub(crate) mod execute;
mod flow;
pub(crate) mod hosts;
mod links;
pub(crate) mod message;
#[cfg(test)]
mod mutation;
mod order;
mod outbox;
mod posting;
mod sender;
mod serve;
mod server;
#[cfg(test)]
mod tests;
mod turn;
mod user;
mod waiting;
mod watching;

use std::time::Duration;

use memheap::PeId;
use parking_lot::Mutex;

use self::answers::Answers;
use self::execute::Memory;
use self::flow::MAX_BATCH;
use self::hosts::Hosts;
use self::links::Links;
use self::message::{COURSES, LONGEST, REQUEST, Secret};
#[cfg(test)]
use self::mutation::Mutation;
use self::outbox::Outbox;
use self::server::Server;
use self::turn::PollTurn;
use super::wire::Wire;
use super::{FarBlocks, FarTarget, Stream, Transport};
use crate::process::private::{AtomicBool, AtomicU64, AtomicUsize};
use crate::types::amo::AmoOp;

/// The least that an engine must be able to copy.
const LEAST_COPIED: usize = 2 * REQUEST;

/// Told that the process of a PE is lost, and why.
pub(crate) type Lost = dyn Fn(PeId, &str) + Send + Sync;

/// What a [`Far`] is made of.
pub(crate) struct Parts {
    pub(crate) wire: Box<dyn Wire>,
    /// Of this host's PEs.
    pub(crate) memory: Box<dyn Memory>,
    pub(crate) hosts: Hosts,
    pub(crate) secret: Secret,
    /// A process of another host is lost, for this reason, and a call needs it, or the links are watched. If it returns, a call does
    /// without a result.
    pub(crate) lost: Box<Lost>,
    /// While links are watched, called at every look.
    pub(crate) look_after: Box<dyn Fn() + Send + Sync>,
    /// A host that is silent for so long is lost; `None` if it never is.
    pub(crate) link_timeout: Option<Duration>,
    /// How often whoever waits polls in vain before it sleeps.
    pub(crate) spins: u32,
}

/// The transport to PEs of other hosts.
pub(crate) struct Far {
    wire: Box<dyn Wire>,
    memory: Box<dyn Memory>,
    hosts: Hosts,
    secret: Secret,
    lost: Box<Lost>,
    look_after: Box<dyn Fn() + Send + Sync>,
    links: Mutex<Links>,
    /// A host was asked whether it is there.
    beating: AtomicBool,
    spins: u32,
    /// The longest payload that is copied.
    copied: usize,
    /// By host; none of this one.
    outboxes: Vec<Option<Mutex<Outbox>>>,
    answers: Answers,
    server: Mutex<Server>,
    /// Whose turn it is to poll `Lane::Replies`.
    turn: PollTurn,
    /// By course: how many fences there have been.
    fences: [AtomicU64; COURSES],
    /// A bit for each course that has been used; and whether there was a fence on all.
    used: AtomicU64,
    fenced_all: AtomicBool,
    /// How many outboxes have something in their batch, and how many requests there have been.
    waiting: AtomicUsize,
    given: AtomicU64,
    /// The serving thread knows that something is under way, and looks every millisecond.
    watched: AtomicBool,
    /// How often a thread that waits has looked for requests.
    looks: AtomicU64,
    /// By PE: a request that rings it was posted since it was last to be woken.
    rung: Vec<AtomicBool>,
    #[cfg(test)]
    mutation: Mutation,
}

impl Far {
    /// The process of a PE whose memory is among that of `parts`; or why the engine will not do.
    pub(crate) fn new(parts: Parts) -> Result<Far, String> {
        let Parts { wire, memory, hosts, secret, lost, look_after, link_timeout, spins } = parts;
        let (header, copied) = wire.limits();
        if header < LONGEST || copied < LEAST_COPIED {
            return Err(format!(
                "headers of {header} bytes and copies of {copied}: {LONGEST}, {LEAST_COPIED} are needed"
            ));
        }
        let me = hosts.me();
        let outbox = |host| {
            let server = hosts.server(host, me).filter(|_| hosts.host(me) != Some(host));
            server.map(|server| Mutex::new(Outbox::new(server)))
        };
        Ok(Far {
            outboxes: (0..hosts.n()).map(outbox).collect(),
            answers: Answers::new(hosts.n()),
            links: Mutex::new(Links::new(hosts.n(), link_timeout)),
            look_after,
            beating: AtomicBool::new(false),
            server: Mutex::new(Server::default()),
            turn: PollTurn::default(),
            fences: [const { AtomicU64::new(0) }; COURSES],
            used: AtomicU64::new(0),
            fenced_all: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            given: AtomicU64::new(0),
            watched: AtomicBool::new(false),
            looks: AtomicU64::new(0),
            rung: (0..hosts.n_pes()).map(|_| AtomicBool::new(false)).collect(),
            copied: copied.min(MAX_BATCH),
            #[cfg(test)]
            mutation: Mutation::None,
            wire,
            memory,
            hosts,
            secret,
            lost,
            spins,
        })
    }
}

impl Transport for Far {
    unsafe fn put(&self, to: FarTarget, from: *const u8, n: usize) {
        // SAFETY: TRANSPORT-T1 and TRANSPORT-T3, of which the caller made sure.
        unsafe { self.put_row(to, from, n) }
    }

    unsafe fn get(&self, to: *mut u8, from: FarTarget, n: usize) {
        // SAFETY: TRANSPORT-T1 and TRANSPORT-T3, of which the caller made sure.
        unsafe { self.get_row(to, from, n) }
    }

    unsafe fn put_blocks(&self, to: FarTarget, from: *const u8, blocks: FarBlocks) {
        // SAFETY: TRANSPORT-T1 and TRANSPORT-T3, of which the caller made sure.
        unsafe { self.put_strided(to, from, blocks) }
    }

    unsafe fn get_blocks(&self, to: *mut u8, from: FarTarget, blocks: FarBlocks) {
        // SAFETY: TRANSPORT-T1 and TRANSPORT-T3, of which the caller made sure.
        unsafe { self.get_strided(to, from, blocks) }
    }

    fn amo(&self, at: FarTarget, width: usize, op: AmoOp<u64>) -> u64 {
        match op {
            // What was there does not matter.
            AmoOp::Set(_) => {
                self.post_amo(at, width, op);
                0
            }
            _ => self.amo_fetch(at, width, op),
        }
    }

    fn amo_post(&self, at: FarTarget, width: usize, op: AmoOp<u64>) {
        self.post_amo(at, width, op);
    }

    unsafe fn put_signal(&self, to: FarTarget, from: *const u8, n: usize, signal: FarTarget, op: AmoOp<u64>) {
        // SAFETY: TRANSPORT-T1 and TRANSPORT-T3, of which the caller made sure.
        unsafe { self.put_and_signal(to, from, n, signal, op) }
    }

    fn fence(&self, stream: Stream) {
        self.fence_stream(stream);
    }

    fn quiet(&self, stream: Stream) {
        self.quiet_stream(stream);
    }

    fn progress(&self) {
        self.move_along();
    }

    fn is_idle(&self) -> bool {
        !self.is_under_way()
    }

    fn wake(&self, pe: PeId) {
        self.wake_far(pe);
    }

    fn close(&self) {
        self.forget_memory();
    }
}
