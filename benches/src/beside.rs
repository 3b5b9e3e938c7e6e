//! A program that measures in rounds of fresh jobs: a local job of itself, and, where it is given one, a C program under
//! Open MPI's `oshrun`, in turn.
//!
//! ```text
//!   PROGRAM [--rounds N] [--peer C-PROGRAM]
//!      ├── PROGRAM child             a local job of two PEs: contenders in turn ...
//!      └── oshrun -n 2 C-PROGRAM     ... and the peer; both print lines of contender, metric and nanoseconds
//! ```

use std::process::{Command, ExitCode, Stdio};

use crate::results::Results;

/// Why it did not come to figures.
pub type Failure = Box<dyn std::error::Error>;

/// The whole program: `child` measures on the PEs of a job, `print` shows the minima of all rounds.
pub fn main(name: &str, child: fn() -> Result<(), Failure>, print: fn(&Results)) -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args[..] {
        ["child"] => child(),
        _ => rounds(&args).map(|results| print(&results)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{name}: {e}");
            ExitCode::FAILURE
        }
    }
}

fn rounds(args: &[&str]) -> Result<Results, Failure> {
    let (mut rounds, mut peer) = (5, None);
    for pair in args.chunks(2) {
        match *pair {
            ["--rounds", n] => rounds = n.parse()?,
            ["--peer", path] => peer = Some(path.to_owned()),
            _ => return Err(format!("what is {pair:?}? It takes --rounds N and --peer C-PROGRAM").into()),
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
    Ok(results)
}

fn output(mut command: Command) -> Result<String, Failure> {
    let output = command.stderr(Stdio::inherit()).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => Err(format!("{command:?}: {}", output.status).into()),
    }
}
