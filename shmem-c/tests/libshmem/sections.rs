//! The programs of `sections/`: one for each section of the standard, every routine of it and every type, plain and
//! by its old names, on the heap and on static data, each against what it must give. Each says that it passed.

use std::path::PathBuf;

use crate::common::{self, compile, launch, on, scratch};
use shmem_api::testing::{Boot, Outcome};

const C11: &str = "-std=c11";

fn program(name: &str, flags: &[&str]) -> PathBuf {
    compile(&format!("tests/sections/{name}.c"), flags)
}

fn passed(name: &str) -> impl Fn(u32, &Outcome) {
    let says = format!("{name}: passed\n");
    move |n, outcome| assert_eq!(outcome.stdout, says, "on {n} PEs: {outcome}")
}

macro_rules! sections {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let name = stringify!($name);
            on(&program(name, &[C11]), &[1, 2, 3, 4, 8], passed(name));
        }
    )*};
}
sections! { rma amo signal wait memory setup teams collectives active_sets deprecated lock threads contexts }

/// As it was when its interface was new.
#[test]
fn deprecated_names_in_c99() {
    on(&program("deprecated", &["-std=c99"]), &[1, 4], passed("deprecated"));
}

/// Everything that allocates, with the other component.
#[test]
fn memory_by_the_buddy() {
    for name in ["memory", "setup", "teams"] {
        let program = program(name, &[C11]);
        for n in [1, 2, 3, 4, 8] {
            let outcome = launch(&program, n, Boot::Local).env("SHMEM_MEMHEAP", "buddy").run();
            outcome.expect_success(&format!("{name} on {n} PEs"));
            passed(name)(n, &outcome);
        }
    }
}

/// Statics at addresses fixed by the linker, and through the static library.
#[test]
fn executables_of_other_kinds() {
    for flags in [&[C11, "-no-pie", "-fno-pie"][..], &[C11, "-static-libshmem"]] {
        for name in ["rma", "amo", "setup", "active_sets", "lock"] {
            on(&program(name, flags), &[3], passed(name));
        }
    }
}

/// The flags of a program that AddressSanitizer watches, if this compiler has it.
fn sanitizer() -> Option<&'static [&'static str]> {
    const FLAGS: &[&str] = &[C11, "-O1", "-fsanitize=address", "-fno-omit-frame-pointer"];
    let trial = scratch().join("asan.c");
    std::fs::write(&trial, "int main(void) { return 0; }\n").expect("a trial program");
    let mut cc = common::tool("oshcc");
    let there = cc.args(FLAGS).arg(&trial).arg("-o").arg(trial.with_extension("out")).output();
    let there = there.expect("oshcc").status.success();
    if !there {
        eprintln!("this compiler has no AddressSanitizer: not tested with it");
    }
    there.then_some(FLAGS)
}

/// Programs that AddressSanitizer watches run clean, and it says nothing of the library's leaks: the library has none. Of
/// those of Open MPI's PMIx it would, so there it is not asked.
#[test]
fn under_address_sanitizer() {
    let Some(flags) = sanitizer() else { return };
    for name in ["setup", "rma", "amo", "memory", "collectives", "deprecated", "threads", "contexts"] {
        let program = program(name, flags);
        let ours = |n| {
            Boot::of(n).filter(|boot| [Boot::Local, Boot::Hosts].contains(boot)).map(move |boot| (n, boot))
        };
        let launchers = Boot::launchers().map(|boot| (2, boot));
        for (n, boot) in ours(1).chain(ours(4)).chain(launchers) {
            let leaks = if boot.way() == "pmix" { "detect_leaks=0" } else { "detect_leaks=1" };
            let outcome = launch(&program, n, boot).env("ASAN_OPTIONS", leaks).run();
            outcome.expect_success(&format!("{name} on {n} PEs by {boot:?}, with AddressSanitizer"));
            passed(name)(n, &outcome);
            assert!(!outcome.stderr.contains("Sanitizer"), "{outcome}");
        }
    }
}

/// It goes on watching statics that have become symmetric.
#[test]
fn address_sanitizer_sees_what_is_beside_a_static() {
    let Some(flags) = sanitizer() else { return };
    let program = compile("tests/c/beside_a_static.c", flags);
    let outcome = launch(&program, 2, Boot::Local).run();
    assert!(!outcome.status.success() && !outcome.timed_out, "{outcome}");
    assert!(outcome.stderr.contains("AddressSanitizer: global-buffer-overflow"), "{outcome}");
    assert!(
        outcome.stderr.contains("is located 0 bytes to the right of global variable 'symmetric'"),
        "{outcome}"
    );
}
