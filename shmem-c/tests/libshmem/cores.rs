//! Core dumps of C programs, where the system writes them into the directory of the process (the Rust API's tests look
//! more closely).

use std::time::Duration;

use crate::common::{compile, launch, scratch};
use shmem_api::testing::{Boot, patience};

/// However it is linked, and whatever the launcher's MPI does with signals.
#[test]
fn a_core_of_a_c_program_holds_what_was_touched() {
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if pattern.contains(['/', '|']) {
        eprintln!("no core is written here ({}): only how programs end is looked at", pattern.trim());
    }
    for flags in [&[][..], &["-static-libshmem", "-no-pie"]] {
        let program = compile("tests/c/core.c", flags);
        for (&boot, how) in Boot::all().iter().flat_map(|boot| [(boot, "abort"), (boot, "null")]) {
            let dir = scratch().join(format!("core-{how}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&dir);
            std::fs::create_dir_all(&dir).unwrap();
            let launch = launch(&program, 2, boot).env("SHMEM_SYMMETRIC_SIZE", "2g");
            let outcome = launch.arg(&dir).arg(how).run();
            let shown = format!("{flags:?} {how}: {outcome}");
            assert!(!outcome.status.success() && outcome.status.code() != Some(9), "{shown}");
            assert!(!outcome.timed_out && outcome.wall < patience(Duration::from_secs(5)), "{shown}");
            let cores: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|f| f.unwrap().path()).collect();
            assert!(cores.len() == 1 || pattern.contains(['/', '|']), "{cores:?}: {shown}");
            for core in &cores {
                let bytes = std::fs::read(core).unwrap();
                assert!(bytes.len() < 200_000_000, "{} MB of core: {shown}", bytes.len() / 1_000_000);
                let mut marks = (0..10).map(|i| format!("..mark {i} in the large block")).collect::<Vec<_>>();
                marks.push("mark 100 in the small block".to_owned());
                for mark in marks {
                    assert!(bytes.windows(mark.len()).any(|w| w == mark.as_bytes()), "no {mark:?}: {shown}");
                }
            }
            std::fs::remove_dir_all(&dir).unwrap();
        }
    }
}
