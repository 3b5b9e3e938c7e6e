//! Collectives of PEs on several hosts: of the world, whose hosts meet in two levels; of the first PEs of two hosts alone; and of an active set
//! that meets as if all were on one host, each word a message, since so many others were made before it.
//!
//! ```text
//!   cargo build --release -p benches --bin host_collectives --no-default-features
//!   SHMEM_LOCAL_PES=4 SHMEM_FAKE_HOSTS=2 host_collectives [rounds]      (or under a launcher, on hosts of their own)
//! ```
//!
//! It prints lines of "ours", what, and nanoseconds a call: the least of all rounds, and their median as what/median.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]
#![allow(unsafe_code, reason = "it measures calls on pointers")]

use std::time::Instant;

use shmem_api::raw::{self, TeamHandle, active_set};

/// Elements of the long ones: 1 MiB.
const LONG: usize = 1 << 17;
/// Sets that meet in two levels, at most.
const SETS: usize = 64;

/// Symmetric arrays, and who calls. Every PE makes the same calls in the same order.
struct Bed {
    src: *mut i64,
    dest: *mut i64,
    psyncs: *mut i64,
    n: i32,
    leaders: TeamHandle,
}

impl Bed {
    fn new() -> Bed {
        // SAFETY: one thread, before every other call.
        unsafe { raw::init() };
        let n = raw::n_pes();
        // SAFETY: collective.
        let array = |len| unsafe { raw::calloc(len, 8) }.cast::<i64>();
        let (src, dest, psyncs) = (array(LONG), array(LONG), array((SETS + 2) * 32));
        let mut leaders = TeamHandle::INVALID;
        // SAFETY: collective over the world; no configuration; the handle is ours.
        unsafe {
            raw::team_split_strided(
                TeamHandle::WORLD,
                0,
                (n / 2).max(1),
                n.min(2),
                std::ptr::null(),
                0,
                &raw mut leaders,
            )
        };
        let bed = Bed { src, dest, psyncs, n, leaders };
        (0..SETS + 2).for_each(|set| bed.sync_set(set));
        bed
    }

    fn sync(&self, team: TeamHandle) {
        if team != TeamHandle::INVALID {
            // SAFETY: every member calls.
            assert_eq!(unsafe { raw::team_sync(team) }, 0);
        }
    }

    fn sync_set(&self, set: usize) {
        // SAFETY: every PE calls; a psync of its own.
        unsafe { active_set::sync(0, 0, self.n, self.psyncs.wrapping_add(32 * set)) }
    }

    fn sum(&self, len: usize) {
        // SAFETY: every PE calls; as many elements.
        assert_eq!(unsafe { raw::sum_reduce(TeamHandle::WORLD, self.dest, self.src, len) }, 0);
    }

    /// Of two sets that meet as if on one host, in turn.
    fn sum_set(&self, len: usize, i: usize) {
        let psync = self.psyncs.wrapping_add(32 * (SETS + i % 2));
        // SAFETY: every PE calls; as many elements.
        unsafe { active_set::sum_to_all(self.dest, self.src, len as i32, 0, 0, self.n, self.dest, psync) }
    }

    fn broadcast(&self, len: usize) {
        // SAFETY: every PE calls; as many elements.
        assert_eq!(unsafe { raw::broadcast(TeamHandle::WORLD, self.dest, self.src, len, 0) }, 0);
    }
}

/// Calls it some times in each round.
fn measure(name: &str, rounds: usize, times: usize, call: impl Fn(usize)) {
    let mut took: Vec<f64> = (0..rounds)
        .map(|_| {
            // SAFETY: every PE calls.
            unsafe { raw::barrier_all() };
            let start = Instant::now();
            (0..times).for_each(&call);
            start.elapsed().as_secs_f64() * 1e9 / times as f64
        })
        .collect();
    took.sort_by(f64::total_cmp);
    if raw::my_pe() == 0 {
        println!("ours {name} {:.0}\nours {name}/median {:.0}", took[0], took[rounds / 2]);
    }
}

fn main() {
    let rounds = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(15);
    let bed = Bed::new();
    measure("sync", rounds, 200, |_| bed.sync(TeamHandle::WORLD));
    measure("sync_leaders", rounds, 200, |_| bed.sync(bed.leaders));
    measure("sync_flat", rounds, 20, |i| bed.sync_set(SETS + i % 2));
    measure("sum8", rounds, 200, |_| bed.sum(1));
    measure("sum8_flat", rounds, 20, |i| bed.sum_set(1, i));
    measure("sum1M", rounds, 4, |_| bed.sum(LONG));
    measure("sum1M_flat", rounds, 4, |i| bed.sum_set(LONG, i));
    measure("broadcast1M", rounds, 4, |_| bed.broadcast(LONG));
    // SAFETY: every PE calls, and no other call is under way.
    unsafe { raw::finalize() };
}
