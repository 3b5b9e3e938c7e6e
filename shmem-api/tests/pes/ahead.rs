//! How far a PE that needs not wait may be ahead of the others: never so far that it stores where a slower one has still to
//! find what an earlier call left (TEAM-T4). Programs take the first of three calls for finished everywhere before the third
//! begins, also where they alternate between two `pSync`.
#![allow(unsafe_code, reason = "raw calls")]

use std::time::Duration;

use crate::longs::{fill, free_all, is_here, symmetric, words};
use shmem_api::raw::active_set::{self as aset, SYNC_SIZE, SYNC_VALUE};
use shmem_api::raw::{self, TeamHandle};
use shmem_api::{World, multi_pe};

/// Elements for each PE in the third call: more than a call shows to the others.
const LEN: usize = 200;
/// Elements of the first two.
const FEW: usize = 8;

/// Third calls, which store into the `dest` of PEs that have perhaps not called.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Third {
    Alltoall,
    Alltoalls,
    Fcollect,
    /// A broadcast to another array, and then the root's own put.
    Put,
}

const THIRDS: [Third; 4] = [Third::Alltoall, Third::Alltoalls, Third::Fcollect, Third::Put];

/// The calls on all PEs, as a team or as an active set with two `pSync` in turn.
enum On {
    Team,
    Set { n: i32, psyncs: [*mut i64; 2] },
}

impl On {
    fn broadcast(&self, turn: usize, dest: *mut i64, src: *mut i64) {
        match *self {
            // SAFETY: every PE calls; the arrays are large enough.
            On::Team => assert_eq!(unsafe { raw::broadcast(TeamHandle::WORLD, dest, src, FEW, 0) }, 0),
            // SAFETY: as above; no other call uses the `pSync`.
            On::Set { n, psyncs } => unsafe { aset::broadcast(dest, src, FEW, 0, 0, 0, n, psyncs[turn]) },
        }
    }

    fn third(&self, which: Third, dest: *mut i64, src: *mut i64) {
        let world = TeamHandle::WORLD;
        match (self, which) {
            (_, Third::Put) => {}
            // SAFETY: every PE calls; the arrays are large enough.
            (On::Team, Third::Alltoall) => assert_eq!(unsafe { raw::alltoall(world, dest, src, LEN) }, 0),
            (On::Team, Third::Alltoalls) => {
                // SAFETY: as above.
                assert_eq!(unsafe { raw::alltoalls(world, dest, src, 1, 1, LEN) }, 0);
            }
            // SAFETY: as above.
            (On::Team, Third::Fcollect) => assert_eq!(unsafe { raw::fcollect(world, dest, src, LEN) }, 0),
            // SAFETY: as above; no other call uses the `pSync`.
            (On::Set { n, psyncs }, Third::Alltoall) => unsafe {
                aset::alltoall(dest, src, LEN, 0, 0, *n, psyncs[0]);
            },
            // SAFETY: as above.
            (On::Set { n, psyncs }, Third::Alltoalls) => unsafe {
                aset::alltoalls(dest, src, 1, 1, LEN, 0, 0, *n, psyncs[0]);
            },
            // SAFETY: as above.
            (On::Set { n, psyncs }, Third::Fcollect) => unsafe {
                aset::fcollect(dest, src, LEN, 0, 0, *n, psyncs[0]);
            },
        }
    }
}

/// Two broadcasts and a third call, the last PE late: what lies in the first `dest` at the end is the third call's.
fn the_third_is_last(world: &World, on: &On) {
    let (me, n) = (world.pe(), world.n_pes());
    let [first, second, other] = [(); 3].map(|()| symmetric(LEN * n, -1));
    let (few, src) = (symmetric(FEW, 7), symmetric(LEN * n, me as i64));
    for which in THIRDS {
        if let On::Set { n, psyncs } = on {
            // SAFETY: every PE calls: so no later call is the first with its `pSync`, which waits for all.
            psyncs.iter().for_each(|psync| unsafe { aset::sync(0, 0, *n, *psync) });
        }
        world.barrier();
        if me == n - 1 {
            std::thread::sleep(Duration::from_millis(15));
        }
        on.broadcast(0, first, few);
        on.broadcast(1, second, few);
        on.third(which, first, src);
        let mut expected: Vec<i64> = (0..n as i64).flat_map(|pe| [pe; LEN]).collect();
        if which == Third::Put {
            on.broadcast(0, other, few);
            if me == 0 {
                // SAFETY: inside the last PE's array, which the first call is through with by then.
                unsafe { raw::put(first, src, FEW, n as i32 - 1) };
            }
            world.barrier();
            // What the fcollect before left, but for this.
            expected[..FEW].fill(if me == n - 1 { 0 } else { 7 });
            // The root of a broadcast on a set keeps its own.
            if me == 0 && matches!(on, On::Set { .. }) {
                expected[..FEW].fill(0);
            }
        }
        assert_eq!(words(first, LEN * n), expected, "{which:?}");
    }
    world.barrier();
    free_all([first, second, other, few, src]);
}

/// In which call a root can be, counted from 0, while another PE has made none: in its third; where some are on other hosts, in its first.
fn last_call_of_root(object: *const i64, n: usize) -> i64 {
    if (0..n).all(|pe| is_here(object, pe)) { 2 } else { 0 }
}

multi_pe! {
    fn stores_of_a_team_wait_for_the_last_call_but_one(world) on [2, 3, 8] {
        the_third_is_last(world, &On::Team);
    }

    fn stores_of_a_set_wait_for_the_last_call_with_their_psync(world) on [2, 3, 8] {
        let psyncs = [(); 2].map(|()| symmetric(SYNC_SIZE, SYNC_VALUE));
        the_third_is_last(world, &On::Set { n: world.n_pes() as i32, psyncs });
        free_all(psyncs);
    }

    /// The root of small broadcasts does not wait for the others, but for a line to be free; where some are on other hosts, it meets them.
    fn a_root_is_one_call_ahead_and_no_more(world) on [2, 3, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        const CALLS: usize = 300;
        let (dest, src) = (symmetric(CALLS, -1), symmetric(1, -1));
        let late = symmetric(1, 0);
        if me == n - 1 && n > 1 {
            // Until the root is as far ahead as it can be, as it says by a put; and it stays there.
            let call = last_call_of_root(late, n);
            while words(late, 1)[0] < call {
                std::thread::yield_now();
            }
            std::thread::sleep(Duration::from_millis(30));
            assert_eq!(words(late, 1)[0], call, "as far as the root can be, and nobody else in the first call");
        }
        for call in 0..CALLS {
            if me == 0 {
                // SAFETY: its own word, on the last PE.
                unsafe { raw::p(late, call as i64, n as i32 - 1) };
            }
            fill(src, 1, 1000 + call as i64);
            // SAFETY: every PE calls; each word of dest is used once.
            assert_eq!(unsafe { raw::broadcast(TeamHandle::WORLD, dest.wrapping_add(call), src, 1, 0) }, 0);
        }
        assert_eq!(words(dest, CALLS), (1000..1000 + CALLS as i64).collect::<Vec<_>>());
        free_all([dest, src, late]);
    }

    /// As on a team, though each `pSync` counts by itself.
    fn a_root_of_sets_has_one_call_ahead_for_each_psync(world) on [2, 3, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let psyncs = [(); 2].map(|()| symmetric(SYNC_SIZE, SYNC_VALUE));
        const CALLS: usize = 100;
        let (dest, src) = (symmetric(CALLS, -1), symmetric(1, -1));
        let late = symmetric(1, 0);
        // The first call with a `pSync` finds out where the others keep its words, and waits for them.
        for psync in psyncs {
            // SAFETY: every PE calls.
            unsafe { aset::sync(0, 0, n as i32, psync) };
        }
        world.barrier();
        if me == n - 1 && n > 1 {
            let call = last_call_of_root(late, n);
            while words(late, 1)[0] < call {
                std::thread::yield_now();
            }
            std::thread::sleep(Duration::from_millis(30));
            assert_eq!(words(late, 1)[0], call, "as far as the root can be, and nobody else in the first call");
        }
        for call in 0..CALLS {
            fill(src, 1, 1000 + call as i64);
            if me == 0 {
                fill(dest.wrapping_add(call), 1, 1000 + call as i64);
                // SAFETY: its own word, on the last PE.
                unsafe { raw::p(late, call as i64, n as i32 - 1) };
            }
            let at = dest.wrapping_add(call);
            // SAFETY: every PE calls; each word of dest is used once, and each `pSync` by every other call.
            unsafe { aset::broadcast(at, src, 1, 0, 0, 0, n as i32, psyncs[call % 2]) };
        }
        assert_eq!(words(dest, CALLS), (1000..1000 + CALLS as i64).collect::<Vec<_>>());
        free_all([dest, src, late]);
        free_all(psyncs);
    }
}
