//! C and C++ programs of our own, on several PEs, under every launcher. They check themselves; a PE that finds
//! something wrong says what and ends the job with a status that is not 0.

use crate::common::{self, compile, launch, on};
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
    all_static("tests/c/statics.c", &[], &[1, 4]);
}

/// What is all static loads no PMIx, so where that is the way to join it ends with a line (`tools`).
fn all_static(source: &str, flags: &[&str], pes: &[u32]) {
    let program = compile(source, &[flags, &["-static"]].concat());
    for &boot in Boot::all().iter().filter(|boot| boot.way() != "pmix") {
        for &n in pes {
            launch(&program, n, boot)
                .run()
                .expect_success(&format!("{source}, all static, {n} PEs by {boot:?}"));
        }
    }
}

/// Children of fork have variables of their own, those of a C library that is linked in included.
#[test]
fn children_of_fork() {
    for flags in [&["-pthread"][..], &["-pthread", "-static-libshmem", "-no-pie"]] {
        on(&compile("tests/c/fork.c", flags), &[1, 3], |_, _| {});
    }
    all_static("tests/c/fork.c", &["-pthread"], &[1, 3]);
}

/// Nobody is taken for one that waits in vain while a thread or a handler of the program's may bring what it waits for.
#[test]
fn late_stores() {
    let program = compile("tests/c/late_stores.c", &["-std=gnu11", "-pthread"]);
    for &boot in Boot::all() {
        let run = |how: &str| launch(&program, 2, boot).arg(how).run();
        std::thread::scope(|s| {
            // PMIx's own thread blocks no signals.
            let blocked = (boot.way() != "pmix").then_some("blocked");
            for how in ["thread", "early", "alarm", "usr1"].into_iter().chain(blocked) {
                s.spawn(move || {
                    let outcome = run(how);
                    outcome.expect_success(how);
                    assert_eq!(outcome.stdout.matches("through").count(), 2, "{how}: {outcome}");
                });
            }
        });
        let outcome = run("nobody");
        assert!(!outcome.timed_out && !outcome.status.success(), "{outcome}");
        assert!(outcome.stderr.contains("no PE can go on"), "{outcome}");
    }
}

/// A program that closes what it finds, opens its own files under the library's numbers, or may not be looked into.
#[test]
fn a_program_may_do_with_descriptors_what_it_likes() {
    let program = compile("tests/c/descriptors.c", &[]);
    for &boot in Boot::all() {
        let run = |what: &str| launch(&program, 3, boot).env("SHMEM_HEAP_TRIM", "1m").arg(what).run();
        // What the launcher takes amiss. The descriptors of PMIx and PMI are gone with all others, and the launcher ends the
        // job; PMIx refuses a process of another user, and its own are inherited.
        let refused: &[&str] = match boot.way() {
            "local" => &[],
            "pmix" => &["close_on_exec", "all_closed", "undumpable"],
            _ => &["all_closed"],
        };
        for what in ["closed_streams", "close_on_exec", "all_closed", "undumpable"] {
            let outcome = run(what);
            if refused.contains(&what) {
                let silent = outcome.stderr.is_empty() && outcome.stdout.is_empty();
                assert!(!outcome.timed_out && !silent, "{what} by {boot:?}: {outcome}");
            } else {
                outcome.expect_success(&format!("{what} by {boot:?}"));
            }
        }
        if boot == Boot::Local {
            let outcome = run("closed_between");
            assert!(!outcome.timed_out && !outcome.status.success(), "{outcome}");
            assert!(outcome.stderr.contains("the link to the supervisor"), "{outcome}");
        }
    }
}

/// The local boot where little of the system is there: under the dynamic linker and valgrind, by another user and
/// without the right to read the program, without `/proc` or with a part of it.
#[test]
fn the_local_boot_takes_little() {
    let program = compile("tests/c/descriptors.c", &[]);
    let unreadable = program.with_extension("unreadable");
    let _ = std::fs::remove_file(&unreadable);
    std::fs::copy(&program, &unreadable).unwrap();
    std::fs::set_permissions(&unreadable, std::os::unix::fs::PermissionsExt::from_mode(0o111)).unwrap();
    let (program, unreadable) = (program.to_str().unwrap(), unreadable.to_str().unwrap());
    let libraries = common::prefix().join("lib");
    let linker = ["/lib64/ld-linux-x86-64.so.2", "--library-path", libraries.to_str().unwrap(), program];
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", unreadable];
    let pids = format!("mount -t proc -o subset=pid proc /proc && exec {program}");
    let none = format!("umount -l /proc && exec {program} heap");
    let ways: [&[&str]; 5] = [
        &linker,
        &["valgrind", "-q", program],
        &nobody,
        &["unshare", "-pfm", "sh", "-c", &pids],
        &["unshare", "-m", "sh", "-c", &none],
    ];
    for way in ways {
        // Whether this machine can start anything that way.
        let at = way.len() - 1;
        let trial = match way[at].split_once("exec ") {
            Some((before, _)) => format!("{before}exec true"),
            None => "/bin/true".to_owned(),
        };
        let works = std::process::Command::new(way[0]).args(&way[1..at]).arg(trial).output();
        if !works.is_ok_and(|o| o.status.success()) {
            eprintln!("cannot be tried here: {way:?}");
            continue;
        }
        let mut command = std::process::Command::new(way[0]);
        command.args(&way[1..]).env("SHMEM_LOCAL_PES", "3").env("SHMEM_SYMMETRIC_SIZE", "256M");
        shmem_api::testing::Launch::of_command(command).run().expect_success(&format!("{way:?}"));
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
    for &boot in Boot::all() {
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
        for &boot in Boot::all() {
            // Leaks are looked for in `sections`.
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
