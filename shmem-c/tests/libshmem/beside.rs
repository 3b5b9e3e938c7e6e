//! Beside others in one process: MPI, and a profiler.

use std::process::Command;

use crate::common::{compile, compile_beside, here, launch, mpicc, run, scratch, tool};
use shmem_api::testing::Boot;

/// MPI and SHMEM, initialised and finalized in every order: one libshmem, each MPI under its launcher.
#[test]
fn mpi_in_every_order() {
    for boot in Boot::launchers() {
        let Some(mpicc) = mpicc(boot) else {
            eprintln!("no compiler of the MPI of {boot:?}: not tested beside it");
            continue;
        };
        let shared = compile_beside(mpicc, "tests/c/mpi_beside.c", &[]);
        let merged = compile_beside(mpicc, "tests/c/mpi_beside.c", &["-static-libshmem"]);
        for order in ["mm", "ms", "sm", "ss", "qs"] {
            for (program, n) in [(&shared, 1), (&shared, 3), (&merged, 2)] {
                // Slurm answers one init of PMI-1 per process, which is the MPI's.
                let twice = boot != Boot::Slurm || boot.way() != "pmi";
                for way in [None, Some(boot.way()).filter(|_| twice)] {
                    let what = format!("order {order} on {n} PEs by {boot:?} {way:?}, {}", program.display());
                    let launch = launch(program, n, boot).arg(order);
                    let launch = way.into_iter().fold(launch, |launch, way| launch.env("SHMEM_BOOT", way));
                    let outcome = launch.run();
                    outcome.expect_success(&what);
                    assert_eq!(outcome.stdout, "done\n", "{what}");
                }
            }
        }
    }
}

/// An MPI that comes into the process when SHMEM is up already, as where an interpreter loads both.
#[test]
fn an_mpi_that_is_loaded_later() {
    let program = compile("tests/c/mpi_late.c", &["-ldl"]);
    for (boot, library) in [(Boot::OpenMpi, "libmpi.so.40"), (Boot::Mpich, "libmpich.so.12")] {
        if mpicc(boot).is_none() || !Boot::launchers().any(|here| here == boot) {
            continue;
        }
        for order in ["m", "s"] {
            for n in [1, 2, 4] {
                let outcome = launch(&program, n, boot).arg(library).arg(order).run();
                outcome.expect_success(&format!("{library} on {n} PEs, {order} ends first"));
                assert_eq!(outcome.stdout, "done\n", "{outcome}");
            }
        }
    }
}

/// The lines of a profiled run of two PEs.
fn expect_counts(outcome: &shmem_api::testing::Outcome, what: &str) {
    outcome.expect_success(what);
    let mut lines: Vec<&str> = outcome.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["PE 0: 7 puts, 3 barriers", "PE 1: 7 puts, 3 barriers"], "{what}");
}

/// The profiler's functions come first in the link, with the shared library and with the static one.
#[test]
fn a_profiler_by_link_order() {
    let profiler = here().join("tests/c/profiler.c").display().to_string();
    for standard in ["-std=c99", "-std=c11"] {
        for more in [&[][..], &["-static-libshmem"]] {
            let flags = [&[standard, profiler.as_str()], more].concat();
            let program = compile("tests/c/profiled.c", &flags);
            for &boot in Boot::all() {
                expect_counts(&launch(&program, 2, boot).run(), &format!("{flags:?} by {boot:?}"));
            }
        }
    }
}

/// The program knows nothing of the profiler.
#[test]
fn a_profiler_by_preload() {
    let library = scratch().join("libprofiler.so");
    let mut cc: Command = tool("oshcc");
    run(cc.args(["-shared", "-fPIC"]).arg(here().join("tests/c/profiler.c")).arg("-o").arg(&library));
    let program = compile("tests/c/profiled.c", &[]);
    for &boot in Boot::all() {
        let launch = launch(&program, 2, boot).env("LD_PRELOAD", &library.display().to_string());
        expect_counts(&launch.run(), &format!("LD_PRELOAD by {boot:?}"));
    }
}
