//! Every launcher that this machine has, with one binary; and PEs that do not come.

use std::time::Duration;

use shmem_api::World;
use shmem_api::testing::{self, Boot, Launch, Outcome};

/// Which PE the launcher has made of this process, before the library starts.
fn rank() -> Option<u32> {
    ["PMIX_RANK", "PMI_RANK"].iter().find_map(|name| std::env::var(name).ok()?.parse().ok())
}

fn a_ring() {
    let world = World::init().unwrap_or_else(|e| panic!("init said: {e}"));
    let mut a = world.alloc_one(0usize).unwrap();
    let next = (world.pe() + 1) % world.n_pes();
    world.share(&mut a, |phase, a| a.put_one(next, 0, phase.pe() + 1));
    assert_eq!(*a, (world.pe() + world.n_pes() - 1) % world.n_pes() + 1);
    drop(a);
    world.finalize().unwrap();
}

fn fails_saying(outcome: &Outcome, what: &[&str]) {
    let said = what.iter().any(|what| outcome.stderr.contains(what));
    assert!(!outcome.timed_out && !outcome.status.success() && said, "nobody said {what:?}: {outcome}");
}

#[test]
fn one_binary_under_every_launcher() {
    let test = here!("one_binary_under_every_launcher");
    if testing::is_pe() {
        return a_ring();
    }
    for launcher in Boot::launchers() {
        for n in [1, 2, 4] {
            let outcome = Launch::of_test(test, n, launcher).env("SHMEM_INFO", "1").run();
            outcome.expect_success(&format!("{n} PEs by {launcher:?}"));
            let selected = |line: &str| line.starts_with("boot by ") && line.contains("): selected: ");
            let lines: Vec<&str> = outcome.stderr.lines().filter(|line| selected(line)).collect();
            assert!(
                lines.len() == 1 && lines[0].starts_with(&format!("boot by {} ", launcher.way())),
                "{outcome}"
            );
        }
        for way in [launcher.way(), "mpi"] {
            let outcome = Launch::of_test(test, 2, launcher).env("SHMEM_BOOT", way).run();
            // Its MPI need not be there.
            let none = way == "mpi" && outcome.stderr.contains("can be loaded");
            assert!(none || outcome.status.success() && !outcome.timed_out, "by {way}: {outcome}");
        }
    }
}

#[test]
fn a_way_that_is_not_there_is_refused_with_its_reason() {
    let test = here!("a_way_that_is_not_there_is_refused_with_its_reason");
    if testing::is_pe() {
        return a_ring();
    }
    for launcher in Boot::launchers() {
        let other = if launcher.way() == "pmix" { "pmi" } else { "pmix" };
        let outcome = Launch::of_test(test, 2, launcher).env("SHMEM_BOOT", other).run();
        fails_saying(&outcome, &["PMI_FD is not set", "PMIX_NAMESPACE is not set"]);
        // Nobody takes itself for a job of its own.
        let none = Launch::of_test(test, 2, launcher).env("SHMEM_BOOT", "^pmi,pmix,mpi").run();
        fails_saying(&none, &["this is one of 2 PEs of"]);
        let wrong = Launch::of_test(test, 2, launcher).env("SHMEM_BOOT", "pmi2").run();
        fails_saying(&wrong, &["SHMEM_BOOT=\"pmi2\": is no list of these"]);
    }
}

/// Variables of a launcher that is not there: the next way is taken, with a line where lines are asked for.
#[test]
fn a_broken_launcher_makes_room_for_the_next_way() {
    let test = here!("a_broken_launcher_makes_room_for_the_next_way");
    if testing::is_pe() {
        return a_ring();
    }
    let me = std::env::current_exe().unwrap();
    let launch = || {
        let mut command = std::process::Command::new(&me);
        command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
        let launch =
            Launch::of_command(command).env("SHMEM_TEST_ROLE", test).env("SHMEM_SYMMETRIC_SIZE", "64m");
        launch.env("SHMEM_INFO", "1")
    };
    let pmi = launch().env("PMI_FD", "0").env("PMI_RANK", "0").env("PMI_SIZE", "1").run();
    pmi.expect_success("without PMI");
    assert!(
        pmi.stderr.contains("shmem: not by pmi: cannot join the job: PMI_FD=0: it is no connected socket"),
        "{pmi}"
    );
    let noise = launch().env("PMI_FD", "many").env("PMI_RANK", "0").env("PMI_SIZE", "1").run();
    noise.expect_success("without PMI");
    assert!(noise.stderr.contains("boot by pmi (priority 50): PMI_FD=\"many\" is no number"), "{noise}");
    let pmix = launch().env("PMIX_NAMESPACE", "none").env("PMIX_RANK", "0");
    let pmix = pmix.env("PMIX_SERVER_URI4", "none.0;tcp4://127.0.0.1:1").run();
    pmix.expect_success("without PMIx");
    assert!(pmix.stderr.contains("boot by pmix (priority 60): "), "{pmix}");
    assert!(pmix.stderr.contains("boot by local (priority 0): selected"), "{pmix}");
}

/// A launcher's variables, and nobody who speaks: the MPI that is loaded then takes the process for a job of its own.
#[test]
fn an_mpi_that_is_not_the_launchers_is_no_job() {
    let test = here!("an_mpi_that_is_not_the_launchers_is_no_job");
    if testing::is_pe() {
        return a_ring();
    }
    for (name, n) in [("OMPI_COMM_WORLD_SIZE", "2"), ("PMI_SIZE", "3")] {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
        let launch = Launch::of_command(command).env("SHMEM_TEST_ROLE", test).env(name, n);
        // Its MPI need not be there.
        let said = format!("has started {n} PEs, and MPI says 1: it is another launcher's");
        fails_saying(&launch.run(), &[&said, "can be loaded"]);
    }
}

/// Slurm's variables, as `srun -n N` of a Slurm that speaks no PMI sets them, and as an allocation has them.
#[test]
fn a_step_of_slurm_is_told_from_an_allocation() {
    let test = here!("a_step_of_slurm_is_told_from_an_allocation");
    if testing::is_pe() {
        return a_ring();
    }
    let launch = |more: &str| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
        let launch =
            Launch::of_command(command).env("SHMEM_TEST_ROLE", test).env("SHMEM_SYMMETRIC_SIZE", "64m");
        let all = format!("SHMEM_INFO=1 SLURM_JOB_ID=7 SLURM_NTASKS=2 SLURM_PROCID=0 {more}");
        let pairs = all.split(' ').map(|pair| pair.split_once('=').unwrap());
        pairs.fold(launch, |launch, (name, value)| launch.env(name, value)).run()
    };
    let step = "SLURM_STEP_ID=0 SLURM_STEP_NUM_NODES=1 SLURM_STEP_NUM_TASKS=2 SLURM_GTIDS=0,1";
    let told = "srun has started this as one of 2 tasks and has told it of neither PMIx nor PMI-1. Start it by `srun --mpi=pmix`";
    fails_saying(&launch(step), &[told]);
    fails_saying(&launch(&format!("{step} SHMEM_LOCAL_PES=3")), &[told]);
    for alone in
        ["SLURM_GTIDS=0", "SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=2 SLURM_STEP_NUM_NODES=1 SLURM_GTIDS=0"]
    {
        let outcome = launch(alone);
        outcome.expect_success(alone);
        assert!(
            outcome.stderr.contains("boot by local (priority 0): selected: a job of one PE"),
            "{outcome}"
        );
    }
    let shell = step.replace("TASKS=2", "TASKS=1").replace("0,1", "0");
    let local = launch(&format!("{shell} SLURM_NTASKS=1 SHMEM_LOCAL_PES=3"));
    local.expect_success("three PEs in a step of one task");
    assert!(local.stderr.contains("boot by local (priority 100): selected"), "{local}");
    let theirs = "PMIX_NAMESPACE=slurm.pmix.6.0";
    let outcome = launch(&format!("{theirs} PMIX_RANK=0 PMIX_SERVER_URI4=none.0;tcp4://127.0.0.1:1"));
    outcome.expect_success("in an allocation that a step of another job asked for");
    assert!(
        outcome.stderr.contains(&format!("{theirs} is left over from another job of Slurm")),
        "{outcome}"
    );
}

/// The shell of an allocation may be a step itself, which PMIx is offered: what a launcher starts there is the launcher's.
#[test]
fn a_launcher_in_a_step_of_one_task() {
    let test = here!("a_launcher_in_a_step_of_one_task");
    if testing::is_pe() {
        return a_ring();
    }
    if !Boot::all().contains(&Boot::Slurm) {
        return;
    }
    let me = std::env::current_exe().unwrap();
    for inner in
        [Boot::OpenMpi, Boot::Mpich, Boot::Slurm].into_iter().filter(|boot| boot.launcher().is_some())
    {
        let mut shell = Boot::Slurm.command(1, std::path::Path::new("env"), test);
        shell.arg("SLURM_OVERLAP=1").arg(inner.launcher().unwrap()).args(inner.options()).args(["-n", "3"]);
        shell.arg(&me).args([test, "--exact", "--nocapture", "--test-threads=1"]);
        let launch =
            Launch::of_command(shell).env("SHMEM_TEST_ROLE", test).env("SHMEM_SYMMETRIC_SIZE", "64m");
        let outcome = launch.env("SLURM_OVERLAP", "1").env("SHMEM_INFO", "1").run();
        outcome.expect_success(&format!("{inner:?} in a step"));
        let jobs = outcome
            .stderr
            .lines()
            .filter(|line| line.contains("): selected: ") && line.starts_with("boot by "));
        assert_eq!(jobs.count(), 1, "{inner:?}: each PE took itself for a job: {outcome}");
    }
}

/// It may end however it likes; what names it is this library, or a launcher that noticed earlier.
#[test]
fn a_pe_that_exits_before_init_is_named() {
    let test = here!("a_pe_that_exits_before_init_is_named");
    if testing::is_pe() {
        let absent: u32 = std::env::var("SHMEM_TEST_ABSENT").unwrap().parse().unwrap();
        if rank() == Some(absent) {
            std::process::exit(0);
        }
        return a_ring();
    }
    for launcher in Boot::launchers() {
        for absent in [0, 2, 3] {
            let launch = Launch::of_test(test, 4, launcher).limit(Duration::from_secs(30));
            let outcome = launch.env("SHMEM_TEST_ABSENT", &absent.to_string()).run();
            let ours = format!("shmem: PE {absent} ended without joining PE ");
            let theirs = format!("process rank {absent} with PID");
            fails_saying(&outcome, &[&ours, &theirs]);
        }
    }
}

/// A PE that takes its time is waited for.
#[test]
fn a_pe_that_comes_late_is_waited_for() {
    let test = here!("a_pe_that_comes_late_is_waited_for");
    if testing::is_pe() {
        if rank() == Some(1) {
            std::thread::sleep(Duration::from_secs(4));
        }
        return a_ring();
    }
    for launcher in Boot::launchers() {
        let outcome = Launch::of_test(test, 3, launcher).run();
        outcome.expect_success(&format!("{launcher:?}"));
        assert!(!outcome.stderr.contains("shmem:"), "{outcome}");
    }
}
