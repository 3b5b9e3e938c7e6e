//! A harness with which an ordinary `#[test]` runs its body on several PEs.
//!
//! ```text
//!   cargo test ──► #[test] fn t()           in the parent: launches this same test binary on N PEs,
//!                     │                     under each boot that is here (`boots`), and watches the
//!                     │                     clock
//!                     └─ re-executed with `--exact t`: each process is a PE and runs the body
//! ```
//!
//! A launch under `mpirun` costs a tenth of a second, so let one launch run many checks. A launch that
//! takes longer than the watchdog allows is ended, and its output says which PE waits where.
//!
//! ```ignore
//! shmem_api::multi_pe! {
//!     /// Everybody greets the next.
//!     fn ring_of_puts(world) on [1, 2, 4] { world.barrier(); }
//! }
//! ```
//!
//! Tests that draw at random do so with [`Random`] and [`mix`].

mod boots;
mod random;
mod turns;

pub use boots::{Boot, is_pe};
use boots::{ROLE, end};
pub use random::{Random, mix};

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::api::world::World;
use crate::boot::local;
use crate::types::thread_level::Level;

/// Runs every test on that many PEs instead of its own numbers (`make soak`).
const SOAK: &str = "SHMEM_TEST_PES";

/// Defines a test whose body runs on several PEs, under every boot there is. The body gets a
/// `&World`; a panic on any PE fails the test.
#[macro_export]
macro_rules! multi_pe {
    ($($(#[$meta:meta])* fn $name:ident($world:ident) on [$($n:expr),+ $(,)?] $body:block)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            let test = $crate::testing::name_of(module_path!(), stringify!($name));
            $crate::testing::run_on(&test, &[$($n),+], |$world: &$crate::World| $body);
        }
    )*};
}

/// How a launch ended.
#[derive(Debug)]
pub struct Outcome {
    /// Of the launcher.
    pub status: ExitStatus,
    /// Standard output of all PEs.
    pub stdout: String,
    /// Standard error of all PEs and the launcher.
    pub stderr: String,
    /// From start to end.
    pub wall: Duration,
    /// Whether the watchdog ended it.
    pub timed_out: bool,
}

impl Outcome {
    /// Panics with all output unless the launch succeeded.
    pub fn expect_success(&self, what: &str) {
        assert!(self.status.success() && !self.timed_out, "{what} failed\n{self}");
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let watchdog = if self.timed_out { "ended by the watchdog" } else { "ended by itself" };
        let Outcome { status, stdout, stderr, wall, .. } = self;
        write!(f, "{watchdog} after {wall:.1?}: {status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// The name libtest knows a test by: its path without the crate.
pub fn name_of(module: &str, function: &str) -> String {
    match module.split_once("::") {
        Some((_, path)) => format!("{path}::{function}"),
        None => function.to_owned(),
    }
}

/// Runs `body` on each number of PEs, under the boots of [`Boot::of_each`]; in a PE, runs it once, at the thread level it takes.
pub fn run_on<L: Level>(test: &str, pes: &[u32], body: impl FnOnce(&World<L>)) {
    if is_pe() {
        let world = World::init_level().expect("the library comes up");
        body(&world);
        world.finalize().expect("every PE finalizes");
    } else {
        launch_on(test, pes);
    }
}

/// Launches `test` on each number of PEs.
fn launch_on(test: &str, pes: &[u32]) {
    let soak = std::env::var(SOAK).ok().map(|n| n.parse().expect("a number of PEs"));
    for (n, boot) in Boot::of_each(test, soak.as_ref().map_or(pes, std::slice::from_ref)) {
        Launch::of_test(test, n, boot).run().expect_success(&format!("{test} on {n} PEs by {boot:?}"));
    }
}

/// How often a launcher that ends by a slip of its own is called again: what ends so each time is no slip.
const SLIPS: u32 = 3;

/// A program about to be launched on several PEs.
pub struct Launch {
    command: Command,
    limit: Duration,
    boot: Boot,
}

impl Launch {
    /// This test binary, on `n` PEs, running only `test`.
    pub fn of_test(test: &str, n: u32, boot: Boot) -> Launch {
        let me = std::env::current_exe().expect("a test knows its own file");
        Launch::of_command(boot.command(n, &me, test)).by(boot).running(test)
    }

    fn running(self, test: &str) -> Launch {
        let mut launch = self;
        launch.command.args([test, "--exact", "--nocapture", "--test-threads=1", "--include-ignored"]);
        launch.command.env(ROLE, test);
        if std::env::var_os("SHMEM_SYMMETRIC_SIZE").is_none() {
            launch.command.env("SHMEM_SYMMETRIC_SIZE", "1G");
        }
        launch
    }

    /// Any program, on `n` PEs.
    pub fn of_program(program: &std::path::Path, n: u32, boot: Boot) -> Launch {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        Launch::of_command(boot.command(n, program, &name)).by(boot)
    }

    /// Any command that starts PEs.
    pub fn of_command(mut command: Command) -> Launch {
        let limit = std::env::var("SHMEM_TEST_TIMEOUT").ok().and_then(|s| s.parse().ok()).unwrap_or(60);
        command.env("RUST_BACKTRACE", "0").env("SHMEM_HANG_REPORT", (limit / 3).max(1).to_string());
        Launch { command, limit: Duration::from_secs(limit), boot: Boot::Local }
    }

    /// Of a command: whose launcher it calls.
    pub fn by(mut self, boot: Boot) -> Launch {
        self.boot = boot;
        self
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Launch {
        self.command.arg(arg);
        self
    }

    /// Sets a variable in the PEs' environment.
    pub fn env(mut self, name: &str, value: &str) -> Launch {
        self.command.env(name, value);
        self
    }

    /// Ends the launch after `limit`, or later on a machine that is busy ([`patience`]).
    pub fn limit(self, limit: Duration) -> Launch {
        self.limit_exactly(patience(limit))
    }

    /// Ends the launch after `limit`, however busy the machine is.
    pub fn limit_exactly(mut self, limit: Duration) -> Launch {
        self.limit = limit;
        self
    }

    /// Starts it and hands it over running, with its output connected, in a process group of its own.
    pub fn start(mut self) -> (Child, Duration) {
        (self.spawn(), self.limit)
    }

    fn spawn(&mut self) -> Child {
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        self.command.spawn().unwrap_or_else(|e| panic!("cannot start {:?}: {e}", self.command))
    }

    /// Starts it when it is its turn, and waits until it ends or the watchdog ends it.
    pub fn run(self) -> Outcome {
        let _turn = turns::take();
        self.run_at_once()
    }

    /// The same without a turn.
    pub fn run_at_once(mut self) -> Outcome {
        let mut slips = 0;
        loop {
            let start = Instant::now();
            let outcome = finish(self.spawn(), start, self.limit);
            if slips == SLIPS || !self.boot.slips(outcome.status, (&outcome.stdout, &outcome.stderr)) {
                return outcome;
            }
            slips += 1;
            eprintln!("the launcher has ended by itself, and is called again: {:?}", self.command);
        }
    }
}

/// In a PE of a local launch whose number is at least `from`: goes on as `program`, with the same arguments. So a
/// test has PEs that run different executables.
pub fn become_program(program: &std::path::Path, from: u32) {
    let already = std::env::current_exe().is_ok_and(|me| me == program);
    if already || local::pe().is_none_or(|pe| pe < from) {
        return;
    }
    let mut command = Command::new(program);
    let error = command.args(std::env::args_os().skip(1)).envs(local::hand_over()).exec();
    panic!("cannot become {}: {error}", program.display());
}

/// How long a test waits before it calls a job late: as long as the promise says where `SHMEM_TEST_STRICT` is set (long
/// runs on a machine of their own, docs/RELIABILITY.md), else at least a minute, since what else runs on a machine must
/// not decide whether a test passes.
pub fn patience(promised: Duration) -> Duration {
    const BUSY: Duration = Duration::from_secs(60);
    if std::env::var_os("SHMEM_TEST_STRICT").is_some() { promised } else { promised.max(BUSY) }
}

/// Waits for a started launch.
pub fn finish(mut child: Child, start: Instant, limit: Duration) -> Outcome {
    let reader = |stream: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut s) = stream {
                let _ = s.read_to_end(&mut bytes);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let out = reader(child.stdout.take().map(|s| Box::new(s) as Box<dyn Read + Send>));
    let err = reader(child.stderr.take().map(|s| Box::new(s) as Box<dyn Read + Send>));
    let mut timed_out = false;
    let status = loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => break status,
            None if start.elapsed() > limit => {
                timed_out = true;
                break end(&mut child);
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let wall = start.elapsed();
    let text = |t: std::thread::JoinHandle<String>| t.join().unwrap_or_default();
    Outcome { status, stdout: text(out), stderr: text(err), wall, timed_out }
}
