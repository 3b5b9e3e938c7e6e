//! Starting and ending a job: ours beside Open MPI's OSHMEM, both MPIs, a bare PMIx client and a program that does
//! nothing, in rounds of fresh jobs; minima, medians and goals.
//!
//! ```text
//!   starts [--rounds N] [--oshcc PATH]      PATH: that of an installed libshmem, without which ours is left out
//!
//!   launch ─────► init ─────► finalize ─────► process exit ─────► exit of the launcher
//!                 |  a  |     |    b   |
//!   |◄───────────────────────── c ──────────────────────────────────────────────────►|
//! ```
//!
//! `benches/peers/start.c` is compiled once for each contender and prints (a) and (b) of each PE; the slowest PE's count.
//! It is told how many PEs there are to be, and fails where its library says something else.
//! The same binary of ours runs under both launchers and alone. Within a round, the contenders take turns on each
//! number of PEs.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use benches::beside::Failure;
use benches::goals::{Bound, Goal};
use benches::launch;
use benches::launchers::{Launcher, tool};
use benches::results::Results;
use benches::tables;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/start.c");
/// How many PEs, and on how many of them the goals are looked at.
const PES: [u32; 4] = [1, 2, 4, 16];
const JUDGED: [u32; 2] = [2, 4];
/// No launch takes longer.
const LIMIT: Duration = Duration::from_secs(60);
/// What is measured: its name in the results, and its table's title.
const METRICS: [(&str, &str); 3] = [("init", "Init"), ("finalize", "Finalize"), ("exit", "Launch to exit")];

const MPIRUN_OURS: &str = "mpirun: ours";
const MPIRUN_OSHMEM: &str = "mpirun: OSHMEM";
const MPIRUN_PMIX: &str = "mpirun: bare PMIx";
const MPIRUN_MPI: &str = "mpirun: MPI of Open MPI";
const MPIRUN_TRUE: &str = "mpirun: true";
const MPIEXEC_OURS: &str = "mpiexec: ours";
const MPIEXEC_MPI: &str = "mpiexec: MPI of MPICH";
const MPIEXEC_TRUE: &str = "mpiexec: true";
const ALONE_OURS: &str = "no launcher: ours";
/// All contenders, in the order of the tables and of the turns.
const NAMES: [&str; 9] = [
    MPIRUN_OURS,
    MPIRUN_OSHMEM,
    MPIRUN_PMIX,
    MPIRUN_MPI,
    MPIRUN_TRUE,
    MPIEXEC_OURS,
    MPIEXEC_MPI,
    MPIEXEC_TRUE,
    ALONE_OURS,
];

fn main() -> ExitCode {
    match rounds() {
        Ok(failed) if failed.is_empty() => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("starts: {} launches failed; the first: {}", failed.len(), failed[0]);
            ExitCode::FAILURE
        }
        Err(e) => {
            eprintln!("starts: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints; returns the launches that failed, which are not in the tables.
fn rounds() -> Result<Vec<Failure>, Failure> {
    let (mut rounds, mut oshcc) = (10, None);
    let args: Vec<String> = std::env::args().skip(1).collect();
    for pair in args.iter().map(String::as_str).collect::<Vec<_>>().chunks(2) {
        match *pair {
            ["--rounds", n] => rounds = n.parse()?,
            ["--oshcc", path] => oshcc = Some(path.to_owned()),
            _ => return Err(format!("what is {pair:?}? It takes --rounds N and --oshcc PATH").into()),
        }
    }
    let (contenders, left_out) = contenders(oshcc.as_deref())?;
    let (mut results, mut failed) = (Results::default(), Vec::new());
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        for (pes, contender) in PES.iter().flat_map(|pes| contenders.iter().map(move |c| (*pes, c))) {
            if let Err(e) = contender.measure(pes, &mut results) {
                failed.push(e);
            }
        }
    }
    print(&results, rounds);
    for line in left_out {
        println!("\nLeft out: {line}.");
    }
    Ok(failed)
}

struct Contender {
    name: &'static str,
    launcher: Launcher,
    program: PathBuf,
}

impl Contender {
    fn measure(&self, pes: u32, results: &mut Results) -> Result<(), Failure> {
        let mut command = self.launcher.command(pes, &self.program);
        // Open MPI 4.1 reads the old name only.
        command.arg(pes.to_string()).env("SHMEM_SYMMETRIC_SIZE", "64M").env("SMA_SYMMETRIC_SIZE", "64M");
        let launched = launch::run(command, LIMIT)?;
        let slowest = match [MPIRUN_TRUE, MPIEXEC_TRUE].contains(&self.name) {
            true => None,
            false => Some(slowest(&launched.stdout, pes).map_err(|e| format!("{}: {e}", self.name))?),
        };
        let mut add = |metric, seconds| results.add(self.name, &key(metric, pes), seconds * 1e3);
        add("exit", launched.took.as_secs_f64());
        if let Some([init, finalize]) = slowest {
            add("init", init * 1e-9);
            add("finalize", finalize * 1e-9);
        }
        Ok(())
    }
}

/// The nanoseconds of init and of finalize of the slowest PE in each, of a job that printed so.
fn slowest(stdout: &str, pes: u32) -> Result<[f64; 2], String> {
    let (mut most, mut lines) = ([0.0_f64; 2], 0);
    for line in stdout.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let times = match words[..] {
            ["init", init, "finalize", finalize] => {
                init.parse::<f64>().ok().zip(finalize.parse::<f64>().ok())
            }
            _ => None,
        };
        let (init, finalize) = times.ok_or_else(|| format!("printed {line:?}"))?;
        most = [most[0].max(init), most[1].max(finalize)];
        lines += 1;
    }
    if lines == pes { Ok(most) } else { Err(format!("{lines} of {pes} PEs printed their times")) }
}

/// A metric on so many PEs, by one word.
fn key(metric: &str, pes: u32) -> String {
    format!("{metric}@{pes}")
}

/// Those that this machine has, and why the others are left out.
fn contenders(oshcc: Option<&str>) -> Result<(Vec<Contender>, Vec<String>), Failure> {
    let (mpirun, mpiexec) = (Launcher::mpirun(), Launcher::mpiexec());
    let ours = match oshcc {
        Some(oshcc) => Ok(compile("ours", oshcc, &["-DSTART_SHMEM"])?),
        None => Err("no --oshcc".into()),
    };
    let oshmem = tool(&["oshcc"], "--showme", "-loshmem");
    let oshmem = oshmem.and_then(|oshcc| compile("oshmem", oshcc, &["-DSTART_SHMEM"]));
    let openmpi = tool(&["mpicc.openmpi", "mpicc"], "--showme:version", "Open MPI");
    let openmpi = openmpi.and_then(|mpicc| compile("openmpi", mpicc, &["-DSTART_MPI"]));
    let mpich = tool(&["mpicc.mpich", "mpicc"], "-v", "MPICH");
    let mpich = mpich.and_then(|mpicc| compile("mpich", mpicc, &["-DSTART_MPI"]));
    let pmix = pmix();
    let nothing = Ok(PathBuf::from("/bin/true"));
    let all = [
        (MPIRUN_OURS, &mpirun, &ours),
        (MPIRUN_OSHMEM, &mpirun, &oshmem),
        (MPIRUN_PMIX, &mpirun, &pmix),
        (MPIRUN_MPI, &mpirun, &openmpi),
        (MPIRUN_TRUE, &mpirun, &nothing),
        (MPIEXEC_OURS, &mpiexec, &ours),
        (MPIEXEC_MPI, &mpiexec, &mpich),
        (MPIEXEC_TRUE, &mpiexec, &nothing),
        (ALONE_OURS, &Ok(Launcher::None), &ours),
    ];
    let (mut here, mut left_out) = (Vec::new(), Vec::new());
    for (name, launcher, program) in all {
        match (launcher, program) {
            (Ok(launcher), Ok(program)) => {
                here.push(Contender { name, launcher: *launcher, program: program.clone() })
            }
            (Err(why), _) | (_, Err(why)) => left_out.push(format!("{name}: {why}")),
        }
    }
    Ok((here, left_out))
}

/// A client by the headers of PMIx, which are where `pkg-config` says.
fn pmix() -> Result<PathBuf, Failure> {
    let asked = Command::new("pkg-config").args(["--cflags", "--libs", "pmix"]).output();
    let asked =
        asked.ok().filter(|o| o.status.success()).ok_or("no PMIx that pkg-config knows (libpmix-dev)")?;
    let flags = String::from_utf8(asked.stdout)?;
    compile("pmix", "cc", &[&["-DSTART_PMIX"], &flags.split_whitespace().collect::<Vec<_>>()[..]].concat())
}

/// Compiles the source for the contender `name`, beside this executable.
fn compile(name: &str, cc: &str, args: &[&str]) -> Result<PathBuf, Failure> {
    let me = std::env::current_exe()?;
    let to = me.parent().unwrap_or(Path::new(".")).join(format!("peer-start-{name}"));
    let mut command = Command::new(cc);
    // Libraries come after what uses them.
    command.args(["-O2", "-Wall", "-Wextra", "-o"]).arg(&to).arg(SOURCE).args(args);
    launch::run(command, LIMIT)?;
    Ok(to)
}

fn print(results: &Results, rounds: u32) {
    let mut out = String::new();
    for (metric, title) in METRICS {
        let columns =
            PES.map(|pes| (format!("{pes} PE{}", if pes == 1 { "" } else { "s" }), key(metric, pes)));
        let title = format!("{title}, ms: least / median of {rounds} rounds");
        tables::table(&mut out, results, &title, &NAMES, &columns, |r, who, what| {
            Some(format!("{:.2} / {:.2}", r.least(who, what)?, r.median(who, what)?))
        });
    }
    tables::goals_table(&mut out, &goals(results));
    println!("{out}");
}

/// Those of issue 13.
fn goals(results: &Results) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut push = |pes: u32, what: &str, value, limit| {
        let what = format!("{what}, on {pes}");
        goals.push(Goal { id: "issue 13", what, value, bound: Bound::AtMost(limit) });
    };
    for pes in JUDGED {
        let [init, finalize, exit] = METRICS.map(|(metric, _)| key(metric, pes));
        let bare = results.least(MPIRUN_OURS, &init).zip(results.least(MPIRUN_PMIX, &init));
        push(pes, "mpirun, init: ours / OSHMEM", results.ratio(MPIRUN_OURS, MPIRUN_OSHMEM, &init), 0.12);
        push(pes, "mpirun, init: ours - bare PMIx, ms", bare.map(|(ours, bare)| ours - bare), 8.0);
        push(pes, "mpiexec, init: ours / MPI of MPICH", results.ratio(MPIEXEC_OURS, MPIEXEC_MPI, &init), 0.2);
        push(
            pes,
            "mpirun, finalize: ours / OSHMEM",
            results.ratio(MPIRUN_OURS, MPIRUN_OSHMEM, &finalize),
            0.15,
        );
        push(
            pes,
            "mpirun, launch to exit: ours / OSHMEM",
            results.ratio(MPIRUN_OURS, MPIRUN_OSHMEM, &exit),
            0.35,
        );
        push(pes, "mpiexec, launch to exit: ours, ms", results.least(MPIEXEC_OURS, &exit), 45.0);
    }
    push(1, "no launcher, init: ours, ms", results.least(ALONE_OURS, &key("init", 1)), 5.0);
    goals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_counts_and_every_pe_must_have_printed() {
        let two = "init 5 finalize 20\ninit 7 finalize 10\n";
        assert_eq!(slowest(two, 2), Ok([7.0, 20.0]));
        assert!(slowest(two, 3).unwrap_err().contains("2 of 3"));
        assert!(slowest("init 5 finalize\n", 1).unwrap_err().contains("init 5 finalize"));
    }

    #[test]
    fn goals_need_both_sides() {
        let mut results = Results::default();
        let judged = |results: &Results| goals(results).iter().filter_map(Goal::holds).collect::<Vec<_>>();
        results.add(MPIRUN_OURS, "init@2", 20.0);
        assert_eq!(judged(&results), []);
        results.add(MPIRUN_OSHMEM, "init@2", 200.0);
        results.add(MPIRUN_PMIX, "init@2", 11.0);
        results.add(ALONE_OURS, "init@1", 4.0);
        assert_eq!(judged(&results), [true, false, true]);
    }
}
