//! Static data becomes shared memory: each case in a process of its own, which begins with one thread.
//!
//! ```text
//!   this program ──► itself, SHMEM_STATICS_CASE=name         position-independent, as Rust builds it
//!        │      ├──► the same with a fixed address space     the heap begins right behind .bss
//!        ├────────► itself built at a fixed address          relocation-model=static
//!        └────────► itself with the C library in it          crt-static, without MPI: Debian's Open MPI is a shared
//!                                                             library only
//! ```
#![allow(unsafe_code)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "statics_program/cases.rs"]
mod cases;

const CASE: &str = "SHMEM_STATICS_CASE";

fn main() {
    match std::env::var(CASE) {
        Ok(name) => cases::run(&name),
        Err(_) => drive(),
    }
}

fn drive() {
    let me = std::env::current_exe().expect("this program has a path");
    let own = me.to_str().expect("its path is text").to_owned();
    let fixed = built_again("-Crelocation-model=static");
    let filter = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    let mut failed = 0;
    let mut builds =
        vec![("pie", own.clone(), false), ("pie, fixed addresses", own, true), ("no pie", fixed, false)];
    if !cfg!(feature = "mpi") {
        builds.push(("crt-static", built_again("-Ctarget-feature=+crt-static"), false));
    }
    let mut identities = Vec::new();
    for (label, program, fixed_addresses) in builds {
        for case in cases::NAMES.iter().filter(|case| case.contains(&filter)) {
            let start = Instant::now();
            let (ok, output) = one(&program, case, fixed_addresses);
            failed += u32::from(!ok);
            let result = if ok { "ok" } else { "FAILED" };
            report(&format!("test {case} [{label}] ... {result} ({:.0?}){output}", start.elapsed()));
            if *case == "identity" {
                identities.push(output);
            }
        }
    }
    if let [pie, same, other, ..] = &identities[..] {
        assert_eq!(pie, same, "two processes of one executable");
        assert_ne!(pie, other, "two executables");
    }
    report(&format!("{failed} failed"));
    std::process::exit(i32::from(failed > 0));
}

#[allow(clippy::print_stdout)]
fn report(line: &str) {
    println!("{line}");
}

/// Runs one case; its output, indented.
fn one(program: &str, case: &str, fixed_addresses: bool) -> (bool, String) {
    let mut command = Command::new(program);
    command.env(CASE, case).env_remove("RUST_BACKTRACE").stdout(Stdio::piped()).stderr(Stdio::piped());
    if fixed_addresses {
        cases::with_fixed_addresses(&mut command);
    }
    let mut child = command.spawn().expect("the program can be started again");
    let end = Instant::now() + Duration::from_secs(60);
    while child.try_wait().expect("a child can be waited for").is_none() {
        if Instant::now() > end {
            child.kill().expect("a child can be killed");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let out = child.wait_with_output().expect("a child has output");
    let text = [out.stdout, out.stderr].map(|s| String::from_utf8_lossy(&s).into_owned()).concat();
    (out.status.success(), text.lines().map(|line| format!("\n    {line}")).collect())
}

/// Builds this program once more: to run at the address it is linked for, or with the C library in it. Only the program
/// itself is compiled; the crates it uses are there.
fn built_again(how: &str) -> String {
    let mpi = cfg!(feature = "mpi");
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(env!("CARGO_MANIFEST_DIR"));
    build.args(["rustc", "--offline", "--quiet", "--test", "statics", "--no-default-features"]);
    build.args(["--features", if mpi { "testing,mpi" } else { "testing" }]);
    build.args((!cfg!(debug_assertions)).then_some("--release"));
    build.args(["--message-format=json", "--", how]);
    let out = build.stderr(Stdio::inherit()).output().expect("cargo can be started");
    assert!(out.status.success(), "the program does not build with {how}");
    let text = String::from_utf8_lossy(&out.stdout);
    let path = text.split("\"executable\":\"").nth(1).and_then(|rest| rest.split('"').next());
    path.expect("cargo says where the program is").to_owned()
}
