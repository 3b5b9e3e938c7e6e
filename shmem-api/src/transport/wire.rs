//! What is asked of an engine between hosts: messages to processes, and a way to sleep until one comes.
//!
//! ```text
//!   transport::far (the protocol: what a put or an atomic is)
//!        │ send(to, lane, header, payload)          ▲ Event::Message, Sent, Received, Failed, Lost
//!        ▼                                          │ poll(lane), sleep(lane)
//!   trait Wire: ucx (active messages), mpi (point-to-point), sim (tests)
//! ```
//!
//! Every process has two lanes. On `Requests` others ask it for something; one thread serves that lane, asleep while nothing comes, and
//! whoever waits may poll it, too. On `Replies` come the answers to what it asked; whoever waits for one polls it. (Two threads asleep
//! on one queue lose wake-ups, so on each lane one thread at a time sleeps, and one polls.)
//!
//! Invariants: **WIRE-W1** what is given by pointer stays readable, or writable, and where it is until the event that says it is
//! done (`Sent`, `Received`, `Failed`), or until `Lost` names the process and `close` has returned. **WIRE-W2** of a message with a payload that is
//! still to come, `receive` is called once, from the thread that polls its lane. **WIRE-W3** messages may overtake each other;
//! none is lost or comes twice, unless `Lost` is told.

use std::time::Duration;

use memheap::PeId;

/// See above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lane {
    Requests,
    Replies,
}

/// What a message carries after its header.
#[derive(Clone, Copy)]
pub(crate) enum Outgoing<'a> {
    /// Few bytes (none, too), which are copied: they may be used again at once, and no `Sent` is told.
    Copied(&'a [u8]),
    /// Many, which the engine takes from where they are: WIRE-W1. `Sent(id)` is told on the lane [`Lane::Replies`] of the sender if
    /// it is a request, on [`Lane::Requests`] if it is a reply: on that which the sending thread polls.
    Lent { at: *const u8, len: usize, id: u64 },
}

/// What a message that has come carries after its header.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Payload<'a> {
    /// All of it.
    Here(&'a [u8]),
    /// So many bytes, which [`Wire::receive`] has put where they belong.
    Coming { token: Token, len: usize },
}

/// Names a payload that is still to come, to the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token(pub(crate) u64);

/// What a poll tells.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// A message has come on this lane. Who sent it, its header says; nothing of it has been looked at.
    Message { header: &'a [u8], payload: Payload<'a> },
    /// What was lent under this number may be used again.
    Sent(u64),
    /// What was asked for by `receive` under this number is there.
    Received(u64),
    /// What was asked for by `receive` under this number does not come, for this reason: its sender is gone.
    Failed(u64, String),
    /// No more messages go to or come from the process of this PE, for this reason.
    Lost(PeId, String),
}

/// An engine that has been opened in this process. Any thread may call `send`.
pub(crate) trait Wire: Send + Sync {
    /// Its name in `SHMEM_TRANSPORT`, and what it stands on, in one line.
    fn describe(&self) -> String;

    /// What users are to know of it, in one line: what it cannot promise.
    fn caveat(&self) -> Option<&'static str> {
        None
    }

    /// What another process needs to reach this one; it goes to all by the boot.
    fn address(&self) -> Vec<u8>;

    /// The addresses of all processes, by PE. Nothing is connected yet: that is done when something is sent first.
    fn meet(&self, addresses: Vec<Vec<u8>>);

    /// The longest header, and the longest payload that can be `Copied`.
    fn limits(&self) -> (usize, usize);

    /// Sends a message to the process of `to`, where it comes on `lane`. Does not wait for anything.
    ///
    /// # Safety
    /// WIRE-W1, for what is lent.
    unsafe fn send(&self, to: PeId, lane: Lane, header: &[u8], payload: Outgoing<'_>);

    /// Moves things along and tells what has happened on the lane; how many events there were. One thread at a time per lane; from
    /// within `tell` only `send` and `receive` may be called.
    fn poll(&self, lane: Lane, tell: &mut dyn FnMut(Event<'_>)) -> usize;

    /// Has `len` bytes of a payload put at `to`; `Received(id)` is told on the same lane when they are there, or `Failed(id)` if they never
    /// will be.
    ///
    /// # Safety
    /// WIRE-W1 and WIRE-W2.
    unsafe fn receive(&self, token: Token, to: *mut u8, len: usize, id: u64);

    /// Gives a payload up that is still to come: nobody wants it.
    fn refuse(&self, token: Token);

    /// Sleeps until there may be an event on the lane, or `wake`, or the time is over. One thread at a time per lane, which has polled
    /// it; others may poll meanwhile.
    fn sleep(&self, lane: Lane, most: Duration);

    /// Ends a `sleep` on that lane, in this process: one that is under way or the next.
    fn wake(&self, lane: Lane);

    /// Sends what has not gone, ends all connections, in a bounded time. No call is under way or comes later.
    fn close(&self);
}
