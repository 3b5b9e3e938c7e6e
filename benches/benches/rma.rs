//! Put and get under Criterion: a group per transfer, the bare copy and the call in it. It starts itself as a job
//! of two PEs, of which PE 0 measures.

use std::process::{Command, ExitCode};
use std::time::Duration;

use benches::atomics;
use benches::transfers::{Pair, ROWS, on_pe_0, time};
use criterion::Criterion;

fn main() -> ExitCode {
    const PES: &str = "SHMEM_LOCAL_PES";
    if std::env::var_os(PES).is_some() {
        return match on_pe_0(measure) {
            Ok(()) => ExitCode::SUCCESS,
            Err(e) => {
                eprintln!("rma: {e}");
                ExitCode::FAILURE
            }
        };
    }
    let me = std::env::current_exe().expect("a program knows its own file");
    let mut job = Command::new(me);
    job.args(std::env::args_os().skip(1)).env(PES, "2").env("SHMEM_SYMMETRIC_SIZE", "64M");
    let ok = job.status().expect("the program can be started again").success();
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(pair: &Pair) {
    let mut criterion = Criterion::default().configure_from_args();
    for row in ROWS.iter().chain(atomics::ROWS) {
        let mut group = criterion.benchmark_group(row.what);
        group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(500));
        for (who, run) in row.runs {
            group.bench_function(*who, |b| b.iter_custom(|times| time(pair, *run, times as usize)));
        }
        group.finish();
    }
    criterion.final_summary();
}
