//! Opening, sleeping, waking, and what the engine leaves alone.
#![allow(unsafe_code)]

use std::time::{Duration, Instant};

use memheap::PeId;

use super::super::{GOING, find, pack, unpack};
use super::peer::{Kind, SERVER, header, send, start};
use super::{DEFAULT, Settings, TCP, Ucx, engine, pair};
use crate::process::signals;
use crate::transport::wire::{Event, Lane, Outgoing, Wire};

/// Until a message has come on that lane.
fn await_message(wire: &dyn Wire, lane: Lane) {
    let mut come = false;
    let start = Instant::now();
    while !come {
        assert!(start.elapsed() < super::peer::PATIENCE);
        wire.poll(lane, &mut |event| come |= matches!(event, Event::Message { .. }));
    }
}

/// A message each way, so that all is connected that will be.
fn greet([one, two]: &[Ucx; 2]) {
    std::thread::scope(|threads| {
        threads.spawn(|| {
            await_message(two, Lane::Requests);
            send(two, PeId(0), Lane::Replies, b"welcome", &[]);
            two.poll(Lane::Requests, &mut |_| {});
        });
        send(one, PeId(1), Lane::Requests, b"hello", &[]);
        await_message(one, Lane::Replies);
    });
}

/// What this thread has used of its processor.
fn used() -> Duration {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: it fills it in.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) };
    // SAFETY: all zero is one.
    let usage = unsafe { usage.assume_init() };
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

fn uses_no_processor_while_nothing_comes(settings: Settings) {
    let Some(both) = pair(settings) else { return };
    greet(&both);
    for lane in [Lane::Requests, Lane::Replies] {
        let [wire, _] = &both;
        while wire.poll(lane, &mut |event| panic!("{event:?}")) != 0 {}
        let (before, start) = (used(), Instant::now());
        while start.elapsed() < Duration::from_millis(300) {
            wire.poll(lane, &mut |event| panic!("{event:?}"));
            wire.sleep(lane, Duration::from_millis(300));
        }
        let used = used() - before;
        eprintln!("{lane:?}, {settings:?}: {used:?} of 300 ms asleep");
        assert!(used < Duration::from_millis(5), "{lane:?}: {used:?}");
    }
    both.iter().for_each(Wire::close);
}

#[test]
fn asleep_it_uses_no_processor_over_tcp() {
    uses_no_processor_while_nothing_comes(TCP);
}

#[test]
fn asleep_it_uses_no_processor() {
    uses_no_processor_while_nothing_comes(DEFAULT);
}

#[test]
fn a_thread_wakes_a_sleeper_or_keeps_it_from_sleeping() {
    let Some(both) = pair(TCP) else { return };
    greet(&both);
    let [wire, _] = &both;
    for lane in [Lane::Requests, Lane::Replies] {
        let start = Instant::now();
        let too_long = Duration::from_secs(100);
        wire.wake(lane);
        wire.poll(lane, &mut |event| panic!("{event:?}"));
        wire.sleep(lane, too_long);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                wire.wake(lane);
            });
            while start.elapsed() < Duration::from_millis(50) {
                wire.poll(lane, &mut |event| panic!("{event:?}"));
                wire.sleep(lane, too_long);
            }
        });
        assert!(start.elapsed() < too_long, "{lane:?}");
    }
    both.iter().for_each(Wire::close);
}

/// While one thread sleeps on the replies, another sends: the first is told when what was lent has gone, though nothing comes back.
#[test]
fn a_send_of_another_thread_is_told_to_the_sleeper() {
    let Some(server) = start("engine::a_send_of_another_thread_is_told_to_the_sleeper", TCP) else { return };
    let wire = &server.wire;
    let bytes = [7u8; 100];
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for id in 0..8 {
                std::thread::sleep(Duration::from_millis(10));
                let lent = Outgoing::Lent { at: bytes.as_ptr(), len: bytes.len(), id };
                // SAFETY: WIRE-W1: `bytes` stay.
                unsafe { wire.send(SERVER, Lane::Requests, &header(Kind::Hush, id), lent) };
            }
        });
        let (mut sent, start) = (0, Instant::now());
        while sent < 8 {
            wire.sleep(Lane::Replies, Duration::from_secs(100));
            wire.poll(Lane::Replies, &mut |event| sent += u32::from(matches!(event, Event::Sent(_))));
            // UCX wakes it every 20 s, to see whether its peers are alive.
            assert!(start.elapsed() < Duration::from_secs(10), "{sent} were sent");
        }
    });
    server.stop();
}

#[test]
fn it_says_what_it_stands_on() {
    let Some(wire) = engine(TCP) else { return };
    let text = wire.describe();
    assert!(text.starts_with("ucx (UCX 1.") && text.contains("tcp/") && text.lines().count() == 1, "{text}");
    wire.close();
}

#[test]
fn devices_that_are_not_here_are_refused_by_their_name() {
    let Ok(library) = find() else { return eprintln!("skipped: no UCX") };
    for settings in [TCP, DEFAULT] {
        let refused = Ucx::open(library, Some("lo,nosuch0"), settings).map(|wire| wire.describe());
        let why = refused.unwrap_err();
        assert!(why.starts_with("SHMEM_NET=") && why.contains("nosuch0"), "{why}");
    }
    let wire = Ucx::open(library, Some("lo"), &[("TLS", "tcp")]).unwrap();
    assert!(wire.describe().ends_with(": tcp/lo)"), "{}", wire.describe());
    wire.close();
}

#[test]
fn settings_that_ucx_does_not_take_are_an_error() {
    let Ok(library) = find() else { return eprintln!("skipped: no UCX") };
    let refused = Ucx::open(library, None, &[("TLS", "nosuch")]).map(|wire| wire.describe());
    let why = refused.unwrap_err();
    assert!(why.starts_with("ucp_init: "), "{why}");
}

/// Loading UCX takes nobody's signals. In a process of its own, where nothing has loaded it.
#[test]
fn signals_do_what_they_did() {
    let name = "transport::ucx::tests::engine::signals_do_what_they_did";
    if std::env::var_os("SHMEM_TEST_UCX_SIGNALS").is_none() {
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        let again = again.args([name, "--exact", "--nocapture"]).env("SHMEM_TEST_UCX_SIGNALS", "1");
        let out = again.env_remove("UCX_HANDLE_ERRORS").env_remove("UCX_DEBUG_SIGNO").output().unwrap();
        return assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    let caught = || (1..32).map(signals::handler).collect::<Vec<_>>();
    let before = caught();
    let Some(both) = pair(TCP) else { return };
    assert_eq!(caught(), before);
    greet(&both);
    both.iter().for_each(Wire::close);
    assert_eq!(caught(), before);
}

#[test]
fn an_end_waits_for_nobody_for_long() {
    let Some([one, two]) = pair(TCP) else { return };
    // The other polls nothing, so none of this can go.
    let bytes = vec![1u8; 4 << 20];
    for id in 0..10 {
        let lent = Outgoing::Lent { at: bytes.as_ptr(), len: bytes.len(), id };
        // SAFETY: WIRE-W1: `bytes` stay until `close` has returned.
        unsafe { one.send(PeId(1), Lane::Requests, b"much", lent) };
    }
    one.poll(Lane::Replies, &mut |event| panic!("{event:?}"));
    let start = Instant::now();
    one.close();
    two.close();
    assert!(start.elapsed() < 10 * GOING, "{:?}", start.elapsed());
}

#[test]
fn addresses_are_packed_and_what_is_none_is_nothing() {
    assert_eq!(unpack(&pack(b"one", b"another")), [&b"one"[..], b"another"]);
    assert_eq!(unpack(&pack(b"", b"x")), [&b""[..], b"x"]);
    for none in [&b""[..], b"\x09", b"\x09\0\0\0short", b"\xff\xff\xff\xff"] {
        assert_eq!(unpack(none), [&b""[..]; 2]);
    }
}

#[test]
fn a_process_without_an_address_is_lost_when_something_is_sent_to_it() {
    let Some(wire) = engine(TCP) else { return };
    wire.meet(vec![wire.address(), Vec::new()]);
    send(&wire, PeId(1), Lane::Requests, b"hello", &[]);
    send(&wire, PeId(1), Lane::Requests, b"hello", &[]);
    let mut lost = Vec::new();
    wire.poll(Lane::Replies, &mut |event| lost.push(format!("{event:?}")));
    assert_eq!(lost, ["Lost(PeId(1), \"its address is none of UCX's\")"]);
    wire.close();
}
