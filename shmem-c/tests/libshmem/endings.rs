//! PEs that end, and system calls that fail, wherever a job is: it never hangs, never ends with a wrong status, and
//! leaves no process behind. `make test-kills` and `make test-faults` run many; `make test` a sample.
//!
//! | variable | |
//! |---|---|
//! | `SHMEM_TEST_KILLS` | how many ends are tried under each launcher (else a few) |
//! | `SHMEM_TEST_SEED` | the seed they are drawn from (else the time; it is printed) |
//! | `SHMEM_TEST_STRICT` | late is what takes longer than promised (else a minute: machines may be busy) |
//! | `SHMEM_TEST_FAULTS` | `all`: every call that was recorded fails once (else every so-many-th) |

mod faults;
mod kills;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::common::scratch;
use shmem_api::testing::{Launch, Outcome, finish, patience};

/// How long processes of a job may go on after the end of one of them.
const LEFT: Duration = Duration::from_secs(3);

/// One at a time: what is measured is how long an end takes.
static TURN: Mutex<()> = Mutex::new(());

/// A launch of `endings`, watched from outside.
struct Watched {
    outcome: Outcome,
    /// From the act of the victim to the end of the last process; `None` if nobody acted.
    took: Option<Duration>,
    /// Processes that still ran [`LEFT`] and a little after the launcher had ended.
    left: Vec<u32>,
}

/// A directory for what the processes of one launch tell.
fn fresh_dir() -> PathBuf {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let dir = scratch().join(format!("endings-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory for this launch");
    dir
}

fn watch(launch: Launch, dir: &Path) -> Watched {
    let start = Instant::now();
    let (child, limit) = launch.env("ENDINGS", dir.to_str().expect("a name in UTF-8")).start();
    let end = std::thread::spawn(move || finish(child, start, limit));
    let acted_file = dir.join("acted");
    let mut acted = None;
    while !end.is_finished() || acted.is_none() && acted_file.exists() {
        if acted.is_none() && acted_file.exists() {
            acted = Some(Instant::now());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let outcome = end.join().expect("the launch was waited for");
    let ended = Instant::now();
    let mut left = running(dir);
    while !left.is_empty() && ended.elapsed() < patience(LEFT) {
        std::thread::sleep(Duration::from_millis(5));
        left = running(dir);
    }
    let took = acted.map(|at| at.elapsed());
    let _ = std::fs::remove_dir_all(dir);
    Watched { outcome, took, left }
}

/// Of the processes that told their number, those that run.
fn running(dir: &Path) -> Vec<u32> {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let pids = files.filter_map(|f| f.file_name().to_str()?.strip_prefix("pid.")?.parse().ok());
    pids.filter(|pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
    })
    .collect()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
