//! The engine between two processes, under the launcher of each MPI that is here: PE 0 asks, PE 1 answers.
#![allow(unsafe_code)]

use std::time::{Duration, Instant};

use super::requests::PIECE;
use super::state::LENT_FROM;
use super::*;
use crate::boot::mpi::owned;
use crate::testing::{Boot, Launch, is_pe, name_of};
use crate::transport::conformance::exchange;
use crate::transport::conformance::server::{Kind, SERVER, header, send, serve};

/// As many bytes as an address may have here.
const ROOM: usize = 256;

/// Runs `ask` on PE 0 of two processes under each launcher, with an engine whose messages are cut into such pieces.
fn between_two(test: &str, pieces: &[usize], ask: fn(&dyn Wire)) {
    let name = name_of(module_path!(), test);
    if !is_pe() {
        for boot in Boot::launchers().filter(|boot| matches!(boot, Boot::OpenMpi | Boot::Mpich)) {
            Launch::of_test(&name, 2, boot).run().expect_success(&format!("{name} by {boot:?}"));
        }
        return;
    }
    let (found, any) = find().unwrap();
    match any {
        Any::Open(functions) => as_pe(functions, &found, pieces, ask),
        Any::Mpich(functions) => as_pe(functions, &found, pieces, ask),
    }
    owned::finalize(false);
}

fn as_pe<A: Abi>(functions: Functions<A>, found: &Found, pieces: &[usize], ask: fn(&dyn Wire)) {
    let up = functions.rise(found.started()).unwrap();
    assert_eq!(up.n_pes, 2);
    for &piece in pieces {
        let engine = Mpi::open(functions, found, (up.pe, 2), None, piece).unwrap();
        engine.meet(addresses(&functions, &engine.address()));
        match up.pe {
            SERVER => serve(&engine),
            _ => {
                ask(&engine);
                send(&engine, SERVER, Lane::Requests, &header(Kind::Stop, 0), &[]);
            }
        }
        engine.close();
    }
}

/// Of both.
fn addresses<A: Abi>(mpi: &Functions<A>, mine: &[u8]) -> Vec<Vec<u8>> {
    let mut room = [0u8; ROOM];
    room[0] = u8::try_from(mine.len()).unwrap();
    room[1..=mine.len()].copy_from_slice(mine);
    let (mut all, n) = ([0u8; 2 * ROOM], ROOM as i32);
    // SAFETY: MPI-L2; there is room for both.
    let code = unsafe {
        (mpi.allgather)(room.as_ptr().cast(), n, mpi.byte, all.as_mut_ptr().cast(), n, mpi.byte, mpi.world)
    };
    mpi.check("MPI_Allgather", code).unwrap();
    all.chunks(ROOM).map(|room| room[1..=usize::from(room[0])].to_vec()).collect()
}

#[test]
fn messages_of_all_sizes() {
    between_two("messages_of_all_sizes", &[PIECE, 100_001], |wire| exchange::all(wire, LENT_FROM));
}

/// What this process has used of its processors.
fn used() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

#[test]
fn asleep_it_uses_hardly_any_processor() {
    between_two("asleep_it_uses_hardly_any_processor", &[PIECE], |wire| {
        send(wire, SERVER, Lane::Requests, &header(Kind::Echo, 1), b"hello");
        let (mut back, start) = (false, Instant::now());
        while !back || start.elapsed() < Duration::from_millis(300) {
            wire.poll(Lane::Replies, &mut |event| back |= matches!(event, Event::Message { .. }));
            wire.sleep(Lane::Replies, Duration::from_millis(100));
        }
        for lane in [Lane::Requests, Lane::Replies] {
            let (before, start) = (used(), Instant::now());
            while start.elapsed() < Duration::from_secs(1) {
                wire.poll(lane, &mut |event| panic!("{event:?}"));
                wire.sleep(lane, Duration::from_secs(1));
            }
            let used = used() - before;
            eprintln!("{lane:?}: {used:?} of 1 s asleep");
            assert!(used < Duration::from_millis(20), "{lane:?}: {used:?}");
        }
    });
}

#[test]
fn a_thread_wakes_a_sleeper_or_keeps_it_from_sleeping() {
    between_two("a_thread_wakes_a_sleeper_or_keeps_it_from_sleeping", &[PIECE], |wire| {
        // An idle lane sleeps for 50 ms at most: a hundred wakes are quicker than that only if they wake.
        for lane in [Lane::Requests, Lane::Replies] {
            let quiet = Instant::now();
            while quiet.elapsed() < Duration::from_millis(200) {
                wire.poll(lane, &mut |event| panic!("{event:?}"));
                wire.sleep(lane, Duration::from_secs(1));
            }
            let start = Instant::now();
            for _ in 0..1000 {
                wire.wake(lane);
                wire.poll(lane, &mut |event| panic!("{event:?}"));
                wire.sleep(lane, Duration::from_secs(1));
            }
            assert!(start.elapsed() < Duration::from_secs(10), "{lane:?}: {:?}", start.elapsed());
        }
    });
}

/// While one thread sleeps on the replies, another sends: the first is told that what was lent has gone.
#[test]
fn a_send_of_another_thread_is_told_to_the_sleeper() {
    between_two("a_send_of_another_thread_is_told_to_the_sleeper", &[PIECE], |wire| {
        let bytes = vec![7u8; 1 << 20];
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for id in 0..8 {
                    std::thread::sleep(Duration::from_millis(10));
                    let lent = Outgoing::Lent { at: bytes.as_ptr(), len: bytes.len(), id };
                    // SAFETY: WIRE-W1: `bytes` stay.
                    unsafe { wire.send(SERVER, Lane::Requests, &header(Kind::Refuse, id), lent) };
                }
            });
            let (mut sent, start) = (0, Instant::now());
            while sent < 8 {
                wire.sleep(Lane::Replies, Duration::from_secs(100));
                wire.poll(Lane::Replies, &mut |event| sent += u32::from(matches!(event, Event::Sent(_))));
                assert!(start.elapsed() < Duration::from_secs(20), "{sent} were sent");
            }
        });
    });
}

#[test]
fn it_says_what_it_stands_on_and_what_it_does_not_promise() {
    between_two("it_says_what_it_stands_on_and_what_it_does_not_promise", &[PIECE], |wire| {
        let text = wire.describe();
        assert!(text.starts_with("mpi (") && text.lines().count() == 1, "{text}");
        assert!(text.contains("Open MPI") || text.contains("MPICH"), "{text}");
        assert_eq!(wire.caveat().unwrap().lines().count(), 1);
    });
}

/// How long a request and its reply take: a measurement.
#[test]
#[ignore = "a measurement"]
fn a_request_and_its_reply() {
    between_two("a_request_and_its_reply", &[PIECE], |wire| {
        for (what, asleep) in [("polling", false), ("asleep", true)] {
            let mut times = Vec::new();
            for number in 0..5_000 {
                let begin = Instant::now();
                send(wire, SERVER, Lane::Requests, &header(Kind::Echo, number), &[]);
                let mut back = false;
                while !back {
                    wire.poll(Lane::Replies, &mut |event| back |= matches!(event, Event::Message { .. }));
                    if asleep && !back {
                        wire.sleep(Lane::Replies, Duration::from_millis(10));
                    }
                }
                times.push(begin.elapsed().as_nanos());
            }
            times.sort_unstable();
            eprintln!("{}, {what}: {} {} {}", wire.describe(), times[0], times[2500], times[4950]);
        }
    });
}
