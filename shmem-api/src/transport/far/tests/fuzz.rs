//! Messages that are wrong in every way: nothing outside is touched, nothing hangs, nothing panics.
//!
//! 100,000 in the usual run, more by `SHMEM_TEST_MESSAGES`.

use memheap::PeId;

use super::guarded::{COPIED, Guarded, Sink, WORDS};
use super::world::SECRET;
use crate::testing::Random;
use crate::transport::far::answers::{Answers, Came};
use crate::transport::far::flow::{MAX_BYTES, MAX_REQUESTS};
use crate::transport::far::hosts::Hosts;
use crate::transport::far::message::{self, Answer, Form, Op, Request, Says, Secret};
use crate::transport::far::mutation::Mutation;
use crate::transport::far::server::{Around, Server};
use crate::transport::far::user::Place;
use crate::transport::wire::{Event, Payload, Token};
use crate::types::amo::AmoKind;

fn messages() -> usize {
    std::env::var("SHMEM_TEST_MESSAGES").map_or(100_000, |n| n.parse().expect("a number of messages"))
}

/// A number that is likely to be at an edge.
fn number(random: &mut Random) -> u64 {
    let edges = [0, 1, 7, 8, 9, 64, 4088, 4096, 4097, 1 << 32, 1 << 62, 1 << 63, u64::MAX - 7, u64::MAX];
    match random.below(4) {
        0 => random.of(&edges),
        1 => random.next(),
        _ => random.below(300) as u64,
    }
}

/// A request, mostly one that could be.
fn request(random: &mut Random, next: &mut u64) -> Request {
    let ops = [Op::Put, Op::PutBlocks, Op::Get, Op::GetBlocks, Op::Amo, Op::PutSignal, Op::Ring, Op::Ask];
    let op = random.of(&ops);
    let mut request = Request::new(op, random.below(3) as u8, PeId(1), random.below(600) as u64 * 8);
    *next += 1;
    (request.number, request.after) = (1 + *next / 3, random.below(1 + *next as usize / 3) as u64);
    request.len = 1 + random.below(100) as u64;
    match op {
        Op::Put => {}
        Op::Get => request.id = 1,
        Op::PutBlocks => request.words = [request.len + random.below(9) as u64, 1 + random.below(5) as u64],
        Op::GetBlocks => {
            (request.id, request.words) =
                (1, [request.len + random.below(50) as u64, 1 + random.below(99) as u64]);
        }
        Op::Amo => (request.len, request.width, request.kind) = (0, random.of(&[4, 8]), AmoKind::Add),
        Op::PutSignal => {
            (request.width, request.kind) = (8, AmoKind::Set);
            request.words = [random.below(600) as u64 * 8, 1];
        }
        Op::Ring | Op::Ask => (request.len, request.at) = (0, 0),
    }
    if op == Op::Ask {
        (request.after, request.target) = (0, PeId(0));
    }
    // And one of its fields wrong.
    match random.below(20) {
        0 => request.at = number(random),
        1 => request.len = number(random),
        2 => request.words[0] = number(random),
        3 => request.words[1] = number(random),
        4 => request.number = number(random),
        5 => request.after = number(random),
        6 => request.target = PeId(number(random) as u32),
        _ => {}
    }
    request
}

/// Flips bits, or cuts it off, or makes it longer.
fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..random.below(4) {
        if !bytes.is_empty() {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
    }
    match random.below(6) {
        0 => bytes.truncate(random.below(bytes.len() + 1)),
        1 => bytes.extend((0..random.below(70)).map(|i| i as u8)),
        _ => {}
    }
}

/// A message, mostly of this job: its header and its payload.
fn a_message(random: &mut Random, next: &mut u64) -> (Vec<u8>, Vec<u8>) {
    let form = random.of(&[Form::Batch, Form::Batch, Form::Batch, Form::Lent, Form::Answer]);
    let from = if random.below(50) == 0 { number(random) as u32 } else { 0 };
    let secret = if random.below(50) == 0 { Secret([0; 16]) } else { SECRET };
    let (mut header, mut payload) = (message::envelope(form, PeId(from), secret).to_vec(), Vec::new());
    if form == Form::Batch {
        for _ in 0..random.below(4) {
            let request = request(random, next);
            let data = request.data().unwrap_or(0).min(1 << 12).next_multiple_of(8);
            payload.extend(request.bytes());
            payload.resize(payload.len() + data, 1);
        }
    } else {
        let request = request(random, next);
        header.extend(request.bytes());
        payload.resize(request.data().unwrap_or(0).min(1 << 14), 2);
    }
    if random.below(8) == 0 {
        damage(random, &mut header);
    }
    if random.below(8) == 0 {
        damage(random, &mut payload);
    }
    (header, payload)
}

#[test]
fn a_server_takes_any_message() {
    let (hosts, memory, sink) = (Hosts::new(PeId(1), &[0, 1]), Guarded::new(), Sink::default());
    sink.allowed.lock().push((memory.start().addr(), WORDS * 8));
    let around = Around {
        wire: &sink,
        memory: &memory,
        hosts: &hosts,
        secret: SECRET,
        copied: COPIED,
        mutation: Mutation::None,
    };
    let mut random = Random::new(14);
    let (mut server, mut next) = (Server::default(), 0);
    for n in 0..messages() {
        let (header, payload) = a_message(&mut random, &mut next);
        let payload = match random.below(3) {
            0 => Payload::Coming { token: Token(n as u64), len: payload.len() },
            _ => Payload::Here(&payload),
        };
        server.tell(&around, Event::Message { header: &header, payload });
        let received = std::mem::take(&mut *sink.received.lock());
        for id in received.into_iter().chain([number(&mut random)]) {
            server.tell(&around, Event::Received(id));
        }
        assert_eq!(server.after_poll(&sink), []);
        if n % 1000 == 999 {
            memory.check();
            let sender = server.sender(PeId(0));
            assert!(sender.held <= MAX_BYTES && sender.n_held() <= 3 * MAX_REQUESTS as usize);
            // From the beginning, or too few numbers would be next.
            (server, next) = (Server::default(), 0);
        }
    }
    memory.check();
    assert!(*sink.refused.lock() > 0 && sink.sent() > messages() / 20);
    assert!(memory.written() > WORDS / 2, "most messages did nothing");
}

/// FAR-V1: a sender that keeps to no bound. What its first request lets go is no longer counted.
#[test]
fn what_is_held_back_is_bounded() {
    let (hosts, memory, sink) = (Hosts::new(PeId(1), &[0, 1]), Guarded::new(), Sink::default());
    let around = Around {
        wire: &sink,
        memory: &memory,
        hosts: &hosts,
        secret: SECRET,
        copied: COPIED,
        mutation: Mutation::None,
    };
    let (mut server, len) = (Server::default(), WORDS as u64 * 8);
    let tell = |server: &mut Server, number, after| {
        let request = Request { len, number, after, ..Request::new(Op::Put, 1, PeId(1), 0) };
        let payload = [request.bytes().as_slice(), &[1; WORDS * 8]].concat();
        let header = message::envelope(Form::Batch, PeId(0), SECRET);
        server.tell(&around, Event::Message { header: &header, payload: Payload::Here(&payload) });
        let sender = server.sender(PeId(0));
        (sender.held, sender.n_held())
    };
    let fit = MAX_BYTES / len;
    for number in 2..=1000 {
        let held = fit.min(number - 1);
        assert_eq!(tell(&mut server, number, 1), (held * len, held as usize));
    }
    assert_eq!((sink.sent(), memory.written()), (999 - fit as usize, 0));
    assert_eq!(tell(&mut server, 1, 0), (0, 0));
    assert_eq!(memory.written(), WORDS);
}

/// Whoever does not know the secret, or is served by somebody else.
#[test]
fn strangers_move_nothing() {
    let (hosts, memory, sink) = (Hosts::new(PeId(1), &[0, 1, 1, 0]), Guarded::new(), Sink::default());
    let around = Around {
        wire: &sink,
        memory: &memory,
        hosts: &hosts,
        secret: SECRET,
        copied: COPIED,
        mutation: Mutation::None,
    };
    let mut server = Server::default();
    let request = Request { len: 8, number: 1, ..Request::new(Op::Put, 1, PeId(1), 0) };
    let payload = [request.bytes().as_slice(), &[1; 8]].concat();
    let mut flipped = SECRET;
    flipped.0[15] ^= 1;
    let mut tell = |form, from, secret| {
        let header = message::envelope(form, PeId(from), secret);
        server.tell(&around, Event::Message { header: &header, payload: Payload::Here(&payload) });
        memory.written()
    };
    for (form, from, secret) in [
        (Form::Batch, 0, flipped),
        (Form::Batch, 1, SECRET),
        (Form::Batch, 2, SECRET),
        (Form::Batch, 3, SECRET),
        (Form::Batch, 4, SECRET),
        (Form::Lent, 0, SECRET),
        (Form::Answer, 0, SECRET),
    ] {
        assert_eq!(tell(form, from, secret), 0, "{form:?} of PE {from}");
    }
    assert_eq!(sink.sent(), 0);
    assert_eq!(tell(Form::Batch, 0, SECRET), 1);
}

#[test]
fn whoever_asked_takes_any_answer() {
    let (hosts, memory, sink) = (Hosts::new(PeId(0), &[0, 1]), Guarded::new(), Sink::default());
    sink.allowed.lock().push((memory.start().addr(), WORDS * 8));
    let mut random = Random::new(15);
    let mut answered = 0;
    let mut answers = Answers::new(2);
    for n in 0..messages() {
        if answers.is_lost(1) {
            answers = Answers::new(2);
        }
        let len = 1 + random.below(100);
        let place = match random.below(2) {
            0 => Place::row(memory.start(), WORDS * 8),
            _ => Place::row(memory.start().wrapping_add(random.below(100)), len),
        };
        let ids = [
            // SAFETY: FAR-A1: between the guards.
            unsafe { answers.expect(1, place) },
            answers.expect_value(1),
            answers.expect_sent(1, len),
        ];
        let says = random.of(&[Says::Done, Says::Value, Says::Data, Says::Data, Says::Refused]);
        let of_its_kind = ids[usize::from(says == Says::Value)];
        let id = match random.below(4) {
            0 => number(&mut random),
            1 => random.of(&ids),
            _ => of_its_kind,
        };
        let [value, done, requests, bytes] = [(); 4].map(|()| number(&mut random));
        let answer = Answer { says, course: random.below(64) as u8, id, value, done, requests, bytes };
        let mut header = answer.header(PeId(1), SECRET).to_vec();
        if random.below(4) == 0 {
            damage(&mut random, &mut header);
        }
        let payload =
            vec![
                3;
                if says == Says::Value { random.of(&[0, 0, 7]) } else { random.of(&[0, len, WORDS * 8]) }
            ];
        let payload = match random.below(2) {
            0 => Payload::Coming { token: Token(n as u64), len: payload.len() },
            _ => Payload::Here(&payload),
        };
        let mut unwanted = Vec::new();
        let mut tell = |event| answers.tell((&sink, &hosts, SECRET), event, &mut unwanted);
        tell(Event::Message { header: &header, payload });
        let received = std::mem::take(&mut *sink.received.lock());
        received.into_iter().for_each(|id| tell(Event::Received(id)));
        tell(Event::Received(number(&mut random)));
        tell(Event::Sent(number(&mut random)));
        for id in ids {
            answered += usize::from(matches!(answers.take(1, id), Came::Yes(_)));
            answers.forget(id);
        }
        if n % 1000 == 0 {
            memory.check();
        }
    }
    memory.check();
    assert!(answered > messages() / 20, "{answered} answers were taken");
}

/// FAR-F1: what is read is what was written.
#[test]
fn requests_are_read_as_they_were_written() {
    let mut random = Random::new(16);
    let (mut next, mut read) = (0, 0);
    for _ in 0..100_000 {
        let request = request(&mut random, &mut next);
        let bytes = request.bytes();
        if let Some(again) = Request::read(&bytes) {
            assert_eq!((again, again.bytes()), (request, bytes));
            read += 1;
        }
    }
    assert!(read > 50_000, "{read}");
}
