//! The other process is killed.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use super::peer::{Kind, PATIENCE, SERVER, Server, header, number, send, start};
use super::{DEFAULT, Settings, TCP};
use crate::transport::wire::{Event, Lane, Outgoing, Payload, Wire};

/// Polls both lanes, each with a thread that sleeps, until each has told `wanted` of an event.
fn both_lanes(
    wire: &dyn Wire,
    most: Duration,
    wanted: impl Fn(Lane, Event<'_>) -> bool + Sync,
) -> [Duration; 2] {
    let start = Instant::now();
    let lane = |lane| {
        let mut done = false;
        while !done {
            assert!(start.elapsed() < most, "{lane:?} tells nothing");
            if wire.poll(lane, &mut |event| done |= wanted(lane, event)) == 0 {
                wire.sleep(lane, Duration::from_millis(500));
            }
        }
        start.elapsed()
    };
    std::thread::scope(|threads| {
        let requests = threads.spawn(|| lane(Lane::Requests));
        let replies = lane(Lane::Replies);
        [requests.join().unwrap(), replies]
    })
}

/// Both lanes have sent something to the process; it is killed; both say that it is lost, and once.
fn told_on_both_lanes(mut server: Server) {
    let wire = &server.wire;
    send(wire, SERVER, Lane::Requests, &header(Kind::Ask, 9), &[]);
    send(wire, SERVER, Lane::Requests, &header(Kind::Echo, 8), b"still there?");
    both_lanes(wire, PATIENCE, |lane, event| match (lane, event) {
        (Lane::Requests, Event::Message { header, .. }) => {
            assert_eq!(number(header), 9);
            send(wire, SERVER, Lane::Replies, header, b"an answer");
            true
        }
        (Lane::Replies, Event::Message { header, payload: Payload::Here(b"still there?") }) => {
            assert_eq!(number(header), 8);
            true
        }
        (lane, event) => panic!("{lane:?}: {event:?}"),
    });
    // Until the answer has gone, too.
    let settle = Instant::now();
    while settle.elapsed() < Duration::from_millis(200) {
        wire.poll(Lane::Requests, &mut |event| panic!("{event:?}"));
        wire.sleep(Lane::Requests, Duration::from_millis(20));
    }
    server.child.kill().unwrap();
    let times = both_lanes(wire, Duration::from_secs(10), |lane, event| match event {
        Event::Lost(SERVER, why) => {
            eprintln!("{lane:?}: {why}");
            true
        }
        event => panic!("{lane:?}: {event:?}"),
    });
    eprintln!("requests and replies told of the loss after {times:?}");
    // What is sent now goes nowhere, and nobody is told again.
    send(wire, SERVER, Lane::Requests, &header(Kind::Echo, 10), &[]);
    for lane in [Lane::Requests, Lane::Replies] {
        wire.poll(lane, &mut |event| panic!("{event:?}"));
    }
    let start = Instant::now();
    wire.close();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

/// Killed while large payloads are on their way, in both directions: nothing but what was done before and the loss is told.
fn in_the_middle(mut server: Server) {
    let wire = &server.wire;
    let bytes = vec![3u8; 4 << 20];
    let rooms = RefCell::new(Vec::new());
    let more = |id| {
        let lent = Outgoing::Lent { at: bytes.as_ptr(), len: bytes.len(), id };
        // SAFETY: WIRE-W1: `bytes` stay until `close` has returned.
        unsafe { wire.send(SERVER, Lane::Requests, &header(Kind::Lend, id), lent) };
    };
    (0..16).for_each(more);
    let (mut sent, mut back, mut failed, mut lost, start) = (0, 0, 0, 0, Instant::now());
    let mut killed = None;
    while lost == 0 {
        assert!(start.elapsed() < PATIENCE, "{back} came back");
        let told = wire.poll(Lane::Replies, &mut |event| match event {
            Event::Message { payload: Payload::Coming { token, len }, .. } => {
                let mut room = vec![0; len];
                let at = room.as_mut_ptr();
                rooms.borrow_mut().push(room);
                // SAFETY: WIRE-W1, WIRE-W2: `rooms` stay until `close` has returned.
                unsafe { wire.receive(token, at, len, 0) };
            }
            Event::Received(0) => back += 1,
            Event::Failed(0, _) => failed += 1,
            Event::Sent(0..16) => sent += 1,
            Event::Lost(SERVER, _) => lost += 1,
            event => panic!("{event:?}"),
        });
        if sent >= 3 && killed.is_none() {
            server.child.kill().unwrap();
            killed = Some(Instant::now());
        }
        if told == 0 {
            wire.sleep(Lane::Replies, Duration::from_millis(100));
        }
    }
    let took = killed.expect("it is not lost before it is killed").elapsed();
    eprintln!("of 16, {sent} were sent and {back} came back; told after {took:?}");
    assert!(took < Duration::from_secs(10));
    // What was on its way fails, too, which is no news.
    let after = Instant::now();
    while after.elapsed() < Duration::from_millis(200) {
        wire.poll(Lane::Replies, &mut |event| match event {
            Event::Received(0) => back += 1,
            Event::Failed(0, _) => failed += 1,
            Event::Lost(..) => lost += 1,
            _ => {}
        });
        wire.sleep(Lane::Replies, Duration::from_millis(20));
    }
    assert_eq!(lost, 1);
    // Whatever was asked for has come, or is told not to.
    let asked = rooms.borrow().len();
    eprintln!("{asked} payloads were asked for; {failed} failed");
    assert_eq!(back + failed, asked);
    wire.close();
}

fn with(test: &str, settings: Settings, run: fn(Server)) {
    if let Some(server) = start(&format!("lost::{test}"), settings) {
        run(server);
    }
}

/// Says to this program that it is the process whose peer is killed.
const SURVIVOR: &str = "SHMEM_TEST_UCX_SURVIVOR";
/// What UCX 1.13 may say, and abort: it has given up a message that its tcp still sends from (one death in some hundred, and none
/// with `UCX_ZCOPY_THRESH=inf`, which takes three times as long). It does not come from our closing the endpoint: without, it is
/// more frequent.
const OF_UCX: &str = "Assertion `comp->count > 0' failed";

/// As [`with`], in a process of its own, which UCX may abort.
fn with_survivor(test: &str, settings: Settings, run: fn(Server)) {
    if std::env::var_os(SURVIVOR).is_some() || super::find().is_err() {
        return with(test, settings, run);
    }
    let mut survivor = std::process::Command::new(std::env::current_exe().unwrap());
    survivor.args([&format!("transport::ucx::tests::lost::{test}"), "--exact", "--nocapture"]);
    let out = survivor.env(SURVIVOR, "1").output().unwrap();
    let said = [out.stdout, out.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    match out.status.signal() {
        Some(libc::SIGABRT) if said.contains(OF_UCX) => eprintln!("UCX has aborted the survivor:\n{said}"),
        _ => assert!(out.status.success(), "{}: {said}", out.status),
    }
}

#[test]
fn both_lanes_are_told_over_tcp() {
    with("both_lanes_are_told_over_tcp", TCP, told_on_both_lanes);
}

#[test]
fn both_lanes_are_told() {
    with("both_lanes_are_told", DEFAULT, told_on_both_lanes);
}

#[test]
fn in_the_middle_of_large_payloads_over_tcp() {
    with_survivor("in_the_middle_of_large_payloads_over_tcp", TCP, in_the_middle);
}

#[test]
fn in_the_middle_of_large_payloads() {
    with_survivor("in_the_middle_of_large_payloads", DEFAULT, in_the_middle);
}
