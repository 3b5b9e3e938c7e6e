//! What answers: a server for the lane of requests.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use memheap::PeId;

use crate::transport::wire::{Event, Lane, Outgoing, Payload, Wire};

/// No test waits longer for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The PE that serves; the one that asks is 0.
pub(crate) const SERVER: PeId = PeId(1);

/// What a request asks for: the first byte of its header. Behind it stand a number and where the reply goes on: of a reply, the
/// number of its request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The same bytes back, copied.
    Echo = 1,
    /// The same bytes back, lent.
    Lend = 2,
    /// The payload is not wanted.
    Refuse = 3,
    /// Ask me something: an `Echo` that goes the other way.
    Ask = 4,
    /// Nothing: no reply.
    Hush = 5,
    /// The end.
    Stop = 6,
}

pub(crate) const HEADER: usize = 32;

pub(crate) fn header(kind: Kind, number: u64) -> [u8; HEADER] {
    let mut header = [0xa5; HEADER];
    header[0] = kind as u8;
    header[8..16].copy_from_slice(&number.to_le_bytes());
    header
}

pub(crate) fn number(header: &[u8]) -> u64 {
    assert_eq!(header.len(), HEADER);
    assert!(header[1..8].iter().chain(&header[16..]).all(|&byte| byte == 0xa5), "{header:?}");
    u64::from_le_bytes(header[8..16].try_into().unwrap())
}

fn is(header: &[u8], kind: Kind) -> bool {
    header[0] == kind as u8
}

/// Sends a small one.
pub(crate) fn send(wire: &dyn Wire, to: PeId, lane: Lane, header: &[u8], bytes: &[u8]) {
    // SAFETY: WIRE-W1: nothing is lent.
    unsafe { wire.send(to, lane, header, Outgoing::Copied(bytes)) };
}

/// Serves requests, asleep while there are none, until one says stop.
pub(crate) fn serve(wire: &dyn Wire) {
    let to = PeId(1 - SERVER.0);
    // Of what is still to come: its header and where it goes. Of what was lent: the bytes.
    let mut coming: HashMap<u64, (Vec<u8>, Vec<u8>)> = HashMap::new();
    let mut lent: HashMap<u64, Vec<u8>> = HashMap::new();
    let (mut stopped, mut asked) = (false, false);
    let lend = |lent: &mut HashMap<u64, Vec<u8>>, header: &[u8], bytes: Vec<u8>| {
        let id = number(header);
        let payload = Outgoing::Lent { at: bytes.as_ptr(), len: bytes.len(), id };
        lent.insert(id, bytes);
        // SAFETY: WIRE-W1: it stays in `lent` until it was sent.
        unsafe { wire.send(to, Lane::Replies, header, payload) };
    };
    let start = Instant::now();
    while !(stopped && lent.is_empty() && coming.is_empty()) {
        assert!(
            start.elapsed() < 2 * PATIENCE,
            "stopped: {stopped}, lent {}, coming {}",
            lent.len(),
            coming.len()
        );
        let told = wire.poll(Lane::Requests, &mut |event| match event {
            Event::Message { header, .. } if is(header, Kind::Stop) => stopped = true,
            Event::Message { header, .. } if is(header, Kind::Hush) => {}
            Event::Message { header, payload: Payload::Here(_) } if is(header, Kind::Ask) => {
                asked = true;
                send(wire, to, Lane::Requests, header, b"tell me");
            }
            Event::Message { header, payload: Payload::Here(bytes) } if is(header, Kind::Lend) => {
                lend(&mut lent, header, bytes.to_vec());
            }
            Event::Message { header, payload: Payload::Here(bytes) } => {
                send(wire, to, Lane::Replies, header, bytes);
            }
            Event::Message { header, payload: Payload::Coming { token, .. } } if is(header, Kind::Refuse) => {
                wire.refuse(token);
                send(wire, to, Lane::Replies, header, b"no");
            }
            Event::Message { header, payload: Payload::Coming { token, len } } => {
                let mut room = vec![0; len];
                // SAFETY: WIRE-W1, WIRE-W2: it stays in `coming` until it is there.
                unsafe { wire.receive(token, room.as_mut_ptr(), len, number(header)) };
                coming.insert(number(header), (header.to_vec(), room));
            }
            Event::Received(id) => {
                let (header, bytes) = coming.remove(&id).unwrap();
                lend(&mut lent, &header, bytes);
            }
            Event::Sent(id) => _ = lent.remove(&id).unwrap(),
            Event::Failed(id, _) => _ = coming.remove(&id).unwrap(),
            // A peer that has ended before it said so.
            Event::Lost(pe, why) => {
                assert_eq!(pe, to);
                eprintln!("the server lost its peer: {why}");
                stopped = true;
                lent.clear();
                coming.clear();
            }
        });
        if asked {
            // What asked is this lane's.
            wire.poll(Lane::Replies, &mut |_| {});
        }
        if told == 0 {
            wire.sleep(Lane::Requests, Duration::from_millis(if asked { 1 } else { 1000 }));
        }
    }
}
