//! Who starts the PEs of a test: this library's supervisor, or a launcher of others, as far as this machine has them.
//!
//! One build of the tests runs under all of them, since the library looks for its launcher when it starts.
//!
//! | variable | |
//! |---|---|
//! | `SHMEM_TEST_BOOTS` | which of `local`, `openmpi`, `mpich`, `slurm`, `hosts` to use, with commas between (else all that are here but `slurm`, which others may be waiting for) |
//! | `SLURM_MPI_TYPE` | Slurm's plugin that the PEs join by: `pmi2`, or `pmix` (the default) |
//! | `SHMEM_TRANSPORT` | likewise; `mpi` not the PEs of the local boot, which have none |
//! | `SHMEM_BOOT` | reaches the PEs of a launcher as it does a user's: so the same tests run with PEs that join in another way |

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::random::mix;

/// Set in the processes of a launch: the test they run.
pub(super) const ROLE: &str = "SHMEM_TEST_ROLE";

/// Whether this process is a PE of a launch.
pub fn is_pe() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// How a launch starts its PEs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Boot {
    /// By the supervisor of this library.
    Local,
    /// By Open MPI's `mpirun`, whose PMIx the PEs join by.
    OpenMpi,
    /// By MPICH's `mpiexec`, whose PMI-1 the PEs join by.
    Mpich,
    /// By Slurm's `srun`, whose PMIx or PMI-1 the PEs join by.
    Slurm,
    /// By the supervisor of this library, and the PEs take themselves for several hosts, which reach each other over UCX.
    Hosts,
}

/// Every one.
const EVERY: [Boot; 5] = [Boot::Local, Boot::OpenMpi, Boot::Mpich, Boot::Slurm, Boot::Hosts];

/// How many PEs are on which host.
const SHAPE: &str = "SHMEM_FAKE_HOSTS";

/// Which to use, by their names.
const CHOICE: &str = "SHMEM_TEST_BOOTS";

/// Chooses Slurm's plugin, as `--mpi` does.
const SLURM_MPI: &str = "SLURM_MPI_TYPE";

/// What `srun` needs for more PEs than cores. That a job ends when a PE fails is not left to it.
const SRUN: [&str; 4] = ["--quiet", "--overcommit", "--nodes=1", "--kill-on-bad-exit=0"];

/// How long `srun` may take to answer, the wait for a place included.
const ANSWER: Duration = Duration::from_secs(5);

/// What an Open MPI launcher needs on a machine for tests: it may be root's, and have fewer cores than PEs.
const OPEN_MPI: [&str; 4] = ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none"];

impl Boot {
    /// Those that start PEs on one host: those that this machine has, or those of them that `SHMEM_TEST_BOOTS` names. The
    /// first is the cheapest.
    pub fn all() -> &'static [Boot] {
        match Boot::everywhere() {
            [one_host @ .., Boot::Hosts] => one_host,
            all => all,
        }
    }

    /// The same, and [`Hosts`](Boot::Hosts): for a test that holds wherever the PEs are.
    pub fn everywhere() -> &'static [Boot] {
        static HERE: OnceLock<Vec<Boot>> = OnceLock::new();
        HERE.get_or_init(|| {
            let choice = std::env::var(CHOICE).ok();
            let wanted = |boot: &Boot| {
                choice.as_deref().map_or(*boot != Boot::Slurm, |list| {
                    list.split(',').any(|name| name.trim() == boot.name())
                })
            };
            if let Some(unknown) = choice
                .iter()
                .flat_map(|list| list.split(','))
                .find(|name| !EVERY.iter().any(|boot| boot.name() == name.trim()))
            {
                let names = EVERY.map(Boot::name).join(", ");
                panic!("{CHOICE}: there is no {unknown}: {names}");
            }
            let (here, missing): (Vec<_>, Vec<_>) =
                EVERY.into_iter().filter(wanted).partition(|boot| boot.is_here());
            assert!(!missing.contains(&Boot::Slurm), "{CHOICE} names slurm, and srun does not answer");
            if !missing.is_empty() && !is_pe() {
                eprintln!("not on this machine, so not tested under: {missing:?}");
            }
            here
        })
    }

    fn is_here(self) -> bool {
        match self {
            Boot::Local => true,
            // Where PEs already are on hosts of another kind, they are on one each.
            Boot::Hosts => std::env::var_os(SHAPE).is_none() && (is_pe() || ucx_is_here()),
            Boot::OpenMpi | Boot::Mpich | Boot::Slurm => self.launcher().is_some(),
        }
    }

    /// Those [`everywhere`](Boot::everywhere) that start so many PEs: one is on one host.
    pub fn of(n: u32) -> impl Iterator<Item = Boot> {
        Boot::everywhere().iter().copied().filter(move |boot| *boot != Boot::Hosts || n > 1)
    }

    /// For what holds however PEs have joined and wherever they are, `what` being its name: each of these numbers of PEs by our
    /// own supervisor, and one of them under one launcher of others, both drawn by the name; under each of these, if it is of `init`,
    /// `exit` or `launchers`, or `SHMEM_TEST_BOOTS` names them. On several hosts there are up to four PEs, since each of more takes its time on
    /// the network's; more of them in one test of four, or where the test knows no fewer.
    pub fn of_each(what: &str, pes: &[u32]) -> impl Iterator<Item = (u32, Boot)> {
        let ours = |boot: Boot| matches!(boot, Boot::Local | Boot::Hosts);
        let alone = !Boot::everywhere().iter().any(|boot| ours(*boot));
        let few = pes.iter().any(|n| (2..=4).contains(n));
        let of_launchers = ["init::", "exit::", "launchers::"].iter().any(|module| what.starts_with(module));
        let others: Vec<Boot> = Boot::launchers().collect();
        let drawn = match of_launchers || std::env::var_os(CHOICE).is_some() || others.is_empty() {
            true => None,
            false => Some(others[number(what, 7) as usize % others.len()]),
        };
        pes.iter().enumerate().flat_map(move |(i, &n)| {
            let taken = move |boot: Boot| match boot {
                Boot::Local => true,
                Boot::Hosts => n <= 4 || !few || number(what, 0).is_multiple_of(4),
                _ => {
                    drawn.is_none_or(|drawn| drawn == boot)
                        && (alone || number(what, boot as u64) as usize % pes.len() == i)
                }
            };
            Boot::of(n).filter(move |boot| taken(*boot)).map(move |boot| (n, boot))
        })
    }

    /// [`all`](Boot::all) but the local boot: the launchers of others.
    pub fn launchers() -> impl Iterator<Item = Boot> {
        Boot::all().iter().copied().filter(|boot| *boot != Boot::Local)
    }

    /// Its name in `SHMEM_TEST_BOOTS`.
    fn name(self) -> &'static str {
        match self {
            Boot::Local => "local",
            Boot::OpenMpi => "openmpi",
            Boot::Mpich => "mpich",
            Boot::Slurm => "slurm",
            Boot::Hosts => "hosts",
        }
    }

    /// The way by which PEs join under it (`SHMEM_BOOT`).
    pub fn way(self) -> &'static str {
        match self {
            Boot::Local | Boot::Hosts => "local",
            Boot::OpenMpi => "pmix",
            Boot::Mpich => "pmi",
            Boot::Slurm => match std::env::var(SLURM_MPI) {
                Ok(plugin) if !plugin.starts_with("pmix") => "pmi",
                _ => "pmix",
            },
        }
    }

    /// The launcher's file: `mpirun` alone may be anybody's. Looked for once.
    pub fn launcher(self) -> Option<&'static str> {
        static FOUND: [OnceLock<Option<&'static str>>; 2] = [OnceLock::new(), OnceLock::new()];
        let (found, names): (_, &[&str]) = match self {
            Boot::Local | Boot::Hosts => return None,
            Boot::OpenMpi => (&FOUND[0], &["mpirun.openmpi", "mpirun", "mpiexec"]),
            Boot::Mpich => (&FOUND[1], &["mpiexec.mpich", "mpiexec.hydra", "mpiexec"]),
            Boot::Slurm => {
                static ANSWERS: OnceLock<bool> = OnceLock::new();
                // In a PE it has.
                let answers = || is_pe() || srun_answers();
                return ANSWERS.get_or_init(answers).then_some("srun");
            }
        };
        let is_its = |name: &&&str| {
            let Ok(output) = Command::new(name).arg("--version").output() else { return false };
            let says = String::from_utf8_lossy(&output.stdout).into_owned();
            let open = ["Open MPI", "OpenRTE", "PRRTE"].iter().any(|open| says.contains(open));
            open == (self == Boot::OpenMpi)
        };
        *found.get_or_init(|| names.iter().find(is_its).copied())
    }

    /// What its launcher needs on a machine for tests.
    pub fn options(self) -> &'static [&'static str] {
        match self {
            Boot::OpenMpi => &OPEN_MPI,
            Boot::Slurm => &SRUN,
            Boot::Local | Boot::Mpich | Boot::Hosts => &[],
        }
    }

    /// Whether the launcher has ended so by a slip of its own, whatever it was to start. MPICH's: with `/bin/true`, and four at a
    /// time, of 1,000 of them 12 end by SIGPIPE; and of 720 bare MPI programs that call `MPI_Abort(.., 7)`, six at a time, one ends
    /// with 1 and this line. Open MPI's: of two that start at once, each may make the directory that both use, and the slower one
    /// gives up.
    pub fn slips(self, status: ExitStatus, (stdout, stderr): (&str, &str)) -> bool {
        match self {
            Boot::Mpich if status.code() == Some(1) => stdout.contains("EXIT STRING: Hangup (signal 1)"),
            Boot::Mpich => status.signal() == Some(rustix::process::Signal::PIPE.as_raw()),
            Boot::OpenMpi => !status.success() && stderr.contains("orte_session_dir failed"),
            Boot::Local | Boot::Slurm | Boot::Hosts => false,
        }
    }

    /// The command that starts `program` on `n` PEs; what runs by it decides how many are on which host.
    pub fn command(self, n: u32, program: &Path, what: &str) -> Command {
        if self == Boot::Local || self == Boot::Hosts {
            let mut command = Command::new(program);
            command.env("SHMEM_LOCAL_PES", n.to_string()).env_remove("SHMEM_BOOT");
            if self == Boot::Hosts {
                command.env(SHAPE, shape(what, n));
            }
            if std::env::var_os("SHMEM_TRANSPORT").is_some_and(|engine| engine == "mpi") {
                // No launcher, no MPI.
                command.env_remove("SHMEM_TRANSPORT");
            }
            return command;
        }
        let mut command =
            Command::new(self.launcher().unwrap_or_else(|| panic!("there is no {self:?} here")));
        if self == Boot::Slurm && std::env::var_os(SLURM_MPI).is_none() {
            command.env(SLURM_MPI, "pmix");
        }
        command.args(self.options()).arg("-n").arg(n.to_string()).arg(program);
        command
    }
}

/// The hosts of `n` PEs that run `what`, several of them: one shape of those there are, another for other tests.
fn shape(what: &str, n: u32) -> String {
    let shapes = [
        "2".to_owned(),
        format!("1+{}", n - 1),
        "cyclic:2".to_owned(),
        "3".to_owned(),
        format!("{}+1", n - 1),
        format!("cyclic:{}", n.div_ceil(2)),
    ];
    shapes[number(what, u64::from(n)) as usize % shapes.len()].clone()
}

/// A number drawn by a test's name and one more.
fn number(what: &str, more: u64) -> u64 {
    what.bytes().fold(more, |sum, byte| mix(sum, u64::from(byte)))
}

/// Whether the loader knows UCX, what carries messages between hosts.
fn ucx_is_here() -> bool {
    let known = Command::new("ldconfig").arg("-p").env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin").output();
    known.is_ok_and(|known| String::from_utf8_lossy(&known.stdout).contains("libucp.so.0"))
}

/// Whether there is a Slurm, and a place in it.
fn srun_answers() -> bool {
    let mut srun = Command::new("srun");
    srun.args(SRUN).args(["--immediate=4", "-n", "1", "true"]).process_group(0);
    let started = srun.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = started else { return false };
    let start = Instant::now();
    while start.elapsed() < ANSWER {
        if let Ok(Some(status)) = child.try_wait() {
            return status.success();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    end(&mut child);
    false
}

/// Asks the launcher to end its PEs, then makes sure.
pub(super) fn end(child: &mut Child) -> ExitStatus {
    use rustix::process::{Pid, Signal, kill_process_group};
    let group = Pid::from_child(child);
    for signal in [Signal::TERM, Signal::KILL] {
        let _ = kill_process_group(group, signal);
        for _ in 0..200 {
            if let Ok(Some(status)) = child.try_wait() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    child.wait().unwrap_or_else(|_| ExitStatus::from_raw(9))
}
