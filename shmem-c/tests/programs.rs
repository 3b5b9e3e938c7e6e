//! C and C++ programs of our own, on several PEs, under every launcher. They check themselves; a PE that finds
//! something wrong says what and ends the job with a status that is not 0.

mod common;

use common::{compile, launch, on};
use shmem_api::testing::Boot;

const PES: &[u32] = &[1, 2, 3, 4, 8];

/// Every PE's line is there once.
#[test]
fn hello() {
    on(&compile("examples/hello.c", &[]), PES, |n, outcome| {
        let mut lines: Vec<&str> = outcome.stdout.lines().collect();
        lines.sort_unstable();
        let expected: Vec<String> = (0..n).map(|pe| format!("Hello from PE {pe} of {n}")).collect();
        assert_eq!(lines, expected);
    });
}

#[test]
fn ring() {
    on(&compile("examples/ring.c", &[]), PES, |n, outcome| {
        let sum = n * (n - 1) / 2;
        assert_eq!(outcome.stdout, format!("the token comes back with {sum} from {n} PEs\n"));
    });
}

#[test]
fn heat() {
    on(&compile("examples/heat.c", &["-lm"]), PES, |_, outcome| {
        assert!(outcome.stdout.ends_with("as computed alone\n"), "{outcome}");
    });
}

#[test]
fn integer_sort() {
    on(&compile("examples/isort.c", &[]), PES, |n, outcome| {
        assert_eq!(outcome.stdout, format!("{} keys on {n} PEs: sorted, none lost\n", 100_000 * n));
    });
}

/// Static data of executables however they are linked: position-independent or not, with the shared library or
/// the static one, optimised or not.
#[test]
fn statics() {
    let ways: [&[&str]; 5] =
        [&[], &["-no-pie", "-fno-pie"], &["-O0"], &["-static-libshmem"], &["-static-libshmem", "-no-pie"]];
    for flags in ways {
        on(&compile("tests/c/statics.c", flags), &[1, 2, 4], |_, _| {});
    }
    on(&compile("tests/c/statics.c", &["-flto"]), &[3, 8], |_, _| {});
    // An MPI is hardly ever there as a static library.
    if common::mpicc().is_none() {
        on(&compile("tests/c/statics.c", &["-static"]), &[1, 4], |_, _| {});
    }
}

/// Children of fork have variables of their own, those of a C library that is linked in included.
#[test]
fn children_of_fork() {
    for flags in [&["-pthread"][..], &["-pthread", "-static-libshmem", "-no-pie"]] {
        on(&compile("tests/c/fork.c", flags), &[1, 3], |_, _| {});
    }
    if common::mpicc().is_none() {
        on(&compile("tests/c/fork.c", &["-pthread", "-static"]), &[1, 3], |_, _| {});
    }
}

#[test]
fn generics_of_c11() {
    for standard in ["-std=c11", "-std=gnu17"] {
        on(&compile("tests/c/generics.c", &[standard, "-pedantic"]), &[1, 2, 3, 4, 8], |_, _| {});
    }
}

#[test]
fn volatile_variables_can_be_waited_for() {
    on(&compile("tests/c/volatile.c", &["-Wno-discarded-qualifiers"]), &[2], |_, _| {});
}

#[test]
fn tests_in_a_loop_on_more_pes_than_cores() {
    on(&compile("tests/c/polling.c", &[]), PES, |_, _| {});
}

#[test]
fn overloads_of_cpp() {
    for standard in ["-std=c++14", "-std=c++17"] {
        on(&compile("tests/c/overloads.cpp", &[standard, "-pedantic", "-Wold-style-cast"]), PES, |_, _| {});
    }
}

#[test]
fn openmp_threads() {
    on(&compile("tests/c/openmp.c", &["-fopenmp"]), &[1, 2, 4], |_, _| {});
    on(&compile("tests/c/openmp.c", &["-fopenmp", "-no-pie"]), &[2], |_, _| {});
}

/// The extensions, over both allocators. What is refused on purpose says so: that is not looked at here.
#[test]
fn extras_of_shmemx() {
    let program = compile("tests/c/extras.c", &["-std=c99", "-pedantic"]);
    on(&program, PES, |_, _| {});
    for &boot in Boot::ALL {
        launch(&program, 2, boot).env("SHMEM_MEMHEAP", "buddy").run().expect_success("buddy");
    }
}

/// Under the address sanitizer, which has a large part of the address space, and under the one for undefined
/// behaviour: clean.
#[test]
fn sanitized_programs() {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    for source in
        ["tests/c/statics.c", "tests/c/extras.c", "examples/ring.c", "examples/heat.c", "examples/isort.c"]
    {
        let program = compile(source, &[&flags[..], &["-lm"]].concat());
        for &boot in Boot::ALL {
            // The MPI leaks a little of its own at exit.
            let launch = launch(&program, 2, boot).env("ASAN_OPTIONS", "detect_leaks=0");
            launch.run().expect_success(&format!("{source}, sanitized, by {boot:?}"));
        }
    }
}

/// They are on whatever their value is, and their old names are, too.
#[test]
fn variables_of_the_standard() {
    let hello = compile("examples/hello.c", &[]);
    let said = |name: &str| {
        let outcome = launch(&hello, 2, Boot::Local).env(name, "0").run();
        outcome.expect_success(name);
        outcome.stderr
    };
    assert_eq!(said("SHMEM_OTHER"), "");
    for prefix in ["SHMEM", "SMA"] {
        let version = said(&format!("{prefix}_VERSION"));
        assert!(version.starts_with("PE 0: ") && version.trim_end().ends_with("OpenSHMEM 1.6"), "{version}");
        assert_eq!(version.lines().count(), 1, "{version}");
        let debug = said(&format!("{prefix}_DEBUG"));
        assert!(debug.contains("PE 0: process ") && debug.contains("PE 1: process "), "{debug}");
        let info = said(&format!("{prefix}_INFO"));
        assert!(info.contains("SHMEM_SYMMETRIC_SIZE") && info.contains("SHMEM_DEBUG"), "{info}");
    }
}
