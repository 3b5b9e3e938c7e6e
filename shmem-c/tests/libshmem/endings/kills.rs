//! One PE ends, some way, in some phase, under every launcher: none is left, and the status is not 0.

use std::time::{Duration, SystemTime};

use shmem_api::testing::{Boot, Random, patience};

use crate::common::{compile, launch};
use crate::endings::{LEFT, TURN, Watched, fresh_dir, number, watch};

const PHASES: [&str; 10] =
    ["init", "alloc", "put", "barrier", "collective", "team", "wait", "compute", "finalize", "after"];
const ACTIONS: [&str; 7] = ["kill", "segv", "abort", "_exit0", "exit0", "exit3", "exec"];

const SUCCEEDS: &str = "has status 0";
const LEFT_ALONE: &str = "is left by its launcher";

#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "printed")]
struct End {
    boot: Boot,
    pes: u32,
    phase: &'static str,
    action: &'static str,
    victim: usize,
    delay: usize,
}

impl End {
    fn draw(random: &mut Random, boot: Boot) -> End {
        let pes = 2 + random.below(7);
        let phase = random.of(&PHASES);
        let most = if phase == "init" { 60_000 } else { 2000 };
        let delay = if random.below(4) == 0 { 0 } else { random.below(most) };
        let delay = if ["alloc", "team"].contains(&phase) { delay % 100 } else { delay };
        End { boot, pes: pes as u32, phase, action: random.of(&ACTIONS), victim: random.below(pes), delay }
    }

    /// A PE that looks to everybody as if it had ended well may have: it has finalized, or is just about to have. (It
    /// became another program that ended well, or left with 0.)
    fn may_succeed(&self) -> bool {
        let well = ["_exit0", "exit0", "exec"].contains(&self.action);
        let done = self.phase == "after" || self.phase == "finalize";
        // A timer may come too late for its phase.
        well && (done || self.phase == "init" && self.delay > 0)
    }

    /// Whether it is the launcher's: nobody else can notice, since the library has not started yet, or has gone; or it is
    /// MPICH's, which takes the 0 of a PE for that of the job whatever the others say, as it does of an MPI program's.
    fn launchers(&self, what: &str) -> bool {
        let taken_for_all = self.boot == Boot::Mpich && self.action == "_exit0" && what == SUCCEEDS;
        let nobodys = self.phase == "init" || self.phase == "after";
        self.boot != Boot::Local && (nobodys || taken_for_all || what == LEFT_ALONE)
    }

    /// What is wrong with how it went, if anything.
    fn judge(&self, seen: &Watched) -> Option<String> {
        let outcome = &seen.outcome;
        // What it becomes may end by itself, after a second.
        let own = if self.action == "exec" { Duration::from_secs(1) } else { Duration::ZERO };
        let late = seen.took.is_some_and(|took| took > patience(LEFT) + own);
        if self.boot.slips(outcome.status, (&outcome.stdout, &outcome.stderr)) {
            return Some(LEFT_ALONE.to_owned());
        }
        if outcome.timed_out {
            return Some("hangs".to_owned());
        }
        if !seen.left.is_empty() {
            return Some(format!("leaves processes {:?}", seen.left));
        }
        if late {
            return Some(format!("takes {:.1?}", seen.took.unwrap_or_default()));
        }
        if seen.took.is_none() && self.phase != "init" && self.phase != "finalize" {
            return Some("the victim did not act".to_owned());
        }
        if outcome.status.success() && seen.took.is_some() && !self.may_succeed() {
            return Some(SUCCEEDS.to_owned());
        }
        if !outcome.status.success() && outcome.stderr.trim().is_empty() && outcome.stdout.trim().is_empty() {
            return Some("says nothing".to_owned());
        }
        None
    }
}

#[test]
fn one_pe_ends_anyhow_anywhere() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let program = compile("tests/c/endings.c", &[]);
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(1, |d| d.as_nanos() as u64);
    let seed = number("SHMEM_TEST_SEED").unwrap_or(time);
    let many = number("SHMEM_TEST_KILLS");
    let mut wrong = Vec::new();
    for &boot in Boot::all() {
        let mut random = Random::new(seed);
        let (mut slowest, mut faults, mut ended) = (Duration::ZERO, 0, 0);
        let rounds = many.unwrap_or(if boot == Boot::Local { 20 } else { 6 });
        for _ in 0..rounds {
            let end = End::draw(&mut random, boot);
            let dir = fresh_dir();
            let launch = launch(&program, end.pes, boot).env("SHMEM_HEAP_TRIM", "1m");
            let launch = launch.arg(end.phase).arg(end.action).arg(end.victim.to_string());
            let launch = launch.arg(end.delay.to_string());
            let limit = Duration::from_secs(10);
            // The library is not there yet: whatever comes of it is the launcher's.
            let theirs = boot != Boot::Local && end.phase == "init";
            let launch = if theirs { launch.limit_exactly(limit) } else { launch.limit(limit) };
            let seen = watch(launch, &dir);
            ended += u32::from(seen.took.is_some());
            match end.judge(&seen) {
                None => slowest = slowest.max(seen.took.filter(|t| *t < LEFT).unwrap_or_default()),
                Some(what) if end.launchers(&what) => {
                    faults += 1;
                    eprintln!("the launcher's: {end:?} {what}");
                }
                Some(what) => {
                    eprintln!("{end:?} {what}");
                    wrong.push(format!("{end:?} {what}: {}", seen.outcome));
                }
            }
        }
        eprintln!(
            "seed {seed}, {boot:?}: {rounds} jobs, {ended} of them with a PE that ended; slowest end {slowest:.1?}; \
             {faults} where the launcher is at fault; {} wrong in all so far",
            wrong.len()
        );
    }
    assert!(wrong.is_empty(), "seed {seed}: {}", wrong.join("\n\n"));
}
