//! What is under way on a lane, as whoever has its lock has it.
//!
//! ```text
//!   a message on its communicator:   | header's length | tag | payload's length | header | payload, if it is here |
//!   a payload that is lent, above LENT_FROM: on the same communicator, with that tag, from where it is to where it belongs
//! ```
#![allow(unsafe_code)]

use std::collections::{HashMap, HashSet};
use std::ffi::c_int;
use std::mem::take;
use std::ops::Range;

use super::doorbell::Peer;
use super::pause::{Pauses, Traffic};
use super::requests::{Calls, LAST_TAG, MESSAGE, Requests};
use crate::boot::mpi::abi::Abi;
use crate::transport::wire::Outgoing;

/// From so many bytes on, what is lent goes from where it is to where it belongs; below, with its message.
pub(super) const LENT_FROM: usize = 16 << 10;
/// Of a message: lengths and tag.
const PREFIX: usize = 16;
/// So many messages are looked for in one poll.
const AT_ONCE: usize = 64;
/// So many buffers stay for the next messages, of so many bytes at most.
const SPARE: (usize, usize) = (64, 64 << 10);

/// See above.
pub(super) struct State<A: Abi> {
    calls: Calls<A>,
    /// Of what comes here; of what goes from here to that lane of the others. None before PEs have met.
    comms: Option<[A::Handle; 2]>,
    pub(super) events: Vec<Told>,
    sends: Vec<Sending<A>>,
    receives: Vec<Receiving<A>>,
    /// Payloads that are still to come, by their tokens.
    held: HashMap<u64, Coming>,
    /// The next one; those of a lane are all even, or all odd.
    next_token: u64,
    next_tag: u32,
    pub(super) peers: Vec<Peer>,
    lost: HashSet<u32>,
    pub(super) pauses: Pauses,
    spare: Vec<Vec<u8>>,
    /// Nothing is told any more.
    closing: bool,
}

/// An event.
pub(super) enum Told {
    Message { bytes: Vec<u8>, header: Range<usize>, body: Body },
    Sent(u64),
    Received(u64),
    Failed(u64, String),
    Lost(u32, String),
}

/// The payload of a message.
pub(super) enum Body {
    Here(Range<usize>),
    /// Its token, and how many bytes.
    Coming(u64, usize),
}

struct Sending<A: Abi> {
    to: u32,
    requests: Requests<A::Handle>,
    /// Of a message: what is sent. MPIP-Q1.
    bytes: Vec<u8>,
    /// The number of what was lent.
    lent: Option<u64>,
}

struct Receiving<A: Abi> {
    from: u32,
    requests: Requests<A::Handle>,
    into: Into,
}

enum Into {
    /// A buffer of ours: a message, MPIP-Q1.
    Message(Vec<u8>),
    /// Its place; the number to tell.
    Place(u64),
    /// A buffer of ours: nobody wants it.
    Nowhere(#[allow(dead_code)] Vec<u8>),
}

struct Coming {
    from: u32,
    tag: c_int,
    len: usize,
}

impl<A: Abi> State<A> {
    /// `parity`: that of its tokens.
    pub(super) fn new(calls: Calls<A>, parity: u64) -> State<A> {
        State {
            calls,
            comms: None,
            events: Vec::new(),
            sends: Vec::new(),
            receives: Vec::new(),
            held: HashMap::new(),
            next_token: parity,
            next_tag: 0,
            peers: Vec::new(),
            lost: HashSet::new(),
            pauses: Pauses::default(),
            spare: Vec::new(),
            closing: false,
        }
    }

    /// Once. The communicators: of what comes, of what goes; or why there are none.
    pub(super) fn meet(&mut self, peers: Vec<Peer>, comms: Result<[A::Handle; 2], String>) {
        self.peers = peers;
        match comms {
            Ok(comms) => self.comms = Some(comms),
            Err(why) => (0..self.peers.len() as u32).for_each(|pe| self.lose(pe, why.clone())),
        }
    }

    fn tell(&mut self, event: Told) {
        if !self.closing {
            self.events.push(event);
        }
    }

    /// Nothing goes to or comes from that PE any more. Told once.
    fn lose(&mut self, pe: u32, why: String) {
        if self.lost.insert(pe) {
            self.tell(Told::Lost(pe, why));
        }
    }

    /// Of an error that MPI gives for no PE in particular.
    fn lose_all(&mut self, why: &str) {
        (0..self.peers.len() as u32).for_each(|pe| self.lose(pe, why.to_owned()));
    }

    /// The communicators, if messages can go.
    fn open(&mut self) -> Option<[A::Handle; 2]> {
        let comms = self.comms?;
        if self.calls.mpi.is_finalized() {
            self.lose_all("the program has finalized MPI, which messages between hosts go over");
            self.comms = None;
            return None;
        }
        Some(comms)
    }

    fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// A buffer is not used any more.
    pub(super) fn give_back(&mut self, mut bytes: Vec<u8>) {
        let (most, len) = SPARE;
        if self.spare.len() < most && bytes.capacity() <= len {
            bytes.clear();
            self.spare.push(bytes);
        }
    }

    /// Whether it went.
    ///
    /// # Safety
    /// WIRE-W1, for what is lent.
    pub(super) unsafe fn send(&mut self, to: u32, header: &[u8], payload: Outgoing<'_>) -> bool {
        let Some([_, comm]) = self.open().filter(|_| !self.lost.contains(&to)) else { return false };
        let (here, lent, tag): (&[u8], _, _) = match payload {
            Outgoing::Copied(bytes) => (bytes, None, 0),
            Outgoing::Lent { at: _, len: 0, id } => (&[], Some((id, None)), 0),
            Outgoing::Lent { at, len, id } if len < LENT_FROM => {
                // SAFETY: WIRE-W1.
                (unsafe { std::slice::from_raw_parts(at, len) }, Some((id, None)), 0)
            }
            Outgoing::Lent { at, len, id } => {
                self.next_tag = self.next_tag % LAST_TAG + 1;
                (&[], Some((id, Some((at, len)))), self.next_tag)
            }
        };
        let (id, apart) = (lent.map(|(id, _)| id), lent.and_then(|(_, apart)| apart));
        let mut bytes = self.buffer();
        bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&(apart.map_or(here.len(), |(_, len)| len) as u64).to_le_bytes());
        bytes.extend_from_slice(header);
        bytes.extend_from_slice(here);
        let mut sending = Sending { to, requests: Requests::new(), bytes, lent: id };
        let message = (sending.bytes.as_ptr(), sending.bytes.len());
        // SAFETY: MPIP-Q1: the bytes are `sending`'s, which stays until they are sent.
        let mut went = unsafe { self.calls.send(&mut sending.requests, message, (to, MESSAGE, comm)) };
        if let (Ok(()), Some(apart)) = (&went, apart) {
            // SAFETY: MPIP-Q1 by WIRE-W1: it stays until `Sent` is told.
            went = unsafe { self.calls.send(&mut sending.requests, apart, (to, tag as c_int, comm)) };
        }
        let ended = went.and_then(|()| self.calls.have_ended(&mut sending.requests));
        self.after_send(sending, ended);
        true
    }

    fn after_send(&mut self, sending: Sending<A>, ended: Result<bool, String>) {
        match ended {
            Ok(false) => self.sends.push(sending),
            Ok(true) => {
                sending.lent.into_iter().for_each(|id| self.tell(Told::Sent(id)));
                self.give_back(sending.bytes);
            }
            Err(why) => {
                self.lose(sending.to, format!("a message could not be sent: {why}"));
                // What else of it is under way may still be read by MPI.
                self.sends.push(Sending { lent: None, ..sending });
            }
        }
    }

    /// Moves things along, and looks for what has come.
    pub(super) fn turn(&mut self) {
        let Some([comm, _]) = self.open() else { return };
        for mut sending in take(&mut self.sends) {
            let ended = self.calls.have_ended(&mut sending.requests);
            self.after_send(sending, ended);
        }
        for receiving in take(&mut self.receives) {
            self.look_after(receiving);
        }
        for _ in 0..AT_ONCE {
            match self.calls.find(comm) {
                Ok(None) => break,
                Ok(Some(found)) => {
                    let (from, mut room) = (found.source, self.buffer());
                    if let Some(peer) = self.peers.get_mut(from as usize) {
                        peer.has_come();
                    }
                    room.resize(found.len, 0);
                    let mut requests = Requests::new();
                    // SAFETY: MPIP-Q1: the buffer is `receiving`'s, which stays until all is there.
                    match unsafe { self.calls.take(&mut requests, found, &mut room) } {
                        Ok(()) => self.look_after(Receiving { from, requests, into: Into::Message(room) }),
                        Err(why) => self.lose(from, why),
                    }
                }
                Err(why) => {
                    self.lose_all(&why);
                    break;
                }
            }
        }
    }

    /// Whether it is there.
    fn look_after(&mut self, mut receiving: Receiving<A>) {
        match self.calls.have_ended(&mut receiving.requests) {
            Ok(false) => self.receives.push(receiving),
            Ok(true) => match receiving.into {
                Into::Message(bytes) => self.message(receiving.from, bytes),
                Into::Place(id) => self.tell(Told::Received(id)),
                Into::Nowhere(_) => {}
            },
            Err(why) => self.has_failed(receiving.from, &receiving.into, &why),
        }
    }

    /// What was to be received is not.
    fn has_failed(&mut self, from: u32, into: &Into, why: &str) {
        if let Into::Place(id) = into {
            self.tell(Told::Failed(*id, why.to_owned()));
        }
        self.lose(from, format!("a message could not be received: {why}"));
    }

    fn message(&mut self, from: u32, bytes: Vec<u8>) {
        let Some((header, tag, len)) = read(&bytes) else {
            return self.lose(from, "it has sent what is no message".to_owned());
        };
        let body = match tag {
            0 => Body::Here(header.end..bytes.len()),
            tag => {
                let token = self.next_token;
                self.next_token += 2;
                if !self.closing {
                    self.held.insert(token, Coming { from, tag, len });
                }
                Body::Coming(token, len)
            }
        };
        self.tell(Told::Message { bytes, header, body });
    }

    /// # Safety
    /// WIRE-W1 and WIRE-W2.
    pub(super) unsafe fn receive(&mut self, token: u64, to: *mut u8, len: usize, id: u64) {
        let Some(coming) = self.held.remove(&token) else { return };
        assert_eq!(len, coming.len, "a payload is received as it was sent");
        // SAFETY: MPIP-Q1 by WIRE-W1.
        unsafe { self.begin(coming, to, Into::Place(id)) }
    }

    /// A payload that nobody wants comes all the same: its sender waits until it has gone.
    pub(super) fn refuse(&mut self, token: u64) {
        let Some(coming) = self.held.remove(&token) else { return };
        let mut nowhere = vec![0; coming.len];
        let to = nowhere.as_mut_ptr();
        // SAFETY: MPIP-Q1: the buffer is kept until all is there.
        unsafe { self.begin(coming, to, Into::Nowhere(nowhere)) }
    }

    /// # Safety
    /// MPIP-Q1: there is room for all of it, which stays.
    unsafe fn begin(&mut self, Coming { from, tag, len }: Coming, to: *mut u8, into: Into) {
        let Some([comm, _]) = self.open() else { return self.has_failed(from, &into, "MPI is not up") };
        let mut requests = Requests::new();
        // SAFETY: MPIP-Q1, as the caller says.
        match unsafe { self.calls.receive(&mut requests, (to, len), (from, tag, comm)) } {
            Ok(()) => self.look_after(Receiving { from, requests, into }),
            Err(why) => self.has_failed(from, &into, &why),
        }
    }

    /// Whether something is under way.
    pub(super) fn has_requests(&self) -> bool {
        !self.sends.is_empty() || !self.receives.is_empty()
    }

    /// What there is to look for.
    pub(super) fn traffic(&self) -> Traffic {
        if self.has_requests() || self.peers.iter().any(Peer::is_behind) {
            Traffic::UnderWay
        } else if self.peers.iter().any(Peer::is_silent) {
            Traffic::Silent
        } else {
            Traffic::None
        }
    }

    /// From here on nothing is told; what was sent still goes.
    pub(super) fn let_go(&mut self) {
        self.closing = true;
        self.events.clear();
        for token in self.held.keys().copied().collect::<Vec<_>>() {
            self.refuse(token);
        }
    }

    /// Whether something has not gone yet.
    pub(super) fn is_going(&self) -> bool {
        self.comms.is_some() && !self.sends.is_empty()
    }

    /// What is still being received is given up.
    pub(super) fn cancel(&mut self) {
        if self.open().is_some() {
            for mut receiving in take(&mut self.receives) {
                self.calls.cancel(&mut receiving.requests);
                // MPI may still write to what is ours.
                std::mem::forget(receiving);
            }
        }
        std::mem::forget(take(&mut self.sends));
        self.comms = None;
    }
}

/// Where the header of a message lies; tag and length of its payload, which is here if the tag is 0.
fn read(bytes: &[u8]) -> Option<(Range<usize>, c_int, usize)> {
    let number = |at: Range<usize>| bytes[at].iter().rev().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
    if bytes.len() < PREFIX {
        return None;
    }
    let (header, tag, len) = (number(0..4), number(4..8), number(8..16));
    let here = (bytes.len() - PREFIX) as u64;
    let body = here.checked_sub(header)?;
    let right = match tag {
        0 => len == body,
        _ => body == 0 && tag <= LAST_TAG.into() && isize::try_from(len).is_ok(),
    };
    right.then(|| (PREFIX..PREFIX + header as usize, tag as c_int, len as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(header: u32, tag: u32, len: u64, rest: &[u8]) -> Vec<u8> {
        [&header.to_le_bytes()[..], &tag.to_le_bytes(), &len.to_le_bytes(), rest].concat()
    }

    #[test]
    fn messages_and_what_is_none() {
        assert_eq!(read(&message(3, 0, 2, b"hdrxy")), Some((16..19, 0, 2)));
        assert_eq!(read(&message(3, 7, 1 << 40, b"hdr")), Some((16..19, 7, 1 << 40)));
        assert_eq!(read(&message(0, 0, 0, b"")), Some((16..16, 0, 0)));
        for none in [
            message(4, 0, 0, b"hdr"),
            message(3, 0, 1, b"hdr"),
            message(3, 7, 9, b"hdrx"),
            message(3, LAST_TAG + 1, 9, b"hdr"),
            message(3, 7, u64::MAX, b"hdr"),
            message(u32::MAX, 0, 0, b"hdr"),
            message(0, 0, 0, b"")[..15].to_vec(),
        ] {
            assert_eq!(read(&none), None, "{none:?}");
        }
    }
}
