//! Who has started this process, as far as its environment tells.

use memheap::settings::{self, Settings};

/// The launcher this process was started by, as far as its environment tells, and the number of PEs.
pub(crate) fn launched_by() -> Option<(&'static str, u32)> {
    const MARKS: [(&str, &str); 4] = [
        ("OMPI_COMM_WORLD_SIZE", "mpirun"),
        ("FLUX_JOB_SIZE", "flux"),
        ("PMI_SIZE", "mpiexec"),
        ("SLURM_STEP_NUM_TASKS", "srun"),
    ];
    MARKS.iter().find_map(|(var, by)| Some((*by, std::env::var(var).ok()?.parse().ok()?)))
}

/// The setting that asks for a local start, if it is one.
pub(crate) fn local_pes() -> Option<u32> {
    let value = std::env::var(settings::LOCAL_PES.name).ok()?;
    // What is wrong with a wrong one, init says.
    let settings = Settings::from_pairs([(settings::LOCAL_PES.name, value)]).ok()?;
    u32::try_from(settings.count(&settings::LOCAL_PES)?).ok()
}
