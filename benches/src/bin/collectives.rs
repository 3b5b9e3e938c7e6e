//! Collectives timed on all PEs of a job: ours on active sets and on teams, as `benches/peers/coll.c` times a
//! peer's.
//!
//! ```text
//!   SHMEM_LOCAL_PES=2 collectives NAME         lines of NAME, metric and nanoseconds per call
//! ```
//!
//! Each figure is the least of many short runs; within a run nothing but the collective synchronises the PEs, so a root may
//! run ahead. `set.*` are the deprecated calls on an active set of all PEs, on one of two pSyncs in turn.
#![allow(unsafe_code, reason = "the standard's calls on pointers")]
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::process::ExitCode;
use std::time::Instant;

use shmem_api::raw::active_set::{self as set, SYNC_SIZE, SYNC_VALUE};
use shmem_api::raw::{self, TeamHandle};

const MIB: usize = 1 << 20;
const KIB64: usize = 1 << 16;
const RUNS: usize = 40;

/// What every PE has.
struct Memory {
    dest: *mut i64,
    src: *mut i64,
    psyncs: [*mut i64; 2],
    n: i32,
}

type Call = unsafe fn(&Memory, usize);

macro_rules! metrics {
    ($($name:literal $calls:literal |$m:ident, $psync:ident| $call:expr;)*) => {
        [$(($name, $calls, {
            unsafe fn call($m: &Memory, i: usize) {
                let $psync = $m.psyncs[i & 1];
                let _ = $psync;
                // SAFETY: every PE calls, with memory as large; the caller keeps the order.
                unsafe { $call };
            }
            call as Call
        }),)*]
    };
}

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_else(|| "ours".into());
    // SAFETY: the first call, on the one thread.
    if unsafe { raw::init_thread(raw::THREAD_SINGLE) }.is_err() {
        return ExitCode::FAILURE;
    }
    run(&name);
    // SAFETY: the last call.
    unsafe { raw::finalize() };
    ExitCode::SUCCESS
}

fn run(name: &str) {
    let (me, n) = (raw::my_pe(), raw::n_pes());
    let bytes = MIB + n as usize * KIB64;
    let zeroed = |bytes: usize| {
        // SAFETY: every PE calls.
        let at = unsafe { raw::malloc(bytes) };
        // SAFETY: just made.
        unsafe { at.write_bytes(0, bytes) };
        at.cast::<i64>()
    };
    assert_eq!(SYNC_VALUE, 0);
    let memory = Memory {
        dest: zeroed(bytes),
        src: zeroed(bytes),
        psyncs: [(); 2].map(|()| zeroed(8 * SYNC_SIZE)),
        n,
    };
    let metrics = metrics! {
        "barrier" 1000 |m, _p| raw::barrier_all();
        "set.barrier" 1000 |m, p| set::barrier(0, 0, m.n, p);
        "set.sum.8" 1000 |m, p| set::sum_to_all(m.dest, m.src, 1, 0, 0, m.n, std::ptr::null_mut(), p);
        "set.sum.1M" 20 |m, p| set::sum_to_all(m.dest, m.src, (MIB / 8) as i32, 0, 0, m.n, std::ptr::null_mut(), p);
        "set.broadcast.8" 1000 |m, p| set::broadcast(m.dest, m.src, 1, 0, 0, 0, m.n, p);
        "set.broadcast.1M" 20 |m, p| set::broadcast(m.dest, m.src, MIB / 8, 0, 0, 0, m.n, p);
        "set.collect.64K" 200 |m, p| set::collect(m.dest, m.src, KIB64 / 8, 0, 0, m.n, p);
        "set.fcollect.64K" 200 |m, p| set::fcollect(m.dest, m.src, KIB64 / 8, 0, 0, m.n, p);
        "set.alltoall.64K" 200 |m, p| set::alltoall(m.dest, m.src, KIB64 / 8, 0, 0, m.n, p);
        "team.sum.8" 1000 |m, _p| raw::sum_reduce(TeamHandle::WORLD, m.dest, m.src, 1);
        "team.sum.1M" 20 |m, _p| raw::sum_reduce(TeamHandle::WORLD, m.dest, m.src, MIB / 8);
        "team.broadcast.8" 1000 |m, _p| raw::broadcast(TeamHandle::WORLD, m.dest, m.src, 1, 0);
        "team.broadcast.1M" 20 |m, _p| raw::broadcast(TeamHandle::WORLD, m.dest, m.src, MIB / 8, 0);
        "team.collect.64K" 200 |m, _p| raw::collect(TeamHandle::WORLD, m.dest, m.src, KIB64 / 8);
        "team.fcollect.64K" 200 |m, _p| raw::fcollect(TeamHandle::WORLD, m.dest, m.src, KIB64 / 8);
        "team.alltoall.64K" 200 |m, _p| raw::alltoall(TeamHandle::WORLD, m.dest, m.src, KIB64 / 8);
    };
    for (metric, calls, call) in metrics {
        let mut least = f64::INFINITY;
        for _ in 0..RUNS {
            // SAFETY: every PE calls.
            unsafe { raw::barrier_all() };
            let start = Instant::now();
            for i in 0..calls {
                // SAFETY: every PE calls, with memory as large.
                unsafe { call(&memory, i) };
            }
            least = least.min(start.elapsed().as_nanos() as f64 / calls as f64);
            // SAFETY: every PE calls.
            unsafe { raw::barrier_all() };
        }
        if me == 0 {
            println!("{name} {metric} {least:.1}");
        }
    }
}
