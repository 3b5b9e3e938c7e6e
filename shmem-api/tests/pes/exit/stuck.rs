//! Safe programs in which a PE waits for what nobody will do: guards, teams and Worlds forgotten, locks in two orders,
//! waits for a signal that no one sends. Each ends, soon, with a line that names a PE that waits.
#![forbid(unsafe_code)]

use std::mem::forget;
use std::time::{Duration, Instant};

use shmem_api::testing::{self, Boot, Launch};
use shmem_api::{Cmp, Sum, Team, World};

shmem_api::sym_static! {
    static TURN: StaticLock;
    static BELL: StaticSignal;
}

/// What the PEs do, and words of the line that must come.
type Case = (&'static str, fn(World), &'static [&'static str]);

/// Found by those at a rendezvous, or by whoever leaves.
const FOUND: &[Case] = &[
    (
        "a lock again in the thread that forgot its guard",
        |world| {
            let lock = world.alloc_lock().unwrap();
            if world.pe() == 1 {
                forget(lock.lock());
                drop(lock.lock());
            }
        },
        &["PE 1: SymLock::lock: this PE holds the lock"],
    ),
    (
        "a team dropped by the others",
        |world| {
            let team = both(&world);
            if world.pe() == 0 {
                team.barrier();
            } else {
                drop(team);
                world.barrier();
            }
        },
        &["is at work after it dropped the team, but PE 0 at a barrier"],
    ),
    (
        "a broadcast of one, and finalize",
        |world| {
            if world.pe() == 0 {
                world.broadcast_one(1u64, 0);
            }
        },
        &["at finalize", "at a broadcast"],
    ),
    (
        "a panic that was caught, and a reduction",
        |world| {
            if world.pe() == 0 {
                world.reduce_one(Sum, 1u64);
            } else {
                assert!(std::panic::catch_unwind(|| panic!("on purpose")).is_err());
            }
        },
        &["at finalize", "at a reduction"],
    ),
    (
        "a World forgotten by one",
        |world| {
            if world.pe() == 1 {
                forget(world);
            }
        },
        &["PE 1: left without finalizing (its World is still alive)"],
    ),
    (
        "a wait, and exit with a World alive",
        |world| {
            if world.pe() == 1 {
                std::process::exit(0);
            }
            BELL.on(&world).wait_until(Cmp::Eq, 1);
        },
        &["PE 1: left without finalizing"],
    ),
];

/// Only a proof over all PEs finds these: nobody is at the call of another, and nobody has left.
const PROVED: &[Case] = &[
    (
        "a forgotten guard, and the holder finalizes",
        |world| locked(&world, |world| world.barrier()),
        &["PE 0"],
    ),
    (
        "a forgotten guard, and the holder is at the end of a phase",
        |world| {
            let mut a = world.alloc::<u64>(1).unwrap();
            world.share(&mut a, |_, _| locked(&world, |world| world.barrier()));
        },
        &["PE 0"],
    ),
    (
        "a forgotten guard of a static lock",
        |world| {
            if world.pe() == 1 {
                forget(TURN.lock(&world));
            }
            world.barrier();
            if world.pe() == 0 {
                drop(TURN.lock(&world));
            }
        },
        &["PE 0"],
    ),
    (
        "a lock that is held until after a phase",
        |world| {
            let lock = world.alloc_lock().unwrap();
            let held = (world.pe() == 1).then(|| lock.lock());
            world.barrier();
            let mut a = world.alloc::<u64>(1).unwrap();
            if world.pe() == 0 {
                drop(lock.lock());
            }
            world.share(&mut a, |_, _| ());
            drop(held);
        },
        &["PE 0"],
    ),
    (
        "two locks in two orders",
        |world| {
            let (a, b) = (world.alloc_lock().unwrap(), world.alloc_lock().unwrap());
            let _first = if world.pe() == 0 { a.lock() } else { b.lock() };
            world.barrier();
            let _second = if world.pe() == 0 { b.lock() } else { a.lock() };
        },
        &["PE 0"],
    ),
    (
        "a wait for a signal, and finalize",
        |world| {
            if world.pe() == 0 {
                BELL.on(&world).wait_until(Cmp::Eq, 1);
            }
        },
        &["PE 0"],
    ),
    (
        "a wait in a phase that the others end",
        |world| {
            let mut a = world.alloc::<u64>(1).unwrap();
            world.share(&mut a, |phase, a| {
                if phase.pe() == 0 {
                    a.wait_until(0, Cmp::Eq, 1);
                }
            });
        },
        &["PE 0"],
    ),
    (
        "a watch in a phase, and an allocation",
        |world| {
            let mut a = world.alloc::<u64>(4).unwrap();
            world.share(&mut a, |phase, a| {
                if phase.pe() == 0 {
                    a.watch(0..4, Cmp::Ne, 0).wait_any();
                } else {
                    drop(world.alloc::<u8>(1));
                }
            });
        },
        &["PE 0"],
    ),
    (
        "all wait for each other",
        |world| {
            let mut a = world.alloc::<u64>(1).unwrap();
            world.share(&mut a, |_, a| a.wait_until(0, Cmp::Eq, 1));
        },
        &["PE 0"],
    ),
    (
        "a team of all, and the world",
        |world| {
            let team = both(&world);
            if world.pe() == 0 { team.barrier() } else { world.barrier() }
        },
        &["PE 0"],
    ),
    (
        "phases of two teams",
        |world| {
            let (one, other) = (both(&world), both(&world));
            if world.pe() == 0 { one.share((), |_, ()| ()) } else { other.share((), |_, ()| ()) }
        },
        &["PE 0"],
    ),
    (
        "a team forgotten by the others, which finalize",
        |world| {
            let team = both(&world);
            if world.pe() == 0 { team.barrier() } else { forget(team) }
        },
        &["PE 0"],
    ),
    (
        "a team destroyed by one and forgotten by the others",
        |world| {
            let team = both(&world);
            if world.pe() == 0 { team.destroy().unwrap() } else { forget(team) }
        },
        &["PE 0"],
    ),
];

/// A team of the PEs of the world.
fn both(world: &World) -> Team<'_, shmem_api::Single> {
    world.split_strided(0, 1, world.n_pes()).unwrap().unwrap()
}

/// PE 1 forgets a guard, all do `then`, and PE 0 waits for the lock.
fn locked(world: &World, then: impl Fn(&World)) {
    let lock = world.alloc_lock().unwrap();
    if world.pe() == 1 {
        forget(lock.lock());
    }
    then(world);
    if world.pe() == 0 {
        drop(lock.lock());
    }
}

/// All cases at once, on 2 and on 3 PEs.
fn all_end(test: &str, cases: &[Case]) {
    const CASE: &str = "SHMEM_TEST_CASE";
    if testing::is_pe() {
        let name = std::env::var(CASE).unwrap();
        let (_, body, _) = cases.iter().find(|(case, ..)| *case == name).unwrap();
        return body(World::init().unwrap());
    }
    let test = here!(test);
    let mut failed = Vec::new();
    for n in [2, 3] {
        let start = Instant::now();
        let launch = |case| Launch::of_test(test, n, Boot::Local).env(CASE, case);
        let running: Vec<_> = cases
            .iter()
            .map(|(case, _, words)| (case, words, launch(case).limit(Duration::from_secs(20)).start()))
            .collect();
        for (case, words, (child, limit)) in running {
            let outcome = testing::finish(child, start, limit);
            let said = outcome.stderr.lines().any(|line| words.iter().all(|word| line.contains(word)));
            if outcome.timed_out || outcome.status.success() || !said {
                failed.push(format!("{case} on {n} PEs, expected {words:?}: {outcome}"));
            }
        }
    }
    assert!(failed.is_empty(), "{} cases:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn what_a_rendezvous_or_an_exit_finds() {
    all_end("what_a_rendezvous_or_an_exit_finds", FOUND);
}

#[test]
fn what_only_a_proof_finds() {
    all_end("what_only_a_proof_finds", PROVED);
}
