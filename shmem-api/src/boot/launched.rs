//! Who has started this process, as far as its environment tells.
//!
//! Slurm sets variables in every allocation, so it takes more than one to tell the tasks of a *step* (what `srun` starts) from
//! what merely runs in an allocation:
//!
//! ```text
//!                            SLURM_STEP_NUM_TASKS  SLURM_NTASKS  SLURM_GTIDS
//!   srun -n 3                          3                 3         0,1,2       a step
//!   sbatch -n 3, salloc -n 3           -                 3         0 or -      none
//!   the same, called by a task         3 (its own)       4         0           none
//! ```

use std::collections::BTreeSet;

use memheap::settings::{self, Settings};

/// The launcher this process was started by, as far as its environment tells, and the number of PEs.
pub(crate) fn launched_by() -> Option<(&'static str, u32)> {
    const MARKS: [(&str, &str); 3] =
        [("OMPI_COMM_WORLD_SIZE", "mpirun"), ("FLUX_JOB_SIZE", "flux"), ("PMI_SIZE", "mpiexec")];
    let marked = MARKS.iter().find_map(|(var, by)| Some((*by, number(&environment, var)?)));
    // In a step of one task is the shell of an allocation, too: what that starts is as if nobody had.
    let step = Step::mine().filter(|step| step.n_tasks > 1).map(|step| ("srun", step.n_tasks));
    match marked {
        Some(("mpiexec", _)) if Step::of_pmi().is_some() => step,
        _ => marked.or(step),
    }
}

/// The setting that asks for a local start, if it is one.
pub(crate) fn local_pes() -> Option<u32> {
    let value = std::env::var(settings::LOCAL_PES.name).ok()?;
    // What is wrong with a wrong one, init says.
    let settings = Settings::from_pairs([(settings::LOCAL_PES.name, value)]).ok()?;
    u32::try_from(settings.count(&settings::LOCAL_PES)?).ok()
}

/// The step of Slurm that this process is a task of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Step {
    pub(crate) job: String,
    pub(crate) step: String,
    pub(crate) n_tasks: u32,
    /// This task.
    pub(crate) task: u32,
    /// The tasks on this host.
    pub(crate) here: BTreeSet<u32>,
}

impl Step {
    /// As the environment tells.
    pub(crate) fn mine() -> Option<Step> {
        Step::from(environment)
    }

    /// The same, if PMI's variables are Slurm's: a launcher that was started in a step has others.
    pub(crate) fn of_pmi() -> Option<Step> {
        Step::of_pmi_from(environment)
    }

    fn from(var: impl Fn(&str) -> Option<String>) -> Option<Step> {
        let (n_tasks, task) = (number(&var, "SLURM_STEP_NUM_TASKS")?, number(&var, "SLURM_PROCID")?);
        let here = var("SLURM_GTIDS")?;
        let here: BTreeSet<u32> =
            here.split(',').map(|task| task.trim().parse().ok()).collect::<Option<_>>()?;
        let whole = number(&var, "SLURM_STEP_NUM_NODES") != Some(1) || here.len() == n_tasks as usize;
        let left_over = number(&var, "SLURM_NTASKS").is_some_and(|n| n != n_tasks) || !whole;
        let step = Step { job: var("SLURM_JOB_ID")?, step: var("SLURM_STEP_ID")?, n_tasks, task, here };
        (!left_over && task < n_tasks && step.here.contains(&task)).then_some(step)
    }

    fn of_pmi_from(var: impl Fn(&str) -> Option<String>) -> Option<Step> {
        let hydra = var("MPI_LOCALNRANKS").is_some();
        let pmi = (number(&var, "PMI_SIZE")?, number(&var, "PMI_RANK")?);
        Step::from(var).filter(|step| !hydra && pmi == (step.n_tasks, step.task))
    }
}

/// What begins the namespace that Slurm's PMIx gives a step; the job and the step follow.
const NAMESPACE: &str = "slurm.pmix.";

/// Whether a namespace of PMIx is that of a step of Slurm.
pub(crate) fn is_slurms(namespace: &str) -> bool {
    namespace.starts_with(NAMESPACE)
}

/// The namespace of PMIx, if a step of another job has left it to this one, which it called `sbatch` or `salloc` for: those
/// pass their environment on, and who believes it joins that step.
pub(crate) fn left_over() -> Option<String> {
    left_over_from(environment)
}

fn left_over_from(var: impl Fn(&str) -> Option<String>) -> Option<String> {
    let namespace = var("PMIX_NAMESPACE")?;
    let (job, _) = namespace.strip_prefix(NAMESPACE)?.split_once('.')?;
    // The parts of a job of several kinds of nodes have one number of them all, too.
    let other = job.parse::<u32>().ok()? != number(&var, "SLURM_JOB_ID")? && var("SLURM_HET_SIZE").is_none();
    other.then(|| format!("PMIX_NAMESPACE={namespace} is left over from another job of Slurm"))
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn number(var: &impl Fn(&str) -> Option<String>, name: &str) -> Option<u32> {
    var(name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slurm 22.05's variables; `with` come on top.
    fn step(with: &str) -> impl Fn(&str) -> Option<String> {
        let srun = "SLURM_JOB_ID=7 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=3 SLURM_STEP_NUM_NODES=1 SLURM_NTASKS=3 \
                    SLURM_PROCID=1 SLURM_GTIDS=0,1,2";
        let all = format!("{srun} {with}");
        move |name| {
            let mut values = all.split_whitespace().rev().filter_map(|pair| pair.split_once('='));
            let last = values.find(|(n, _)| *n == name)?.1;
            (last != "-").then(|| last.to_owned())
        }
    }

    #[test]
    fn a_task_of_a_step() {
        let found = Step::from(step("")).unwrap();
        assert_eq!((found.job.as_str(), found.step.as_str(), found.n_tasks, found.task), ("7", "0", 3, 1));
        assert_eq!(found.here, BTreeSet::from([0, 1, 2]));
        // Its number of tasks is not said again.
        assert!(Step::from(step("SLURM_NTASKS=-")).is_some());
        let there = Step::from(step("SLURM_STEP_NUM_NODES=2 SLURM_GTIDS=1,2")).unwrap();
        assert_eq!(there.here, BTreeSet::from([1, 2]));
    }

    #[test]
    fn an_allocation_is_no_step() {
        for (what, with) in [
            ("sbatch", "SLURM_STEP_NUM_TASKS=- SLURM_STEP_NUM_NODES=- SLURM_PROCID=0 SLURM_GTIDS=0"),
            ("salloc", "SLURM_STEP_NUM_TASKS=- SLURM_STEP_NUM_NODES=- SLURM_PROCID=- SLURM_GTIDS=-"),
            ("sbatch -n 4 by a task", "SLURM_NTASKS=4 SLURM_PROCID=0 SLURM_GTIDS=0"),
            ("sbatch -n 3 by a task", "SLURM_PROCID=0 SLURM_GTIDS=0"),
            ("salloc -n 4 by a task", "SLURM_NTASKS=4"),
            ("noise", "SLURM_GTIDS=all"),
            ("noise", "SLURM_PROCID=3"),
        ] {
            assert_eq!(Step::from(step(with)), None, "{what}");
        }
    }

    #[test]
    fn what_another_job_has_left_over() {
        let told = |with: &str| left_over_from(step(with));
        let theirs = "PMIX_NAMESPACE=slurm.pmix.8.0";
        assert_eq!(told(theirs), Some(format!("{theirs} is left over from another job of Slurm")));
        for ours in
            ["SLURM_HET_SIZE=2", "SLURM_JOB_ID=-", "PMIX_NAMESPACE=slurm.pmix.7.3", "PMIX_NAMESPACE=1234.1"]
        {
            assert_eq!(told(&format!("{theirs} {ours}")), None, "{ours}");
        }
    }

    #[test]
    fn pmi_in_a_step_may_be_another_launchers() {
        assert!(Step::of_pmi_from(step("PMI_SIZE=3 PMI_RANK=1")).is_some());
        for other in
            ["", "PMI_SIZE=2 PMI_RANK=1", "PMI_SIZE=3 PMI_RANK=0", "PMI_SIZE=3 PMI_RANK=1 MPI_LOCALNRANKS=3"]
        {
            assert_eq!(Step::of_pmi_from(step(other)), None, "{other}");
        }
    }
}
