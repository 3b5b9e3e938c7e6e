//! On two hosts, ours over UCX beside MPI: transfers between one PE on each, collectives of two PEs on each. Rounds of fresh jobs under the
//! launchers, turn and turn about; minima, medians, and the ratios of both.
//!
//! ```text
//!   scripts/hosts.sh run 2 hosts_mpi [--rounds N] NAME=C-PROGRAM ..        (benches/peers/run.sh hosts-mpi; NAME: openmpi, mpich)
//!      ├── mpirun -n 2 hosts child         mpirun -n 4 host_collectives
//!      └── NAME's launcher, -n 2 and -n 4, C-PROGRAM NAME: benches/peers/mpi_hosts.c
//! ```
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use benches::beside::Failure;
use benches::launch;
use benches::results::Results;

/// What is measured of ours; what of theirs it stands beside, added up; and what is asked of the ratio.
const ROWS: &[(&str, &[&str], &str)] = &[
    ("put8+quiet", &["signal_round"], "1.3 of the better round trip"),
    ("fetch_add", &["signal_round"], "1.3 of the better round trip"),
    ("put8+quiet", &["put8+quiet"], ""),
    ("fetch_add", &["fetch_add"], ""),
    ("put8_of_64", &["put8_of_64"], "1.2 of Open MPI's, 0.3 of MPICH's"),
    ("put8_of_64_apart", &["put8_of_64_apart"], "1.2 of Open MPI's, 0.3 of MPICH's"),
    ("signal_round", &["signal_round"], ""),
    ("put1M+quiet", &["put1M+quiet"], ""),
    ("get1M", &["get1M"], ""),
    ("put16M+quiet", &["put16M+quiet"], ""),
    ("get16M", &["get16M"], ""),
    ("sync", &["sync_leaders", "sync_half"], "1.3 of the better"),
    ("sync_leaders", &["sync_leaders"], ""),
    ("sum8", &["sum8"], "1.0 of the better"),
    ("sum1M", &["sum1M"], "1.0 of the better"),
    ("broadcast1M", &["broadcast1M"], ""),
];

/// For one job.
const LIMIT: Duration = Duration::from_secs(180);

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (mut rounds, mut peers) = (5, Vec::new());
    while let Some(arg) = args.next() {
        match arg.split_once('=') {
            Some((name, program)) => peers.push((name.to_owned(), program.to_owned())),
            None => rounds = args.next().and_then(|n| n.parse().ok()).unwrap_or(rounds),
        }
    }
    match measured(rounds, &peers) {
        Ok(results) => {
            table(&results, &peers);
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("hosts_mpi: {e}");
            ExitCode::FAILURE
        }
    }
}

fn measured(rounds: usize, peers: &[(String, String)]) -> Result<Results, Failure> {
    let me = std::env::current_exe()?;
    let ours = |n| if n == 2 { ("hosts", "child") } else { ("host_collectives", "9") };
    let mut results = Results::default();
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for n in [2, 4] {
            let (program, argument) = ours(n);
            results.take_in(&job("openmpi", n, &me.with_file_name(program), argument)?);
            for (name, program) in peers {
                results.take_in(&job(name, n, Path::new(program), name)?);
            }
        }
    }
    Ok(results)
}

/// What a job of `n` PEs or ranks prints.
fn job(launcher: &str, n: u32, program: &Path, argument: &str) -> Result<String, Failure> {
    let mut command = Command::new(if launcher == "mpich" { "mpiexec.mpich" } else { "mpirun.openmpi" });
    // Between hosts of tcp alone, Open MPI 4.1 makes no window but by this component (MPI_ERR_WIN).
    command.env("OMPI_MCA_osc", "pt2pt");
    command.arg("-n").arg(n.to_string()).arg(program).arg(argument);
    Ok(launch::run(command, LIMIT)?.stdout)
}

fn table(results: &Results, peers: &[(String, String)]) {
    let mut head = "| us (least, median) | ours |".to_owned();
    for (name, _) in peers {
        head += &format!(" {name} | ratios |");
    }
    println!("{head} goal |");
    println!("|---|---|{}---|", "---|---|".repeat(peers.len()));
    let both = |who: &str, of: &[&str]| {
        [false, true].map(|median| {
            let value = |what: &&str| match median {
                true => results.median(who, &format!("{what}/median")),
                false => results.least(who, what),
            };
            of.iter().map(value).sum::<Option<f64>>()
        })
    };
    let us = |ns: Option<f64>| ns.map_or("-".to_owned(), |ns| format!("{:.2}", ns / 1e3));
    for &(what, beside, goal) in ROWS {
        let ours = both("ours", &[what]);
        let mut row = format!("| {what} : {} | {}, {} |", beside.join(" + "), us(ours[0]), us(ours[1]));
        for (name, _) in peers {
            let theirs = both(name, beside);
            let ratio =
                |i: usize| ours[i].zip(theirs[i]).map_or("-".to_owned(), |(a, b)| format!("{:.2}", a / b));
            row += &format!(" {}, {} | {}, {} |", us(theirs[0]), us(theirs[1]), ratio(0), ratio(1));
        }
        println!("{row} {goal} |");
    }
}
