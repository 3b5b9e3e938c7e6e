//! Put and get beside the bare copy and beside Open MPI's OSHMEM, in rounds of fresh jobs; minima and goals.
//!
//! ```text
//!   transfers [--rounds N] [--peer PROGRAM]
//!      ├── transfers child           a local job of two PEs: contenders in turn ...
//!      └── oshrun -n 2 PROGRAM       ... and, given the C program, Open MPI's
//! ```
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use benches::atomics;
use benches::results::Results;
use benches::transfers::{ROWS, Row, on_pe_0};

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args[..] {
        ["child"] => child(),
        _ => run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("transfers: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<(), Failure> {
    let (mut rounds, mut peer) = (5, None);
    for pair in args.chunks(2) {
        match *pair {
            ["--rounds", n] => rounds = n.parse()?,
            ["--peer", path] => peer = Some(path.to_owned()),
            _ => return Err(format!("what is {pair:?}? See the top of transfers.rs").into()),
        }
    }
    let mut results = Results::default();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        let mut ours = Command::new(std::env::current_exe()?);
        ours.arg("child").env("SHMEM_LOCAL_PES", "2").env("SHMEM_SYMMETRIC_SIZE", "64M");
        results.take_in(&output(ours)?);
        if let Some(peer) = &peer {
            let mut theirs = Command::new("oshrun");
            theirs.args(["--allow-run-as-root", "--oversubscribe", "--mca", "osc", "^rdma", "-n", "2", peer]);
            // Open MPI 4.1 reads the old name only.
            theirs.env("SMA_SYMMETRIC_SIZE", "64M");
            results.take_in(&output(theirs)?);
        }
    }
    print(&results);
    Ok(())
}

fn output(mut command: Command) -> Result<String, Failure> {
    let output = command.stderr(Stdio::inherit()).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => Err(format!("{command:?}: {}", output.status).into()),
    }
}

fn child() -> Result<(), Failure> {
    on_pe_0(|pair| {
        for row in rows() {
            for (who, least) in row.least(pair, Duration::from_millis(60)) {
                println!("{who} {} {least:.3}", key(row.what));
            }
        }
    })?;
    Ok(())
}

/// All that is measured.
fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(atomics::ROWS)
}

/// A row's name as one word.
fn key(what: &str) -> String {
    what.replace(' ', "_")
}

fn print(results: &Results) {
    println!(
        "| ns | plain | unchecked | ours | OSHMEM | ours - plain | checks | ours / plain | OSHMEM / ours |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for row in rows() {
        let what = key(row.what);
        let [plain, unchecked, ours, oshmem] =
            ["plain", "unchecked", "ours", "oshmem"].map(|who| results.least(who, &what));
        let less = |of: Option<f64>| ours.zip(of).map(|(ours, of)| ours - of);
        let over = |of: Option<f64>, by: Option<f64>| of.zip(by).map(|(of, by)| of / by);
        let cells = [
            plain,
            unchecked,
            ours,
            oshmem,
            less(plain),
            less(unchecked),
            over(ours, plain),
            over(oshmem, ours),
        ];
        let shown = cells.map(|cell| match cell {
            Some(value) if value.abs() < 1000.0 => format!("{value:.2}"),
            Some(value) => format!("{value:.0}"),
            None => "-".to_owned(),
        });
        println!("| {} | {} |", row.what, shown.join(" | "));
    }
}
