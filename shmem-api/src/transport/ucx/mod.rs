//! The engine between hosts that stands on UCX: its active messages, by `libucp.so.0`, which is loaded at run time.
//!
//! ```text
//!            this process                                   the peer's
//!   lane Requests, served: worker ◄────── requests ──────── lane Replies: worker
//!                 its endpoints ────────── replies ───────►
//!   lane Replies, polled by who waits: worker ─ requests ─► lane Requests: worker
//!                                             ◄─ replies ── its endpoints
//! ```
//!
//! Two threads asleep on one worker lose wake-ups: so each lane has a worker of its own, and what is sent on a lane goes by the
//! endpoints of this process' *other* lane, since whoever sends a request polls the replies, and the other way round. Each lane tells of
//! what its own worker sees: `Sent`, and `Lost` (once per PE and lane, of those that something was sent to).
//!
//! Small and copied payloads go eagerly and come with their message. Large ones that are lent go by rendezvous: UCX asks the receiver,
//! who says where they belong, and puts them there itself.
//!
//! UCX is set up as its own variables (`UCX_TLS`, ...) say; `SHMEM_NET` stands above `UCX_NET_DEVICES`. Its handlers of signals stay
//! away unless the user asks for them by `UCX_HANDLE_ERRORS`.
//!
//! A process that dies in the middle of a large payload over tcp may take this one along: UCX 1.13 has a fault there (`tests/lost`),
//! and aborts: in 2 of 500 deaths that were tried. Sending from a copy (`UCX_TCP_MAX_IOV=2`) does not keep it away: 1 of 500.
//!
//! | file | what |
//! |---|---|
//! | `abi` | UCX's types, constants and functions |
//! | `library` | the loaded library |
//! | `settings` | a context by UCX's configuration, and ours; which devices it has |
//! | `lane` | the lock, and what is asked of a lane |
//! | `state` | under it: a worker and its endpoints |
//! | `inbox` | the callbacks, and the queue they fill |
//!
//! Invariants:
//! * **UCX-U1** the functions are those of `abi`, of a library of version 1.10 or newer below 2; it stays loaded until the process ends.
//! * **UCX-U2** a worker, its endpoints, its inbox and what it keeps for us are used under the lock of their lane (its thread mode is
//!   *serialized*; the context is one for several workers, so it has locks of its own).
//! * **UCX-U3** a callback runs within a call on its worker, so under the lock. Its argument stays where it is, and is reached by shared
//!   references only: an inbox and the links until the worker is destroyed, a message or a payload on its way until its one callback
//!   has come. What it is given can be read until it returns; what is kept, until it is given back.
//! * **UCX-U4** context, workers and endpoints are there from `open` to `close`, an endpoint until it is closed; `close` is the last call, and
//!   later ones find null.
//! * **UCX-U5** a header and a payload that was copied lie in a `Sending` of the engine's until they are sent.
#![allow(unsafe_code)]

mod abi;
mod inbox;
mod lane;
mod library;
mod settings;
mod state;
#[cfg(all(test, not(miri)))]
mod tests;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use memheap::PeId;
use parking_lot::Mutex;

use crate::transport::ucx::lane::Lane as Worker;
use crate::transport::ucx::library::Functions;
use crate::transport::ucx::settings::Context;
use crate::transport::wire::{Event, Lane, Outgoing, Token, Wire};

/// The longest payload that is copied.
const COPIED: usize = 8 << 10;
/// What an end may take: for what has not gone, and for the connections.
const GOING: Duration = Duration::from_secs(1);
const CUT: Duration = Duration::from_millis(200);
/// Between two looks at an end that does not move.
const LOOK: Duration = Duration::from_micros(50);

/// The engine, opened.
pub(crate) struct Ucx {
    requests: Worker,
    replies: Worker,
    /// Behind the workers, which go first.
    context: Mutex<Option<Context>>,
    described: String,
}

/// The library. (A program that is linked statically loads none: whoever asks has asked `boot::loaded` about that.)
///
/// # Errors
/// There is none that can be used.
pub(crate) fn find() -> Result<Functions, String> {
    static LOADED: OnceLock<Result<Functions, String>> = OnceLock::new();
    LOADED.get_or_init(Functions::load).clone()
}

/// Opens the engine. `net`: the network devices to use (`SHMEM_NET`), instead of those UCX chooses.
///
/// # Errors
/// UCX does not start here.
pub(crate) fn open(library: Functions, net: Option<&str>) -> Result<Ucx, String> {
    Ucx::open(library, net, &[])
}

impl Ucx {
    /// With some of UCX's settings changed: name, without `UCX_`, and value.
    fn open(library: Functions, net: Option<&str>, settings: &[(&str, &str)]) -> Result<Ucx, String> {
        let context = Context::open(library, net, settings)?;
        let [requests, replies] = [0, 1].map(|parity| Worker::open(library, context.handle(), parity));
        let described = format!("ucx ({}: {})", library.name(), context.devices);
        Ok(Ucx { requests: requests?, replies: replies?, context: Mutex::new(Some(context)), described })
    }

    /// Where what comes on a lane is seen.
    fn comes_on(&self, lane: Lane) -> &Worker {
        match lane {
            Lane::Requests => &self.requests,
            Lane::Replies => &self.replies,
        }
    }

    /// By whose endpoints something is sent that comes there.
    fn sends_to(&self, lane: Lane) -> &Worker {
        match lane {
            Lane::Requests => &self.replies,
            Lane::Replies => &self.requests,
        }
    }

    /// Whose token it is: those of requests are even.
    fn of(&self, token: Token) -> &Worker {
        if token.0.is_multiple_of(2) { &self.requests } else { &self.replies }
    }

    /// Until nothing is under way, or the time is over.
    fn end_until(&self, deadline: Instant) {
        loop {
            let ending = [&self.requests, &self.replies].map(Worker::is_ending);
            if ending.iter().all(|(pending, _)| !pending) || Instant::now() >= deadline {
                break;
            }
            if ending.iter().all(|(_, moved)| !moved) {
                std::thread::sleep(LOOK);
            }
        }
    }
}

/// The number of bytes of the first of two addresses, and both.
fn pack(requests: &[u8], replies: &[u8]) -> Vec<u8> {
    [&(requests.len() as u32).to_le_bytes(), requests, replies].concat()
}

/// What was packed; two empty ones, if it is nothing that was.
fn unpack(packed: &[u8]) -> [&[u8]; 2] {
    let both = packed
        .split_first_chunk()
        .and_then(|(len, both)| both.split_at_checked(u32::from_le_bytes(*len) as usize));
    both.map_or([&[], &[]], |(requests, replies)| [requests, replies])
}

impl Wire for Ucx {
    fn describe(&self) -> String {
        self.described.clone()
    }

    fn address(&self) -> Vec<u8> {
        pack(&self.requests.address, &self.replies.address)
    }

    fn meet(&self, addresses: Vec<Vec<u8>>) {
        let both = |which: usize| addresses.iter().map(|packed| unpack(packed)[which].to_vec()).collect();
        self.replies.meet(both(0));
        self.requests.meet(both(1));
    }

    fn limits(&self) -> (usize, usize) {
        (self.requests.max_header.min(self.replies.max_header), COPIED)
    }

    unsafe fn send(&self, to: PeId, lane: Lane, header: &[u8], payload: Outgoing<'_>) {
        // SAFETY: WIRE-W1.
        unsafe { self.sends_to(lane).send(to, header, payload) }
    }

    fn poll(&self, lane: Lane, tell: &mut dyn FnMut(Event<'_>)) -> usize {
        self.comes_on(lane).poll(tell)
    }

    unsafe fn receive(&self, token: Token, to: *mut u8, len: usize, id: u64) {
        // SAFETY: WIRE-W1, WIRE-W2.
        unsafe { self.of(token).receive(token.0, to, len, id) }
    }

    fn refuse(&self, token: Token) {
        self.of(token).refuse(token.0);
    }

    fn sleep(&self, lane: Lane, most: Duration) {
        self.comes_on(lane).sleep(most);
    }

    fn wake(&self, lane: Lane) {
        self.comes_on(lane).wake();
    }

    fn close(&self) {
        let (lanes, start) = ([&self.requests, &self.replies], Instant::now());
        lanes.into_iter().for_each(Worker::let_go);
        self.end_until(start + GOING);
        let start = Instant::now();
        lanes.into_iter().for_each(Worker::cut);
        self.end_until(start + CUT);
        lanes.into_iter().for_each(Worker::destroy);
        drop(self.context.lock().take());
    }
}
