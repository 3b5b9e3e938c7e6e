//! Messages of all sizes, there and back, with their content checked.
#![allow(unsafe_code)]

use std::time::{Duration, Instant};

use super::server::{HEADER, Kind, PATIENCE, SERVER, header, number, send};
use crate::transport::wire::{Event, Lane, Outgoing, Payload, Wire};

/// Bytes that tell where they are, and of which message.
fn content(number: u64, len: usize) -> Vec<u8> {
    (0..len).map(|i| (i as u64 * 31 + (i as u64 >> 8) * 7 + number * 101) as u8).collect()
}

/// Polls the replies, asleep while there is none, until `done`.
fn replies(wire: &dyn Wire, mut tell: impl FnMut(Event<'_>), mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "no reply");
        if wire.poll(Lane::Replies, &mut tell) == 0 {
            wire.sleep(Lane::Replies, Duration::from_secs(1));
        }
    }
}

/// 10,000 small requests and as many replies, up to 64 at a time: each comes once, as it was sent.
fn small_ones(wire: &dyn Wire) {
    const N: u64 = 10_000;
    let len = |number: u64| (number * 37 % 300) as usize;
    let seen = std::cell::RefCell::new(vec![false; N as usize]);
    let (mut sent, back) = (0, std::cell::Cell::new(0));
    while back.get() < N {
        while sent < N && sent - back.get() < 64 {
            send(wire, SERVER, Lane::Requests, &header(Kind::Echo, sent), &content(sent, len(sent)));
            sent += 1;
        }
        let before = back.get();
        let tell = |event: Event<'_>| match event {
            Event::Message { header, payload: Payload::Here(bytes) } => {
                let number = number(header);
                assert!(!std::mem::replace(&mut seen.borrow_mut()[number as usize], true), "{number} twice");
                assert_eq!(bytes, content(number, len(number)), "{number}");
                back.set(back.get() + 1);
            }
            event => panic!("{event:?}"),
        };
        replies(wire, tell, || back.get() > before);
    }
    assert!(seen.borrow().iter().all(|seen| *seen));
}

/// Payloads that are lent, from nothing to 4 MiB, which come back lent: straight into their places, if they are large.
fn large_ones(wire: &dyn Wire, apart_from: usize) {
    let around = [4 << 10, 8 << 10, 64 << 10, apart_from, 1 << 20, 4 << 20].map(|n: usize| [n - 1, n, n + 1]);
    for (i, len) in [0, 1, 7, 100].into_iter().chain(around.into_iter().flatten()).enumerate() {
        let id = 1000 + i as u64;
        let payload = content(id, len);
        let mut room = vec![0; len];
        let place = room.as_mut_ptr();
        let (mut was_sent, mut is_back) = (false, false);
        let state = std::cell::Cell::new((false, false));
        // SAFETY: WIRE-W1: `payload` stays until it was sent.
        unsafe {
            wire.send(
                SERVER,
                Lane::Requests,
                &header(Kind::Lend, id),
                Outgoing::Lent { at: payload.as_ptr(), len, id },
            )
        };
        let tell = |event: Event<'_>| {
            match event {
                Event::Sent(sent) => {
                    assert_eq!((sent, was_sent), (id, false));
                    was_sent = true;
                }
                Event::Message { header, payload: Payload::Here(bytes) } => {
                    assert_eq!((number(header), bytes.len()), (id, len));
                    assert!(len < apart_from, "{len} bytes were copied");
                    // SAFETY: it has room for as many.
                    unsafe { place.copy_from_nonoverlapping(bytes.as_ptr(), len) };
                    is_back = true;
                }
                Event::Message { header, payload: Payload::Coming { token, len: coming } } => {
                    assert_eq!((number(header), coming), (id, len));
                    // SAFETY: WIRE-W1, WIRE-W2: `room` stays.
                    unsafe { wire.receive(token, place, len, id + 7) };
                }
                Event::Received(received) => {
                    assert_eq!((received, is_back), (id + 7, false));
                    is_back = true;
                }
                Event::Failed(..) | Event::Lost(..) => panic!("{event:?}"),
            }
            state.set((was_sent, is_back));
        };
        replies(wire, tell, || state.get() == (true, true));
        assert!(room == payload, "{len} bytes");
    }
}

/// A payload that nobody wants: its sender has it back all the same.
fn refused_ones(wire: &dyn Wire) {
    for id in 0..20 {
        let payload = content(id, 1 << 20);
        // SAFETY: WIRE-W1: `payload` stays until it was sent.
        unsafe {
            wire.send(
                SERVER,
                Lane::Requests,
                &header(Kind::Refuse, id),
                Outgoing::Lent { at: payload.as_ptr(), len: payload.len(), id },
            )
        };
        let state = std::cell::Cell::new((false, false));
        let tell = |event: Event<'_>| match event {
            Event::Sent(sent) if sent == id => state.set((true, state.get().1)),
            Event::Message { header, payload: Payload::Here(b"no") } if number(header) == id => {
                state.set((state.get().0, true));
            }
            event => panic!("{event:?}"),
        };
        replies(wire, tell, || state.get() == (true, true));
    }
}

/// All of it. `apart_from`: the engine puts payloads of so many bytes where they belong itself.
pub(crate) fn all(wire: &dyn Wire, apart_from: usize) {
    let (header, copied) = wire.limits();
    assert!(header >= HEADER && copied >= 4 << 10, "{header}, {copied}");
    small_ones(wire);
    large_ones(wire, apart_from);
    refused_ones(wire);
    longest_ones(wire);
}

/// The longest header and the longest copied payload.
fn longest_ones(wire: &dyn Wire) {
    let (_, copied) = wire.limits();
    let bytes = content(3, copied);
    send(wire, SERVER, Lane::Requests, &header(Kind::Echo, 3), &bytes);
    let back = std::cell::Cell::new(false);
    let tell = |event: Event<'_>| match event {
        Event::Message { payload: Payload::Here(got), .. } => back.set(got == bytes),
        event => panic!("{event:?}"),
    };
    replies(wire, tell, || back.get());
}
