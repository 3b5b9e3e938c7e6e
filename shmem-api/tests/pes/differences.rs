//! One PE of a job does something else than the others, drawn by a generator over *pairs* of calls: of teams, active
//! sets, the heap and the safe API; or it leaves one out. Whatever it is:
//!
//! * a call that returns has the right result for what its PE asked;
//! * the job ends within seconds, with a line that names the difference (or a heap call, which may go on, prints one and
//!   gives NULL on every PE): no hang, no silence.
//!
//! `SHMEM_TEST_DIFFERENCES=10000` draws as many (`make test-differences`); `SHMEM_TEST_SEED` repeats a run.
#![allow(unsafe_code, clippy::print_stdout, reason = "raw calls; the parent reads what the PEs print")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use shmem_api::World;
use shmem_api::testing::{self, Boot, Launch};

mod calls;
mod draw;

use draw::Plan;

const TEST: &str = "what_one_pe_does_differently_is_named";
const PLAN: &str = "SHMEM_TEST_PLAN";
/// Jobs at a time: most of the time they start, or wait to be found out.
const JOBS: usize = 4;
/// A PE asks after half a second whether anybody can go on; machines may be busy.
const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn what_one_pe_does_differently_is_named() {
    if testing::is_pe() {
        let plan = Plan::draw(number(PLAN).expect("a PE is given its plan"));
        let world = World::init().expect("the library comes up");
        calls::play(&world, &plan);
        if let Err(e) = world.finalize() {
            eprintln!("{e}");
            std::process::exit(1);
        }
        return;
    }
    let seed = number("SHMEM_TEST_SEED").unwrap_or(20_261_126);
    let count = number("SHMEM_TEST_DIFFERENCES").unwrap_or(200);
    println!("seed {seed}, {count} differences");
    let (next, failures, kinds) = (AtomicU64::new(0), Mutex::new(Vec::new()), Mutex::new([0u64; 4]));
    std::thread::scope(|s| {
        for _ in 0..JOBS {
            s.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= count {
                        return;
                    }
                    let number = testing::mix(seed, i);
                    match judge(&Plan::draw(number), number) {
                        Ok(how) => kinds.lock().unwrap()[how as usize] += 1,
                        Err(what) => failures.lock().unwrap().push(what),
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let [rendezvous, circle, input, heap] = kinds.into_inner().unwrap();
    println!(
        "named at a rendezvous {rendezvous}, as a circle of waits {circle}, as bad input {input}, by a heap call {heap}; \
         not {}",
        failures.len()
    );
    for failure in failures.iter().take(20) {
        println!("{failure}\n");
    }
    assert!(failures.is_empty(), "{} of {count} failed, seed {seed}", failures.len());
    assert!(rendezvous > 0 && circle > 0, "the generator draws both kinds");
}

/// How a difference came out.
#[derive(Clone, Copy)]
enum How {
    Rendezvous,
    Circle,
    Input,
    Heap,
}

/// Plays a plan on several PEs and looks at what came of it.
fn judge(plan: &Plan, number: u64) -> Result<How, String> {
    let launch =
        Launch::of_test(here!(TEST), plan.pes, Boot::Local).env(PLAN, &number.to_string()).limit(LIMIT);
    let start = Instant::now();
    let (child, limit) = launch.env("SHMEM_SYMMETRIC_SIZE", "32M").start();
    let outcome = testing::finish(child, start, limit);
    let fail = |why: &str| Err(format!("plan {number}: {why}\n{plan:#?}\n{outcome}"));
    if outcome.timed_out {
        return fail("hangs");
    }
    let said = |what: &str| outcome.stderr.lines().any(|line| line.contains("PE ") && line.contains(what));
    if outcome.stdout.contains("WRONG") || outcome.stderr.contains("panicked") {
        return fail("a wrong value");
    }
    if let Err(what) = same_addresses(&outcome.stdout) {
        return fail(&what);
    }
    let how = if said("no PE can go on") || said("left without shmem_finalize") {
        How::Circle
    } else if said("diverged") || said("is at ") {
        How::Rendezvous
    } else if said("shmem_") {
        How::Input
    } else {
        return fail("nobody names it");
    };
    match (outcome.status.success(), how) {
        (false, how) => Ok(how),
        // The standard's heap calls return NULL on every PE, and a split its number.
        (true, _) if said("diverged") => Ok(How::Heap),
        (true, _) => fail("the job succeeds"),
    }
}

/// PEs print `address CALLS OFFSET` of every heap call that returned, after so many calls: an offset decided on one PE is
/// the offset on all.
fn same_addresses(stdout: &str) -> Result<(), String> {
    let mut known = std::collections::BTreeMap::new();
    for line in stdout.lines().filter_map(|line| line.split("address ").nth(1)) {
        let Some((call, offset)) = line.split_once(' ') else { continue };
        let first = known.entry(call.to_owned()).or_insert(offset.to_owned());
        if first != offset {
            return Err(format!("call {call} gave {first} on one PE and {offset} on another"));
        }
    }
    Ok(())
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|n| n.parse().unwrap_or_else(|_| panic!("{variable}={n} is no number")))
}
