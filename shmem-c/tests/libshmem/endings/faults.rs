//! Every system call that the library makes fails once: in its start, in the middle, in its end, on one PE or in the
//! supervisor. The job gets over it, or ends with a line; it never hangs, and no result is wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use shmem_api::testing::{Boot, Launch, Outcome};

use crate::common::{self, compile, launch};
use crate::endings::{TURN, fresh_dir, watch};

const PES: u32 = 3;

/// Of one kind of call, by one process, in one phase: as many are made to fail.
const MOST: u64 = 12;

/// What cannot fail, or is no call of a program.
const INFALLIBLE: &[&str] = &[
    // It returns no error: the break is where it was, or it is not.
    "brk",
    "getpid",
    "gettid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getppid",
    "restart_syscall",
    "exit",
    "exit_group",
    "rt_sigreturn",
    "sched_yield",
    "umask",
];

struct Injector(PathBuf);

impl Injector {
    fn build() -> Injector {
        let program = common::scratch().join("inject");
        let mut gcc = Command::new("gcc");
        gcc.args(["-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&program);
        common::run(gcc.arg(common::here().join("tests/c/inject.c")));
        Injector(program)
    }

    fn launch(&self, boot: Boot, args: &[&str], program: &std::path::Path) -> Launch {
        let launch = launch(&self.0, PES, boot).env("SHMEM_HEAP_TRIM", "1m").limit(Duration::from_secs(10));
        // MPI's own calls are MPI's affair.
        let launch = if boot == Boot::Local { launch } else { launch.env("INJECT_FROM", "libshmem") };
        args.iter().fold(launch, |launch, arg| launch.arg(arg)).arg(program)
    }
}

/// The system's numbers of calls, by name, as the C headers have them.
fn names() -> BTreeMap<u64, String> {
    let paths = ["/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"];
    let text = paths.iter().find_map(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let define = |line: &str| {
        let mut words = line.strip_prefix("#define __NR_")?.split_whitespace();
        let name = words.next()?.to_owned();
        Some((words.next()?.parse().ok()?, name))
    };
    text.lines().filter_map(define).collect()
}

/// A likely error of a call.
fn error_of(name: &str) -> (i32, &'static str) {
    match name {
        "mmap" | "mremap" | "munmap" | "mprotect" | "madvise" | "mlock" | "fallocate" => (12, "ENOMEM"),
        "openat" | "socket" | "socketpair" | "pipe2" | "memfd_create" | "dup" | "dup2" | "fcntl"
        | "accept4" | "recvmsg" => (24, "EMFILE"),
        "clone" | "clone3" | "fork" | "vfork" => (11, "EAGAIN"),
        "ftruncate" | "write" | "sendmsg" => (28, "ENOSPC"),
        "set_robust_list" | "rseq" | "getrandom" => (38, "ENOSYS"),
        _ => (1, "EPERM"),
    }
}

fn all_ok(outcome: &Outcome) -> bool {
    outcome.status.success() && (0..PES).all(|pe| outcome.stdout.lines().any(|l| l == format!("ok {pe}")))
}

#[test]
fn every_system_call_fails_once() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let all = std::env::var("SHMEM_TEST_FAULTS").is_ok_and(|v| v == "all");
    let (program, injector, names) = (compile("tests/c/endings.c", &[]), Injector::build(), names());
    let mut wrong = Vec::new();
    for &boot in Boot::all() {
        let dir = fresh_dir();
        let record = dir.join("calls");
        let seen = injector.launch(boot, &["record", record.to_str().expect("UTF-8")], &program).run();
        assert!(all_ok(&seen), "nothing fails while calls are recorded: {seen}");
        let parts = std::iter::once(record.clone())
            .chain((0..PES).map(|pe| PathBuf::from(format!("{}.{pe}", record.display()))));
        let text: String = parts.filter_map(|part| std::fs::read_to_string(part).ok()).collect();
        let calls = text.lines().map(|l| l.split(' ').map(|n| n.parse::<i64>().expect("a number")).collect());
        // The supervisor, PE 0 (the centre, where there is no supervisor) and PE 1. Phase 4 is no longer the library's.
        let calls: Vec<Vec<i64>> = calls
            .filter(|c: &Vec<i64>| c[0] < 2 && c[1] < 4 && (c[0] < 0 || boot == Boot::Local || c[1] > 0))
            .collect();
        let mut faults: Vec<(i64, i64, u64, u64)> = Vec::new();
        for call in &calls {
            let name = names.get(&(call[2] as u64)).map_or("", String::as_str);
            if !INFALLIBLE.contains(&name) {
                faults.extend(
                    (1..=MOST.min(call[3] as u64)).map(|nth| (call[0], call[1], call[2] as u64, nth)),
                );
            }
        }
        let sample = if all { 1 } else { 23 };
        let (mut tried, mut recovered, mut told) = (0, 0, 0);
        for (who, phase, call, nth) in faults.into_iter().step_by(sample) {
            let name = names.get(&call).cloned().unwrap_or_else(|| call.to_string());
            let (errno, error) = error_of(&name);
            let args = [who, phase, call as i64, nth as i64, errno.into()].map(|n| n.to_string());
            let mut line = vec!["fail"];
            line.extend(args.iter().map(String::as_str));
            let seen = watch(injector.launch(boot, &line, &program), &fresh_dir());
            tried += 1;
            let what = if seen.outcome.timed_out {
                "hangs"
            } else if !seen.left.is_empty() {
                "leaves processes"
            } else if all_ok(&seen.outcome) {
                recovered += 1;
                continue;
            } else if seen.outcome.status.success() {
                "has status 0, and not all PEs are through"
            } else if seen.outcome.stderr.trim().is_empty() {
                "ends without a line"
            } else {
                told += 1;
                continue;
            };
            let fault =
                format!("{boot:?}: {error} from {name}, number {nth} of {who} in phase {phase}: {what}");
            eprintln!("{fault}");
            wrong.push(format!("{fault}: {}", seen.outcome));
        }
        let _ = std::fs::remove_dir_all(dir);
        eprintln!(
            "{boot:?}: {tried} faults: {recovered} got over, {told} ended with a line; {} wrong so far",
            wrong.len()
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Calls that a sandbox or an old kernel refuses always, from the supervisor or a PE: it works without, or one line
/// names the call.
#[test]
fn calls_that_are_refused_always_are_named() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (program, injector) = (compile("tests/c/endings.c", &[]), Injector::build());
    let numbers: BTreeMap<String, u64> = names().into_iter().map(|(number, name)| (name, number)).collect();
    // What each is called in a line (or this, or that), where it is not got over.
    let calls = [
        ("pidfd_open", ""),
        ("prctl", "prctl"),
        ("socketpair", "socketpair"),
        ("pipe2", "pipe2"),
        ("memfd_create", "memfd"),
        ("ftruncate", "ftruncate"),
        ("set_robust_list", "set_robust_list"),
        ("sendmsg", "sendmsg"),
        ("recvmsg", "recvmsg"),
        ("poll", "poll"),
        ("madvise", ""),
        // Without `/proc/self/maps` static data cannot be shared; the program uses it.
        ("openat", "open of |/proc/self/maps: "),
        ("readlink", ""),
    ];
    for (name, said) in calls {
        for (who, errno) in [("-1", "1"), ("1", "38")] {
            let Some(number) = numbers.get(name) else { continue };
            let args = ["fail", who, "-1", &number.to_string(), "0", errno];
            let seen = watch(injector.launch(Boot::Local, &args, &program), &fresh_dir());
            let outcome = &seen.outcome;
            let named = !outcome.status.success()
                && !said.is_empty()
                && said.split('|').any(|said| outcome.stderr.contains(said));
            assert!(
                !outcome.timed_out && seen.left.is_empty() && (all_ok(outcome) || named),
                "{name} refused to {who}: {outcome}"
            );
        }
    }
}
