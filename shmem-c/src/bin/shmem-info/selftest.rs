//! `--check`: does a program run here? Two PEs are started by the installed launcher; each puts to, adds to
//! and hears from the other, through the same engine that C programs use.

use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use shmem_api::World;

use crate::host;
use crate::report::print;

/// The argument that makes a process one of the two.
pub(crate) const PE: &str = "--pe-of-check";

/// How long the two PEs may take.
const LIMIT: Duration = Duration::from_secs(30);

/// The prefix this program is installed under, if it is.
pub(crate) fn prefix() -> Option<PathBuf> {
    let me = std::env::current_exe().ok()?;
    let prefix = me.parent()?.parent()?;
    prefix.join("bin/oshrun").is_file().then(|| prefix.to_owned())
}

/// Looks at the host, then starts the PEs. Fails if they fail.
pub(crate) fn check() -> ExitCode {
    for fact in host::all() {
        let remark = fact.remark.map(|remark| format!("  ({remark})")).unwrap_or_default();
        print(&format!("{}: {}{remark}\n", fact.name, fact.value));
    }
    match two_pes() {
        Ok(()) => print("self-test: two PEs put, add and meet: passed\n"),
        Err(why) => {
            print(&format!("self-test: FAILED: {why}\n"));
            ExitCode::FAILURE
        }
    }
}

fn two_pes() -> Result<(), String> {
    let me = std::env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
    let oshrun = prefix().map_or("oshrun".into(), |prefix| prefix.join("bin/oshrun"));
    let mut command = Command::new(&oshrun);
    command.args(["-n", "2"]).arg(me).arg(PE).stdin(Stdio::null()).env("SHMEM_SYMMETRIC_SIZE", "16M");
    let mut child = command.spawn().map_err(|e| format!("cannot start {}: {e}", oshrun.display()))?;
    match wait(&mut child) {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("the PEs ended with {status}")),
        None => Err(format!("the PEs did not end within {} s", LIMIT.as_secs())),
    }
}

fn wait(child: &mut Child) -> Option<std::process::ExitStatus> {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// One of the two.
pub(crate) fn be_a_pe() -> ExitCode {
    match pe() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("self-test: {why}");
            ExitCode::FAILURE
        }
    }
}

fn pe() -> Result<(), String> {
    let world = World::init().map_err(|e| e.to_string())?;
    if world.n_pes() != 2 {
        return Err(format!("2 PEs were asked for, and this is one of {}", world.n_pes()));
    }
    let other = 1 - world.pe();
    let mut cells = world.alloc::<u64>(2).map_err(|e| e.to_string())?;
    world.share(&mut cells, |phase, cells| {
        cells.put_one(other, 0, 10 + world.pe() as u64);
        for _ in 0..100 {
            cells.fetch_add(0, 1, 1);
        }
        phase.barrier();
    });
    let (heard, counted) = (cells[0], cells[1]);
    drop(cells);
    let expected = (10 + other as u64, if world.pe() == 0 { 200 } else { 0 });
    world.finalize().map_err(|e| e.to_string())?;
    match (heard, counted) == expected {
        true => Ok(()),
        false => Err(format!("PE {}: got {heard} and counted {counted}, not {expected:?}", 1 - other)),
    }
}
