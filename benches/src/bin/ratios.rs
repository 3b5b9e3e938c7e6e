//! Everything in rounds of fresh processes, the contenders alternating; minima, ratios and goals.
//!
//! ```text
//!   ratios [--rounds N] [--peer PROGRAM] [--plots DIRECTORY]
//!      ├── ratios child KIND CONTENDER      one process per contender, kind and round ...
//!      └── oshrun ... PROGRAM ...           ... and, given the C program, Open MPI's two allocators
//! ```
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use benches::api::Api;
use benches::contender::{Contender, Ours};
use benches::field::{Runner, Visit};
use benches::results::Results;
use benches::stage::Stage;
use benches::tables::SCALES;
use benches::workload::Workload;
use benches::{latency, occupancy, plot, start, tables};
use memheap::Bytes;

/// What one call of the timed loop runs, short enough to fit between two interruptions.
const PAIRS: u64 = 20_000;

/// How long one workload is repeated in one process.
const BUDGET: Duration = Duration::from_millis(100);

/// Kinds of measurement whose results differ from round to round, and those that take one round.
const EVERY_ROUND: [&str; 4] = ["workloads", "scale", "start", "api"];
const FEW_ROUNDS: [&str; 2] = ["worst", "fragmentation"];

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args[..] {
        ["child", kind, name] => child(kind, name),
        _ => Options::parse(&args).and_then(|options| options.run()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("ratios: {e}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    rounds: usize,
    peer: Option<PathBuf>,
    plots: Option<PathBuf>,
}

impl Options {
    fn parse(args: &[&str]) -> Result<Options, Failure> {
        let mut options = Options { rounds: 5, peer: None, plots: None };
        for pair in args.chunks(2) {
            match *pair {
                ["--rounds", n] => options.rounds = n.parse()?,
                ["--peer", path] => options.peer = Some(path.into()),
                ["--plots", path] => options.plots = Some(path.into()),
                _ => return Err(format!("what is {pair:?}? See the top of ratios.rs").into()),
            }
        }
        Ok(options)
    }

    fn run(&self) -> Result<(), Failure> {
        let mut results = Results::default();
        for round in 0..self.rounds {
            eprintln!("round {} of {}", round + 1, self.rounds);
            for (kind, name) in processes(round) {
                results.take_in(&ours(kind, name)?);
            }
            if let Some(peer) = &self.peer {
                for memheap in ["buddy", "ptmalloc"] {
                    for level in ["oshmem", "shmem_api"] {
                        results.take_in(&oshrun(peer, memheap, level, round == 0)?);
                    }
                }
            }
        }
        same_draws(&results)?;
        println!("{}", tables::all(&results));
        if let Some(directory) = &self.plots {
            std::fs::create_dir_all(directory)?;
            for workload in Workload::ALL {
                let path = directory.join(format!("{}.svg", workload.name()));
                std::fs::write(path, plot::bars(&results, workload))?;
            }
        }
        Ok(())
    }
}

/// The processes of one round, in their order.
fn processes(round: usize) -> Vec<(&'static str, &'static str)> {
    let few = if round == 0 { &FEW_ROUNDS[..] } else { &[] };
    let kinds = EVERY_ROUND.iter().chain(few);
    let names = |kind: &'static str| {
        let takes_part = move |r: &Runner| match kind {
            "scale" | "start" | "api" => r.component().is_some(),
            "fragmentation" => *r != Runner::Null,
            _ => true,
        };
        Runner::ALL.into_iter().filter(takes_part).map(move |r| (kind, r.name()))
    };
    kinds.flat_map(|kind| names(kind)).collect()
}

fn ours(kind: &str, name: &str) -> Result<String, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["child", kind, name]);
    if kind == "api" {
        command.env("SHMEM_LOCAL_PES", "1").env("SHMEM_MEMHEAP", name);
        command.env("SHMEM_SYMMETRIC_SIZE", "1G");
    }
    output(command)
}

fn oshrun(peer: &PathBuf, memheap: &str, level: &str, tails: bool) -> Result<String, Failure> {
    let mut command = Command::new("oshrun");
    command.args(["--allow-run-as-root", "--oversubscribe", "--mca", "osc", "^rdma"]);
    command.args(["--mca", "memheap", memheap, "-n", "1"]);
    command.arg(peer).args([level, &format!("{level}:{memheap}"), if tails { "tails" } else { "" }]);
    // Open MPI 4.1 reads the old name only.
    command.env("SMA_SYMMETRIC_SIZE", "1G");
    output(command)
}

fn output(mut command: Command) -> Result<String, Failure> {
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        eprintln!("{command:?}: {}; its results are missing", output.status);
        return Ok(String::new());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The C program must have asked for the same blocks in the same order.
fn same_draws(results: &Results) -> Result<(), Failure> {
    for workload in Workload::ALL {
        let what = format!("draws/{}", workload.name());
        let own = results.least("null", &what);
        for who in results.present(&tables::NAMES, &what) {
            if results.least(who, &what) != own {
                return Err(format!("{who} was not asked for the same blocks in {}", workload.name()).into());
            }
        }
    }
    Ok(())
}

fn child(kind: &str, name: &str) -> Result<(), Failure> {
    let runner = Runner::named(name).ok_or_else(|| format!("no contender is called {name}"))?;
    match kind {
        "workloads" => runner.with(Workloads(name)),
        "worst" => runner.with(Worst(name)),
        "fragmentation" => runner.with(Fragmentation(name)),
        "scale" => scale(name, runner)?,
        "start" => {
            let found = start::measure(runner.component().ok_or("not one of ours")?, Bytes::gib(1024));
            println!("{name} start/us {}\n{name} start/kib {}", found.microseconds, found.kib);
        }
        "api" => api(name)?,
        _ => return Err(format!("nothing is called {kind}").into()),
    }
    Ok(())
}

struct Workloads<'n>(&'n str);

impl Visit for Workloads<'_> {
    type Out = ();

    fn visit<C: Contender>(self, fresh: impl Fn() -> C) {
        let name = self.0;
        for workload in Workload::ALL {
            let mut stage = Stage::new(workload, fresh());
            println!("{name} ns/{} {}", workload.name(), stage.least(PAIRS, BUDGET));
            if stage.failures() > 0 {
                eprintln!("{name}: {} blocks of {} could not be had", stage.failures(), workload.name());
            }
            let draws = workload.mix().map_or(0, |mix| mix.plan().check() & 0xffff_ffff);
            println!("{name} draws/{} {draws}", workload.name());
        }
    }
}

struct Worst<'n>(&'n str);

impl Visit for Worst<'_> {
    type Out = ();

    fn visit<C: Contender>(self, fresh: impl Fn() -> C) {
        let (alloc, free) = latency::measure(fresh());
        for (op, p) in [("alloc", alloc), ("free", free)] {
            for (part, value) in [("p50", p.p50), ("p99", p.p99), ("p9999", p.p9999), ("max", p.max)] {
                println!("{} worst/{op}.{part} {value}", self.0);
            }
        }
    }
}

struct Fragmentation<'n>(&'n str);

impl Visit for Fragmentation<'_> {
    type Out = ();

    fn visit<C: Contender>(self, fresh: impl Fn() -> C) {
        let name = self.0;
        for share in [50, 70, 80] {
            if let Some(found) = occupancy::churn(fresh(), f64::from(share) / 100.0) {
                println!("{name} frag/{share}.high {}", found.high_water);
                println!("{name} frag/{share}.largest {}", found.largest);
            }
        }
        let (share, whole) = occupancy::fill(fresh());
        println!("{name} frag/fill {share}\n{name} frag/whole {}", u8::from(whole));
    }
}

fn scale(name: &str, runner: Runner) -> Result<(), Failure> {
    let component = runner.component().ok_or("not one of ours")?;
    for log in SCALES {
        for workload in [Workload::Pair64, Workload::Random] {
            let mix = if log == SCALES[0] { workload.mix().map(|m| m.tiny()) } else { workload.mix() };
            let mix = if log == 24 { mix.map(|m| benches::workload::Mix { octaves: 6, ..m }) } else { mix };
            let contender = Ours::new(component, Bytes(1 << log));
            let mut stage = Stage::with(workload.motion(), mix, contender);
            println!("{name} scale/{}.{log} {}", workload.name(), stage.least(PAIRS, BUDGET / 4));
        }
    }
    Ok(())
}

fn api(name: &str) -> Result<(), Failure> {
    let api = Api::new()?;
    if api.allocator() != name {
        return Err(format!("{} was selected, not {name}", api.allocator()).into());
    }
    for workload in Workload::ALL {
        let mut stage = Stage::new(workload, &api);
        println!("api:{name} ns/{} {}", workload.name(), stage.least(PAIRS, BUDGET));
        stage.close();
    }
    Ok(())
}
