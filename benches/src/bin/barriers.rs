//! The barrier beside what bounds it: one cache line's way between two PEs, and `MPI_Barrier`, in one program.
//!
//! ```text
//!   cargo build --release -p benches --bin barriers
//!   mpirun -n N barriers [rounds]           (without the feature `mpi`: SHMEM_LOCAL_PES=N, and no MPI_Barrier)
//!     each round:  one way of a line (PEs 0 and 1), sync_all, barrier_all, team_sync, MPI_Barrier, split + destroy
//! ```
//!
//! Each figure is the least of all rounds, so that other work on the machine counts least.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]
#![allow(unsafe_code, reason = "it measures calls on pointers")]

use std::hint::spin_loop;
use std::ptr::null;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Where an object of `pe` is here.
#[allow(unsafe_code)]
fn ptr(at: *const u8, pe: i32) -> *mut u8 {
    // SAFETY: the library stays up.
    unsafe { raw::ptr(at, pe) }
}

#[cfg(feature = "mpi")]
use mpi::{topology::SimpleCommunicator, traits::CommunicatorCollectives};
use shmem_api::raw::{self, TeamHandle};

/// A cache line that two PEs send to and fro.
#[repr(C, align(64))]
struct Line(AtomicU64);

fn main() {
    let rounds = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(30);
    // SAFETY: one thread, before every other call.
    unsafe { raw::init() };
    let (me, n) = (raw::my_pe(), raw::n_pes());
    // SAFETY: collective, two lines on every PE.
    let lines = unsafe { raw::align(64, 1024) };
    let line = |pe: i32, i: usize| {
        let at = ptr(lines.wrapping_add(i * 64), pe).cast::<Line>();
        // SAFETY: symmetric memory of 128 bytes, aligned, which all PEs use as atomics only.
        unsafe { &*at }
    };
    (0..8).for_each(|i| line(me, i).0.store(0, Ordering::Relaxed));
    // SAFETY: the library is up, and every PE calls it.
    unsafe { raw::sync_all() };
    let (ours, theirs) = (line(0, 0), line(n - 1, 1));
    let mpi_barrier = || {
        #[cfg(feature = "mpi")]
        SimpleCommunicator::world().barrier();
    };
    let team = split(n);
    let times: u64 = if n == 2 { 1_000 } else { 200 };

    let mut ball = 0;
    let mut ping = || {
        // PE 0 serves, PE 1 returns; the others wait in the barrier before the next figure.
        for _ in 0..times {
            ball += 1;
            let (mine, other) = if me == 0 { (ours, theirs) } else { (theirs, ours) };
            if me == 0 {
                mine.0.store(ball, Ordering::Release);
            }
            while other.0.load(Ordering::Acquire) != ball {
                spin_loop();
            }
            if me != 0 {
                mine.0.store(ball, Ordering::Release);
            }
        }
    };
    let mut turn = 0;
    let mut exchange = || {
        // The least that two PEs can do: each writes its word of one line, and watches the other's.
        let base = ptr(lines.wrapping_add(256), 0).cast::<AtomicU64>();
        let word = |pe: i32, i: u64| {
            let at = base.wrapping_add((pe * 2) as usize + (i & 1) as usize);
            // SAFETY: inside the block, which all PEs use as atomics only.
            unsafe { &*at }
        };
        for _ in 0..times {
            turn += 1;
            word(me, turn).store(turn, Ordering::Release);
            while word(1 - me, turn).load(Ordering::Acquire) < turn {
                spin_loop();
            }
        }
    };
    let names = [
        "one way of a line",
        "sync_all",
        "barrier_all",
        "team_sync",
        "split + destroy",
        "MPI_Barrier",
        "bare exchange",
    ];
    let mut least = [f64::INFINITY; 7];
    for _ in 0..rounds {
        for (which, least) in least.iter_mut().enumerate() {
            if (matches!(which, 0 | 6) && n != 2) || (which == 5 && cfg!(not(feature = "mpi"))) {
                continue;
            }
            // SAFETY: the library is up, and every PE calls it.
            unsafe { raw::sync_all() };
            let start = Instant::now();
            match which {
                0 => ping(),
                // SAFETY: the library is up, and every PE calls the same.
                1 => (0..times).for_each(|_| unsafe { raw::sync_all() }),
                // SAFETY: as above.
                2 => (0..times).for_each(|_| unsafe { raw::barrier_all() }),
                // SAFETY: as above.
                3 => (0..times).for_each(|_| assert_eq!(unsafe { raw::team_sync(team) }, 0)),
                // SAFETY: as above; nobody uses the new team.
                4 => (0..times).for_each(|_| unsafe { raw::team_destroy(split(n)) }),
                5 => (0..times).for_each(|_| mpi_barrier()),
                _ => exchange(),
            }
            let each = start.elapsed().as_nanos() as f64 / times as f64;
            *least = least.min(if which == 0 { each / 2.0 } else { each });
        }
    }
    if me == 0 {
        println!("{n} PEs, least of {rounds} rounds of {times}");
        for (name, ns) in names.iter().zip(least).filter(|(_, ns)| ns.is_finite()) {
            let line = if n == 2 { format!("{:>8.2} of a line's way", ns / least[0]) } else { String::new() };
            println!("{name:<18} {ns:>10.0} ns {:>8.2} of MPI_Barrier{line}", ns / least[5]);
        }
    }
    // SAFETY: the library is up, and nothing of it is used afterwards.
    unsafe { raw::finalize() };
}

/// A team of all PEs.
fn split(n: i32) -> TeamHandle {
    let mut team = TeamHandle::INVALID;
    // SAFETY: every PE calls it; a mask of 0 needs no configuration.
    let code = unsafe { raw::team_split_strided(TeamHandle::WORLD, 0, 1, n, null(), 0, &raw mut team) };
    assert_eq!(code, 0, "a slot is free");
    team
}
