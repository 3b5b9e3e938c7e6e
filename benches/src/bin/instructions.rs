//! Runs one workload of one contender for a given number of pairs; `instructions.sh` counts what that
//! takes at two lengths, and the difference is free of everything that happens once.

use std::process::ExitCode;

use benches::contender::Contender;
use benches::field::{Runner, Visit};
use benches::stage::Stage;
use benches::workload::Workload;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let parsed = match &args[..] {
        [name, workload, pairs] => {
            Runner::named(name).zip(Workload::named(workload)).zip(pairs.parse::<u64>().ok())
        }
        _ => None,
    };
    let Some(((runner, workload), pairs)) = parsed else {
        eprintln!("instructions CONTENDER WORKLOAD PAIRS");
        return ExitCode::FAILURE;
    };
    runner.with(Run { workload, pairs });
    ExitCode::SUCCESS
}

struct Run {
    workload: Workload,
    pairs: u64,
}

impl Visit for Run {
    type Out = ();

    fn visit<C: Contender>(self, fresh: impl Fn() -> C) {
        let mut stage = Stage::new(self.workload, fresh());
        stage.run(self.pairs);
        assert_eq!(stage.failures(), 0, "every block was to be had");
    }
}
