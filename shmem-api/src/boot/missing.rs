//! PEs that end before they join: the others wait for them inside the launcher's own calls, which do not notice.
//!
//! While this PE is in such a call, a thread looks among the processes of this host for those of the job:
//!
//! ```text
//!   /proc/PID/environ: PMIX_NAMESPACE=ours PMIX_RANK=3     PE 3 lives, be it a script that starts it
//!                      SLURM_JOB_ID, _STEP_ID: ours; SLURM_PROCID=3      the same
//!                      PMI_RANK=3, below our launcher      the same
//!   a child of our launcher that shows nothing of it       nothing can be told: nobody is missing
//! ```
//!
//! Invariant: **MISSING-M1** a PE is taken for gone only if two looks in a row, between which no PE's process appeared,
//! found every PE of this host that was looked for but this one. What cannot be read counts as alive.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::boot::launched::{Step, is_slurms};
use crate::process::private::AtomicBool;
use crate::process::say::{let_launcher_read, say};
use crate::process::signals::NoSignals;
use crate::process::status::leave_now;

/// Before the first look: most jobs have started by then.
const FIRST: Duration = Duration::from_secs(1);
/// Between looks.
const NEXT: Duration = Duration::from_millis(500);
/// How many looks a PE waits for a lower one to speak, for each of these, and at most.
const TURN: usize = 4;
const MOST: usize = 8;

/// The status of a job one of whose PEs did not come.
const NEVER_CAME: i32 = 1;

/// A job as its processes show it.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) mark: Mark,
    pub(super) me: u32,
    /// The PEs that are on this host.
    pub(super) here: BTreeSet<u32>,
}

/// How a process of the job is known.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    /// By variables that name the job, and one that names the PE.
    Named { job: Vec<(&'static str, String)>, rank: &'static str },
    /// By the number of PEs, and by the process that started it.
    Pmi { n_pes: u32, launcher: i32 },
}

/// What a look sees of a process.
struct Process {
    pid: i32,
    parent: i32,
    /// `None` if it cannot be read; empty of what has ended.
    environ: Option<Vec<u8>>,
}

/// A PE of the job.
enum Shown {
    Pe(u32),
    No,
    Unknown,
}

impl Job {
    /// What the environment says beside PMIx's, for what joins the job another way. `None` if that is not enough.
    pub(super) fn of_pmix_environment() -> Option<Job> {
        let number = |name| std::env::var(name).ok()?.parse::<u32>().ok();
        let (namespace, me) = (std::env::var("PMIX_NAMESPACE").ok()?, number("PMIX_RANK")?);
        if is_slurms(&namespace) {
            return Step::mine().map(|step| Job::of_pmix(namespace, me, step.here));
        }
        let n_pes = number("OMPI_COMM_WORLD_SIZE")?;
        let all_here = number("OMPI_COMM_WORLD_LOCAL_SIZE") == Some(n_pes);
        all_here.then(|| Job::of_pmix(namespace, me, (0..n_pes).collect()))
    }

    /// A job of PMIx.
    pub(super) fn of_pmix(namespace: String, me: u32, here: BTreeSet<u32>) -> Job {
        let mark = Mark::Named { job: vec![("PMIX_NAMESPACE", namespace)], rank: "PMIX_RANK" };
        Job { mark, me, here }
    }

    /// A step of Slurm.
    pub(super) fn of_step(step: Step) -> Job {
        let job = vec![("SLURM_JOB_ID", step.job), ("SLURM_STEP_ID", step.step)];
        Job { mark: Mark::Named { job, rank: "SLURM_PROCID" }, me: step.task, here: step.here }
    }

    /// The PE a process shows that it is, or that it starts.
    fn shown(&self, environ: &[u8]) -> Shown {
        let value = |name: &str| {
            let mut all = environ.split(|b| *b == 0);
            all.find_map(|v| std::str::from_utf8(v).ok()?.strip_prefix(name)?.strip_prefix('='))
        };
        let (job, rank) = match &self.mark {
            Mark::Named { job, rank } => {
                let is_ours = |(name, ours): &(&str, String)| value(name).map(|theirs| theirs == ours);
                let all: Option<Vec<bool>> = job.iter().map(is_ours).collect();
                (all.map(|all| all.iter().all(|ours| *ours)), value(rank))
            }
            Mark::Pmi { n_pes, .. } => {
                (value("PMI_SIZE").map(|n| n.parse() == Ok(*n_pes)), value("PMI_RANK"))
            }
        };
        match (job, rank.map(str::parse)) {
            (Some(true), Some(Ok(rank))) => Shown::Pe(rank),
            (Some(false), _) => Shown::No,
            _ => Shown::Unknown,
        }
    }

    /// The PEs of this host that have a process; `None` if that cannot be told.
    fn alive(&self, processes: &[Process], own: i32) -> Option<BTreeSet<u32>> {
        let by_pid = |pid: i32| processes.iter().find(|p| p.pid == pid);
        let shows = |p: &Process| p.environ.as_deref().map_or(Shown::Unknown, |environ| self.shown(environ));
        let launcher = match self.mark {
            Mark::Pmi { launcher, .. } => launcher,
            // The process above those that show this PE.
            Mark::Named { .. } => {
                let mut at = by_pid(own)?;
                loop {
                    match by_pid(at.parent) {
                        Some(up) if matches!(shows(up), Shown::Pe(pe) if pe == self.me) => at = up,
                        _ => break at.parent,
                    }
                }
            }
        };
        let mut alive = BTreeSet::from([self.me]);
        for process in processes {
            let mut parents = std::iter::successors(by_pid(process.parent), |p| by_pid(p.parent)).take(1000);
            // What has lost its parent may have been anybody's.
            let ours = process.parent <= 1 || parents.any(|p| p.pid == launcher);
            match shows(process) {
                Shown::Pe(pe) if ours || matches!(self.mark, Mark::Named { .. }) => _ = alive.insert(pe),
                Shown::Unknown if process.parent == launcher => return None,
                Shown::Unknown if process.environ.is_none() && ours && process.parent > 1 => return None,
                _ => {}
            }
        }
        Some(alive)
    }
}

/// Two looks in a row.
#[derive(Default)]
struct Looks {
    before: Option<BTreeSet<u32>>,
    same: usize,
}

impl Looks {
    /// After one more look: the lowest PE that is gone, if it is this PE's turn to say so.
    fn after(&mut self, job: &Job, alive: Option<BTreeSet<u32>>) -> Option<u32> {
        let seen = alive.as_ref();
        let gone = seen.and_then(|alive| job.here.difference(alive).next().copied());
        // MISSING-M1: those of before that are alive now are all there are.
        let steady = seen.zip(self.before.as_ref()).is_some_and(|(now, before)| now.is_subset(before));
        self.same = if gone.is_some() && steady { self.same + 1 } else { 0 };
        let lower = seen.map_or(0, |alive| alive.iter().filter(|&&pe| pe < job.me).count());
        self.before = alive;
        gone.filter(|_| self.same > (TURN * lower).min(MOST))
    }
}

/// Looks as long as it lives.
pub(super) struct Watch {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// From now on, if there is a job to look at: a PE that is gone is named, `end` is to end the job with a status, and
    /// this process ends.
    pub(super) fn start(job: Option<Job>, end: impl FnOnce(i32) + Send + 'static) -> Watch {
        let Some(job) = job.filter(|job| job.here.len() > 1) else {
            return Watch { done: None, thread: None };
        };
        let (done, stop) = channel();
        let look = move || {
            let (mut looks, mut wait) = (Looks::default(), FIRST);
            loop {
                match stop.recv_timeout(wait) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => return,
                }
                wait = NEXT;
                let alive = job.alive(&processes(), std::process::id() as i32);
                if let Some(gone) = looks.after(&job, alive) {
                    // The call may have come back meanwhile.
                    if stop.try_recv().is_ok() {
                        return;
                    }
                    say(&format!(
                        "shmem: PE {gone} ended without joining PE {} at its start; ending the job",
                        job.me
                    ));
                    SPOKEN.store(true, Relaxed);
                    let_launcher_read(Duration::from_millis(300));
                    end(NEVER_CAME);
                    leave_now(NEVER_CAME);
                }
            }
        };
        let _held = NoSignals::new();
        let thread = std::thread::Builder::new().name("shmem-missing".into()).spawn(look).ok();
        Watch { done: Some(done), thread }
    }
}

/// The job is being ended since a PE is gone.
static SPOKEN: AtomicBool = AtomicBool::new(false);

impl Drop for Watch {
    fn drop(&mut self) {
        if SPOKEN.load(Relaxed) {
            // What this PE would say of the call that has failed is of no use.
            std::thread::sleep(Duration::from_secs(10));
        }
        if let Some(done) = self.done.take() {
            let _ = done.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The processes of this host that run.
fn processes() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        let stat = String::from_utf8_lossy(&stat);
        let mut fields = stat.rsplit(") ").next()?.split(' ');
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        if ["Z", "X"].contains(&state) {
            return None;
        }
        Some(Process { pid, parent, environ: std::fs::read(format!("/proc/{pid}/environ")).ok() })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Process 10 is the launcher, 20 and on are PEs, this is PE 0, process 20.
    fn process(pid: i32, parent: i32, environ: Option<&str>) -> Process {
        let environ = environ.map(|text| text.replace(' ', "\0").into_bytes());
        Process { pid, parent, environ }
    }

    fn pmi(n_pes: u32) -> Job {
        Job { mark: Mark::Pmi { n_pes, launcher: 10 }, me: 0, here: (0..n_pes).collect() }
    }

    fn pmix(n_pes: u32) -> Job {
        Job::of_pmix("ours".into(), 0, (0..n_pes).collect())
    }

    fn slurm(n_pes: u32) -> Job {
        let (job, step) = ("7".into(), "1".into());
        Job::of_step(Step { job, step, n_tasks: n_pes, task: 0, here: (0..n_pes).collect() })
    }

    fn alive(job: &Job, more: Vec<Process>) -> Option<Vec<u32>> {
        let own = match job.mark {
            Mark::Pmi { .. } => "A=1 PMI_SIZE=3 PMI_RANK=0",
            Mark::Named { rank: "PMIX_RANK", .. } => "PMIX_NAMESPACE=ours A=1 PMIX_RANK=0",
            Mark::Named { .. } => "SLURM_JOB_ID=7 SLURM_STEP_ID=1 SLURM_PROCID=0",
        };
        let mut all = vec![process(1, 0, Some("")), process(10, 5, Some("A=1")), process(5, 1, Some("A=1"))];
        all.push(process(20, 10, Some(own)));
        all.extend(more);
        job.alive(&all, 20).map(|alive| alive.into_iter().collect())
    }

    #[test]
    fn a_script_that_starts_a_pe_counts_for_it() {
        let script = || process(21, 10, Some("PMI_SIZE=3 PMI_RANK=1"));
        assert_eq!(alive(&pmi(3), vec![script()]), Some(vec![0, 1]));
        let child = process(22, 21, Some("PMI_SIZE=3 PMI_RANK=2"));
        assert_eq!(alive(&pmi(3), vec![script(), child]), Some(vec![0, 1, 2]));
        let of_it = process(21, 10, Some("PMIX_NAMESPACE=ours PMIX_RANK=2"));
        assert_eq!(alive(&pmix(3), vec![of_it]), Some(vec![0, 2]));
        let of_it = process(21, 10, Some("SLURM_JOB_ID=7 SLURM_STEP_ID=1 SLURM_PROCID=2"));
        assert_eq!(alive(&slurm(3), vec![of_it]), Some(vec![0, 2]));
    }

    #[test]
    fn other_jobs_do_not_count() {
        let other = process(40, 30, Some("PMI_SIZE=3 PMI_RANK=1"));
        assert_eq!(alive(&pmi(3), vec![process(30, 5, Some("A=1")), other]), Some(vec![0]));
        let other = process(40, 30, Some("PMIX_NAMESPACE=theirs PMIX_RANK=1"));
        assert_eq!(alive(&pmix(3), vec![other]), Some(vec![0]));
        for other in
            ["SLURM_JOB_ID=8 SLURM_STEP_ID=1 SLURM_PROCID=1", "SLURM_JOB_ID=7 SLURM_STEP_ID=0 SLURM_PROCID=1"]
        {
            assert_eq!(alive(&slurm(3), vec![process(40, 30, Some(other))]), Some(vec![0]), "{other}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_alive() {
        // Between fork and exec, or after it overwrote its environment.
        assert_eq!(alive(&pmi(3), vec![process(21, 10, Some("A=1"))]), None);
        assert_eq!(alive(&pmix(3), vec![process(21, 10, Some(""))]), None);
        assert_eq!(alive(&slurm(3), vec![process(21, 10, Some("SLURM_JOB_ID=7"))]), None);
        // Another user's, or not dumpable.
        assert_eq!(alive(&pmix(3), vec![process(21, 20, None)]), None);
        assert_eq!(alive(&pmi(3), vec![process(21, 5, None)]), Some(vec![0]), "none of the launcher's");
        // It has left its parent.
        assert_eq!(alive(&pmi(3), vec![process(21, 1, Some("PMI_SIZE=3 PMI_RANK=1"))]), Some(vec![0, 1]));
    }

    #[test]
    fn gone_is_who_is_missing_twice_while_nobody_comes() {
        let set = |pes: &[u32]| Some(pes.iter().copied().collect::<BTreeSet<u32>>());
        let job = pmi(4);
        let mut looks = Looks::default();
        assert_eq!(looks.after(&job, set(&[0])), None);
        assert_eq!(looks.after(&job, set(&[0, 1])), None, "they are still coming");
        assert_eq!(looks.after(&job, None), None);
        assert_eq!(looks.after(&job, set(&[0, 1, 3])), None);
        assert_eq!(looks.after(&job, set(&[0, 1, 3])), Some(2));
        let mut looks = Looks::default();
        let all = (0..5).map(|_| looks.after(&job, set(&[0, 1, 2, 3])));
        assert!(all.into_iter().all(|gone| gone.is_none()));
        // The lowest speaks first.
        let (job, mut looks) = (Job { me: 3, ..job }, Looks::default());
        let said: Vec<_> = (0..10).map(|_| looks.after(&job, set(&[1, 2, 3]))).collect();
        assert!(said[..9].iter().all(Option::is_none) && said[9] == Some(0), "{said:?}");
    }

    #[test]
    fn this_process_is_seen() {
        let me = std::process::id() as i32;
        let all = processes();
        assert!(all.iter().any(|p| p.pid == me && p.environ.is_some()));
    }
}
