//! One program, built once, under every launcher that this machine has, and alone.

use std::path::Path;

use crate::common::compile;
use shmem_api::testing::{Boot, Launch, Outcome};

/// Started as users start it: by the launcher itself, without oshrun.
fn start(program: &Path, n: u32, boot: Boot) -> Launch {
    Launch::of_program(program, n, boot).env("SHMEM_SYMMETRIC_SIZE", "64m").env("SHMEM_INFO", "1")
}

/// The one line that says which way was taken.
fn selected(outcome: &Outcome) -> String {
    let lines: Vec<&str> = outcome.stderr.lines().filter(|line| line.contains("): selected: ")).collect();
    let ways: Vec<&&str> = lines.iter().filter(|line| line.starts_with("boot by ")).collect();
    assert_eq!(ways.len(), 1, "{outcome}");
    ways[0].split(' ').nth(2).expect("boot by WAY").to_owned()
}

#[test]
fn one_ring_under_every_launcher_and_alone() {
    for flags in [&[][..], &["-static-libshmem"]] {
        let ring = compile("examples/ring.c", flags);
        for &boot in Boot::all() {
            for n in [1, 2, 4] {
                let outcome = start(&ring, n, boot).run();
                outcome.expect_success(&format!("ring on {n} PEs by {boot:?}"));
                assert_eq!(selected(&outcome), boot.way(), "{outcome}");
            }
        }
        let mut alone = std::process::Command::new(&ring);
        alone.env("SHMEM_INFO", "1").env("SHMEM_SYMMETRIC_SIZE", "64m");
        let outcome = Launch::of_command(alone).run();
        outcome.expect_success("ring alone");
        assert_eq!(selected(&outcome), "local");
    }
}

/// Where a program has asked for it, or nothing else is offered: the launcher's MPI is loaded, and only then.
#[test]
fn an_mpi_is_loaded_where_it_is_asked_for() {
    let ring = compile("examples/ring.c", &[]);
    for boot in Boot::launchers() {
        let outcome = start(&ring, 3, boot).env("SHMEM_BOOT", "mpi").run();
        if outcome.stderr.contains("can be loaded") {
            eprintln!("the MPI of {boot:?} is not here: not tested with it");
            continue;
        }
        outcome.expect_success(&format!("ring by the MPI of {boot:?}"));
        assert_eq!(selected(&outcome), "mpi");
    }
}
