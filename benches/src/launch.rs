//! One launch of a command: how long it took to the exit, what it printed, and a watchdog.
//!
//! ```text
//!   spawn ──────────────► waitid, which leaves the process to be waited for ──► wait
//!     └─ the watchdog ──► after the limit: TERM, then KILL, to its group ◄──────┘ ends it
//! ```
//!
//! What it prints goes to files, so that nobody waits for the end of a pipe that a process left behind holds open.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::beside::Failure;

/// From the request to end to the end.
const GRACE: Duration = Duration::from_secs(3);

/// What came of a launch.
#[derive(Clone, Debug)]
pub struct Launched {
    /// From the launch to the exit of the process launched.
    pub took: Duration,
    /// Its standard output, and that of its children.
    pub stdout: String,
}

/// Launches `command` and waits until it has ended, or ends it after `limit`.
///
/// # Errors
/// It cannot be started, fails, or takes longer; with what it wrote to standard error.
pub fn run(mut command: Command, limit: Duration) -> Result<Launched, Failure> {
    let (out, err) = (Output::new("out")?, Output::new("err")?);
    command.stdin(Stdio::null()).stdout(out.file()?).stderr(err.file()?).process_group(0);
    let start = Instant::now();
    let mut child = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
    let pid = Pid::from_child(&child);
    let (ended, watched) = mpsc::channel();
    let watchdog = std::thread::spawn(move || watch(pid, limit, &watched));
    // Not reaped: until the watchdog has ended, the number stays this process's.
    let waited = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
    let took = start.elapsed();
    drop(ended);
    let late = watchdog.join().unwrap_or(true);
    let status = child.wait()?;
    waited?;
    if late || !status.success() {
        let why = if late { format!("ended by the watchdog after {limit:?}") } else { status.to_string() };
        return Err(format!("{command:?}: {why}\n{}", err.text()?).into());
    }
    Ok(Launched { took, stdout: out.text()? })
}

/// Ends the group of `pid` if nothing is heard in time; says whether it had to.
fn watch(pid: Pid, limit: Duration, ended: &Receiver<()>) -> bool {
    let runs = |time| ended.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout);
    let late = runs(limit);
    for signal in [Signal::TERM, Signal::KILL] {
        if !runs(Duration::ZERO) {
            break;
        }
        // It has not been reaped, so there is such a group.
        let _ = kill_process_group(pid, signal);
        let _ = runs(GRACE);
    }
    late
}

/// A file that goes when this is dropped.
struct Output(PathBuf);

impl Output {
    fn new(name: &str) -> Result<Output, Failure> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let file = format!("launch-{}-{}-{name}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(file);
        File::create(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Output(path))
    }

    /// Open to be written at its end, by any number of processes.
    fn file(&self) -> Result<File, Failure> {
        Ok(File::options().append(true).open(&self.0)?)
    }

    fn text(&self) -> Result<String, Failure> {
        let mut bytes = Vec::new();
        File::open(&self.0)?.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // A file that stays behind in the directory for such files does no harm.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Result<Launched, Failure> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, limit)
    }

    #[test]
    fn time_output_and_failure() {
        let limit = Duration::from_secs(60);
        let slept = shell("sleep 0.05; echo 1; echo 2", limit).unwrap();
        assert!(slept.took >= Duration::from_millis(50) && slept.took < limit, "{slept:?}");
        assert_eq!(slept.stdout, "1\n2\n");
        let failed = shell("echo why >&2; exit 3", limit).unwrap_err().to_string();
        assert!(failed.contains("status: 3") && failed.contains("why"), "{failed}");
    }

    #[test]
    fn the_watchdog_ends_what_does_not_listen_either() {
        let start = Instant::now();
        let late =
            shell("trap '' TERM; echo here >&2; while :; do sleep 1; done", Duration::from_millis(300));
        let late = late.unwrap_err().to_string();
        assert!(late.contains("watchdog") && late.contains("here"), "{late}");
        assert!(start.elapsed() >= GRACE, "it was asked first");
    }
}
