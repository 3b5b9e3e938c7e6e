//! Collectives of PEs on several hosts: the world, whose hosts meet in two levels, beside an active set of the same PEs, which meets as if
//! on one host, each word a message; and the world's first PEs of each host alone, as a team.
//!
//! ```text
//!   cargo build --release -p benches --bin hosts --no-default-features
//!   SHMEM_LOCAL_PES=4 SHMEM_FAKE_HOSTS=2 hosts [rounds]      (or under a launcher, on hosts of their own)
//! ```
//!
//! Each figure is the median of all rounds, and the least, in microseconds a call.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]
#![allow(unsafe_code, reason = "it measures calls on pointers")]

use std::time::Instant;

use shmem_api::raw::{self, TeamHandle, active_set};

/// Elements of the long reductions: 1 MiB.
const LONG: usize = 1 << 17;

fn main() {
    let rounds: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(15);
    // SAFETY: one thread, before every other call.
    unsafe { raw::init() };
    let (me, n) = (raw::my_pe(), raw::n_pes());
    // SAFETY: collective; zeroed arrays of these lengths.
    let [src, dest, psync] = [LONG, LONG, 4 * 32].map(|len| unsafe { raw::calloc(len, 8) }.cast::<i64>());
    let mut leaders = TeamHandle::INVALID;
    // The first of each of two hosts, if these are stretches.
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
    let world = TeamHandle::WORLD;
    let pairs = |i: usize| psync.wrapping_add(32 * (i % 2));
    // SAFETY: in all of them, every PE of the team or the set calls, with arrays of as many elements, and two psyncs in turn.
    let calls: [(&str, usize, &dyn Fn(usize)); 8] = unsafe {
        [
            ("sync, world", 200, &|_| assert_eq!(raw::team_sync(world), 0)),
            ("sync, as if on one host", 40, &|i| active_set::sync(0, 0, n, pairs(i))),
            ("sync, first PEs of two hosts", 200, &|_| {
                if leaders != TeamHandle::INVALID {
                    assert_eq!(raw::team_sync(leaders), 0);
                }
            }),
            ("sum of 8 bytes, world", 200, &|_| assert_eq!(raw::sum_reduce(world, dest, src, 1), 0)),
            ("sum of 8 bytes, as if on one host", 40, &|i| {
                active_set::sum_to_all(dest, src, 1, 0, 0, n, dest, pairs(i));
            }),
            ("sum of 1 MiB, world", 4, &|_| assert_eq!(raw::sum_reduce(world, dest, src, LONG), 0)),
            ("sum of 1 MiB, as if on one host", 4, &|i| {
                active_set::sum_to_all(dest, src, LONG as i32, 0, 0, n, dest, pairs(i));
            }),
            ("broadcast of 1 MiB, world", 4, &|_| assert_eq!(raw::broadcast(world, dest, src, LONG, 0), 0)),
        ]
    };
    for (name, times, call) in calls {
        let mut took: Vec<f64> = (0..rounds)
            .map(|_| {
                // SAFETY: every PE calls.
                unsafe { raw::barrier_all() };
                let start = Instant::now();
                (0..times).for_each(call);
                start.elapsed().as_secs_f64() * 1e6 / times as f64
            })
            .collect();
        took.sort_by(f64::total_cmp);
        if me == 0 {
            println!("{name:36} median {:10.1} us   least {:10.1} us", took[rounds / 2], took[0]);
        }
    }
    // SAFETY: every PE calls, and no other call is under way.
    unsafe { raw::finalize() };
}
