//! PEs of this machine on two hosts (`SHMEM_FAKE_HOSTS`): one of them falls silent, without a word and without a connection that breaks.

use std::process::Command;
use std::time::Duration;

use shmem_api::testing::{self, Boot, Launch, Outcome, patience};
use shmem_api::{Cmp, World};

/// What the others do meanwhile.
const DOES: &str = "SHMEM_TEST_DOES";

/// All threads of this process stop; after so many seconds, if any, they go on.
fn stop(seconds: Option<u32>) {
    let me = rustix::process::getpid();
    let wakes = seconds.map(|seconds| {
        let line = format!("sleep {seconds}; kill -CONT {me}");
        Command::new("sh").args(["-c", &line]).spawn().unwrap()
    });
    rustix::process::kill_process(me, rustix::process::Signal::STOP).unwrap();
    // Other threads may be stopped before this one.
    match wakes {
        Some(mut wakes) => _ = wakes.wait().unwrap(),
        None => loop {
            std::thread::park();
        },
    }
}

fn launch(test: &str, timeout: &str, does: &str) -> Outcome {
    let launch = Launch::of_test(test, 4, Boot::Local).env("SHMEM_FAKE_HOSTS", "2").env(DOES, does);
    // Whatever the other tests are run with.
    let launch = launch.env("SHMEM_TEST_FAR", "");
    launch.env("SHMEM_LINK_TIMEOUT", timeout).limit(Duration::from_secs(40)).run()
}

/// Whether the others compute, wait for each other, wait for a word, or put what is large: the job ends, and one line says who is lost.
#[test]
fn a_host_that_is_silent_ends_the_job() {
    let test = here!("a_host_that_is_silent_ends_the_job");
    if testing::is_pe() {
        let world = World::init().unwrap();
        let mut words = world.alloc::<u64>(1 << 18).unwrap();
        let does = std::env::var(DOES).unwrap();
        world.share(&mut words, |phase, words| {
            phase.barrier();
            match does.as_str() {
                _ if phase.pe() >= 2 => stop(None),
                "computes" => loop {
                    std::hint::black_box(0);
                },
                "meets" => phase.barrier(),
                "waits" => _ = words.wait_until(0, Cmp::Eq, 1),
                _ => {
                    let large = vec![1; 1 << 18];
                    loop {
                        words.put(3 - phase.pe(), 0, &large);
                        phase.quiet();
                    }
                }
            }
        });
    }
    for (does, timeout) in [("computes", "7"), ("meets", "2"), ("waits", "2"), ("puts", "2")] {
        let outcome = launch(test, timeout, does);
        let shown = format!("{does}: {outcome}");
        assert!(!outcome.timed_out && !outcome.status.success(), "{shown}");
        let lines =
            outcome.stderr.lines().filter(|line| line.contains("is lost: nothing was heard of it for"));
        let lines: Vec<_> = lines.collect();
        // Both PEs of the host may notice at once, each one that it waits for.
        assert!(lines.len() == 1, "{shown}");
        assert!(lines[0].contains("on host 1 (PEs 2 to 3)"), "{shown}");
        let limit: u64 = timeout.parse().unwrap();
        assert!(outcome.wall < patience(Duration::from_secs(limit + 5)), "{shown}");
    }
}

/// As long as a debugger stops it: nobody is lost.
#[test]
fn a_host_may_be_silent_for_ever_where_that_is_set() {
    let test = here!("a_host_may_be_silent_for_ever_where_that_is_set");
    if testing::is_pe() {
        let world = World::init().unwrap();
        world.barrier();
        if world.pe() >= 2 {
            stop(Some(10));
        }
        world.barrier();
        return;
    }
    let outcome = launch(test, "0", "");
    assert!(outcome.status.success() && outcome.wall > Duration::from_secs(10), "{outcome}");
}
