//! Collectives of this library beside those of the MPI underneath, in one program: a group per collective, ours
//! and MPI's in each.
//!
//! ```text
//!   PE 0      Criterion ──► tell(which, how often) ──► barrier · run · barrier, timed
//!   others    told ───────────────────────────────────► barrier · run · barrier
//! ```
//!
//! `cargo bench -p benches --bench collectives` starts itself under `mpirun -n 2`; or start the program under a
//! launcher yourself, with as many PEs as you like. Both libraries' calls are timed from barrier to barrier.
#![allow(unsafe_code, reason = "the standard's calls on pointers")]

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode};
use mpi::collective::SystemOperation;
use mpi::datatype::PartitionMut;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Root};
use shmem_api::raw::{self, TeamHandle};

const MIB: usize = 1 << 20;
const KIB64: usize = 1 << 16;

/// What every PE has: symmetric memory for ours, vectors for MPI's.
struct Bench {
    dest: *mut i64,
    src: *mut i64,
    told: *mut u64,
    mpi: SimpleCommunicator,
    recv: Vec<i64>,
    send: Vec<i64>,
}

type Call = fn(&mut Bench);

const WORLD: TeamHandle = TeamHandle::WORLD;

/// Group, whose, and the call.
const CALLS: [(&str, &str, Call); 16] = [
    ("barrier", "shmem", |_| our_barrier()),
    ("barrier", "mpi", |b| b.mpi.barrier()),
    ("sum/8", "shmem", |b| our_sum(b, 1)),
    ("sum/8", "mpi", |b| mpi_sum(b, 1)),
    ("sum/1M", "shmem", |b| our_sum(b, MIB / 8)),
    ("sum/1M", "mpi", |b| mpi_sum(b, MIB / 8)),
    ("broadcast/8", "shmem", |b| our_broadcast(b, 1)),
    ("broadcast/8", "mpi", |b| mpi_broadcast(b, 1)),
    ("broadcast/1M", "shmem", |b| our_broadcast(b, MIB / 8)),
    ("broadcast/1M", "mpi", |b| mpi_broadcast(b, MIB / 8)),
    ("collect/64K", "shmem", our_collect),
    ("collect/64K", "mpi", mpi_collect),
    ("fcollect/64K", "shmem", our_fcollect),
    ("fcollect/64K", "mpi", mpi_fcollect),
    ("alltoall/64K", "shmem", our_alltoall),
    ("alltoall/64K", "mpi", mpi_alltoall),
];

/// No call to come.
const END: u64 = u64::MAX;

fn ours(status: i32) {
    assert_eq!(status, 0);
}

fn our_barrier() {
    // SAFETY: every PE calls.
    unsafe { raw::barrier_all() }
}

fn our_sum(b: &mut Bench, n: usize) {
    // SAFETY: every PE calls, with symmetric memory as large that is used for nothing else.
    ours(unsafe { raw::sum_reduce(WORLD, b.dest, b.src, n) })
}

fn our_broadcast(b: &mut Bench, n: usize) {
    // SAFETY: every PE calls, with symmetric memory as large that is used for nothing else.
    ours(unsafe { raw::broadcast(WORLD, b.dest, b.src, n, 0) })
}

fn our_collect(b: &mut Bench) {
    // SAFETY: every PE calls, with symmetric memory as large that is used for nothing else.
    ours(unsafe { raw::collect(WORLD, b.dest, b.src, KIB64 / 8) })
}

fn our_fcollect(b: &mut Bench) {
    // SAFETY: every PE calls, with symmetric memory as large that is used for nothing else.
    ours(unsafe { raw::fcollect(WORLD, b.dest, b.src, KIB64 / 8) })
}

fn our_alltoall(b: &mut Bench) {
    // SAFETY: every PE calls, with symmetric memory as large that is used for nothing else.
    ours(unsafe { raw::alltoall(WORLD, b.dest, b.src, KIB64 / 8) })
}

fn mpi_sum(b: &mut Bench, n: usize) {
    b.mpi.all_reduce_into(&b.send[..n], &mut b.recv[..n], SystemOperation::sum());
}

fn mpi_broadcast(b: &mut Bench, n: usize) {
    b.mpi.process_at_rank(0).broadcast_into(&mut b.recv[..n]);
}

fn mpi_fcollect(b: &mut Bench) {
    let n = KIB64 / 8;
    let all = n * b.mpi.size() as usize;
    b.mpi.all_gather_into(&b.send[..n], &mut b.recv[..all]);
}

/// As a program must that does not know the lengths: it gathers them first.
fn mpi_collect(b: &mut Bench) {
    let n = KIB64 / 8;
    let mut counts = vec![0i32; b.mpi.size() as usize];
    b.mpi.all_gather_into(&(n as i32), &mut counts[..]);
    let places: Vec<i32> = counts.iter().scan(0, |at, n| Some(std::mem::replace(at, *at + n))).collect();
    let mut partition = PartitionMut::new(&mut b.recv[..], counts, places);
    b.mpi.all_gather_varcount_into(&b.send[..n], &mut partition);
}

fn mpi_alltoall(b: &mut Bench) {
    let all = KIB64 / 8 * b.mpi.size() as usize;
    b.mpi.all_to_all_into(&b.send[..all], &mut b.recv[..all]);
}

impl Bench {
    fn new() -> Bench {
        let len = (MIB + raw::n_pes() as usize * KIB64) / 8;
        let symmetric = |len: usize| {
            // SAFETY: every PE calls.
            let at = unsafe { raw::malloc(8 * len) };
            // SAFETY: just made.
            unsafe { at.write_bytes(0, 8 * len) };
            at
        };
        Bench {
            dest: symmetric(len).cast(),
            src: symmetric(len).cast(),
            told: symmetric(4).cast(),
            mpi: SimpleCommunicator::world(),
            recv: vec![0; len],
            send: vec![0; len],
        }
    }

    /// PE 0 says which call is run how often; all hear it.
    fn tell(&mut self, which: u64, times: u64) -> (u64, u64) {
        // SAFETY: this PE's own words; no call is under way.
        unsafe { self.told.cast::<[u64; 2]>().write([which, times]) };
        our_barrier();
        // SAFETY: every PE calls; since the barrier, dest is ready again.
        ours(unsafe { raw::broadcast(WORLD, self.told.wrapping_add(2), self.told, 2, 0) });
        // SAFETY: as above; the call has returned.
        let [which, times] = unsafe { self.told.wrapping_add(2).cast::<[u64; 2]>().read() };
        (which, times)
    }

    /// From barrier to barrier.
    fn run(&mut self, which: u64, times: u64) -> Duration {
        let (_, _, call) = CALLS[which as usize];
        our_barrier();
        let start = Instant::now();
        for _ in 0..times {
            call(self);
        }
        our_barrier();
        start.elapsed()
    }
}

fn main() -> ExitCode {
    let launched = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"].iter().any(|name| std::env::var_os(name).is_some());
    if !launched {
        return launch();
    }
    // SAFETY: the first call, on the one thread.
    unsafe { raw::init() };
    let mut bench = Bench::new();
    if raw::my_pe() == 0 {
        lead(&mut bench);
        bench.tell(END, 0);
    } else {
        loop {
            let (which, times) = bench.tell(0, 0);
            if which == END {
                break;
            }
            bench.run(which, times);
        }
    }
    // SAFETY: the last call.
    unsafe { raw::finalize() };
    ExitCode::SUCCESS
}

fn lead(bench: &mut Bench) {
    let mut criterion = Criterion::default().configure_from_args();
    for pair in (0..CALLS.len()).step_by(2) {
        let mut group = criterion.benchmark_group(CALLS[pair].0);
        // Many short samples, so that some fall between interruptions: read their minimum.
        group.sampling_mode(SamplingMode::Flat).sample_size(100);
        group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(300));
        for which in [pair as u64, pair as u64 + 1] {
            group.bench_function(CALLS[which as usize].1, |b| {
                b.iter_custom(|times| {
                    bench.tell(which, times);
                    bench.run(which, times)
                });
            });
        }
        group.finish();
    }
    criterion.final_summary();
}

/// This program again, on two PEs.
fn launch() -> ExitCode {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |name: &&&str| std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
    let names = ["mpirun.openmpi", "mpirun"];
    let mpirun = names.iter().find(there).copied().unwrap_or("mpirun");
    let options: &[&str] = match mpirun {
        "mpirun.openmpi" => &["--allow-run-as-root", "--oversubscribe", "--bind-to", "none"],
        _ => &[],
    };
    let me = std::env::current_exe();
    let status = me.and_then(|me| {
        Command::new(mpirun)
            .args(options)
            .args(["-n", "2"])
            .arg(me)
            .args(std::env::args_os().skip(1))
            .status()
    });
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        other => {
            eprintln!("collectives: {mpirun}: {other:?}");
            ExitCode::FAILURE
        }
    }
}
