//! Which way this process joins its job: every way is opened, that of the highest priority is selected, the others are
//! closed, as everything of this library that can be done in several ways.
//!
//! | way | priority | opens where |
//! |---|---|---|
//! | `local`, link | 100 | our supervisor started this process |
//! | `mpi`, in use | 80 | an MPI is in the process: the program's own |
//! | `pmix` | 60 | the launcher speaks PMIx, and `libpmix.so.2` is there |
//! | `pmi` | 50 | the launcher speaks PMI-1 |
//! | `mpi`, loaded | 20 | a launcher started this process as one of several, or at all, and `SHMEM_BOOT=mpi` |
//! | `local`, alone | 0 | no launcher started this process, or `SHMEM_BOOT=local` |
//!
//! To open a way is to look, and joins nothing. One that cannot be joined after all makes room for the next; once a launcher
//! has let this process in, what fails is the job's failure. A launcher whose PMIx has refused this process is not asked again by
//! way of an MPI, which would wait there for ever; nor one with which a conversation by PMI-1 has broken off: an MPI would get
//! the answers to it.

use memheap::settings::{self, Settings};

use crate::boot::launched::{Step, launched_by};
use crate::boot::launcher::Launcher;
use crate::boot::local::LocalBoot;
use crate::boot::protocol::Boot;
use crate::boot::star::Star;
use crate::boot::{loaded, mpi, pmi, pmix};
use crate::error::Error;
use crate::process::say::say;

/// A way to join, and what has become of it.
pub struct BootWay {
    /// The name it has in `SHMEM_BOOT`.
    pub name: &'static str,
    /// The highest that can be had is taken.
    pub priority: i32,
    /// Why it is taken or is not.
    pub fate: String,
}

/// What joins by a way.
type Join = Box<dyn FnOnce() -> Result<Joined, Error>>;

enum Joined {
    Launcher(Box<dyn Launcher>),
    Local(LocalBoot),
}

struct Way {
    name: &'static str,
    priority: i32,
    /// How, with a word about what is there; or why not.
    open: Result<(String, Join), String>,
}

/// All ways as they are in this process, highest priority first. `link`: the supervisor's.
fn open(link: Option<LocalBoot>) -> Vec<Way> {
    let settings = settings();
    // Asked for by its name, it is had under a launcher, too.
    let by_name = settings.text(&settings::BOOT).is_some_and(|list| !list.trim().starts_with('^'));
    let launched = launched_by();
    let started = launched.filter(|(_, n)| *n > 1);
    let alone = match started {
        Some((by, n)) if !by_name => Err(format!("this is one of {n} PEs of {by}")),
        _ => Ok("a job of one PE".to_owned()),
    };
    let linked = link.is_some();
    let link = link.map(|link| -> (String, Join) {
        ("the supervisor's link".to_owned(), Box::new(|| Ok(Joined::Local(link))))
    });
    let mpi = mpi::find(started.is_some() || by_name && launched.is_some()).map(|found| -> (String, Join) {
        (found.to_string(), Box::new(move || found.join().map(Joined::Launcher)))
    });
    let pmix = pmix::find().map(|functions| -> (String, Join) {
        let join = move || pmix::join(functions).map_err(Error::Boot);
        (functions.version(), Box::new(move || join().map(|pmix| Joined::Launcher(Box::new(pmix)))))
    });
    let pmi = pmi::find().map(|found| -> (String, Join) {
        let join = move || pmi::join(&found).map_err(Error::Boot);
        ("PMI-1".to_owned(), Box::new(move || join().map(|pmi| Joined::Launcher(Box::new(pmi)))))
    });
    let alone =
        alone.map(|how| -> (String, Join) { (how, Box::new(|| Ok(Joined::Local(LocalBoot::alone())))) });
    let in_use = loaded::mpi().is_some();
    // An MPI that is loaded would ask the same PMIx.
    let mpi = match pmix::refused() {
        Some(why) if !in_use => Err(why),
        _ => mpi,
    };
    let no_link = || "no supervisor of ours started this process".to_owned();
    let mut ways = vec![
        Way { name: "local", priority: 100, open: link.ok_or_else(no_link) },
        Way { name: "mpi", priority: if in_use { 80 } else { 20 }, open: mpi },
        Way { name: "pmix", priority: 60, open: pmix },
        Way { name: "pmi", priority: 50, open: pmi },
    ];
    if !linked {
        ways.push(Way { name: "local", priority: 0, open: alone });
    }
    for way in &mut ways {
        if !settings.allows(&settings::BOOT, way.name) {
            let value = settings.text(&settings::BOOT).unwrap_or_default();
            way.open = Err(format!("left out by {}={value}", settings::BOOT.name));
        }
    }
    ways.sort_by_key(|way| -way.priority);
    ways
}

/// The one setting that counts here. What is wrong with a wrong one, init says.
fn settings() -> Settings {
    let pair = std::env::var(settings::BOOT.name).ok().map(|value| (settings::BOOT.name, value));
    Settings::from_pairs(pair).unwrap_or_default()
}

/// Joins by the best way, and says what has become of all.
pub(super) fn join() -> Result<(Box<dyn Boot>, Vec<BootWay>), Error> {
    let mut taken = None;
    let mut seen: Vec<BootWay> = Vec::new();
    let mut refused = false;
    for Way { name, priority, open } in open(LocalBoot::from_supervisor()) {
        let fate = match open {
            Err(why) => why,
            Ok(_) if taken.is_some() => "not needed".to_owned(),
            Ok(_) if refused && name == "mpi" => "it would ask the same PMIx".to_owned(),
            Ok(_) if pmi::broke_off() && name == "mpi" => "it would get the answers to others".to_owned(),
            Ok((what, join)) => match join() {
                Ok(joined) => {
                    taken = Some(joined);
                    format!("selected: {what}")
                }
                Err(e) => {
                    refused |= name == "pmix";
                    if wordy() {
                        say(&format!("shmem: not by {name}: {e}"));
                    }
                    e.to_string()
                }
            },
        };
        seen.push(BootWay { name, priority, fate });
    }
    match taken {
        Some(Joined::Local(local)) => Ok((Box::new(local), seen)),
        Some(Joined::Launcher(launcher)) => Ok((Box::new(Star::over(launcher)), seen)),
        None if nothing_of_srun() => Err(Error::Boot(format!(
            "srun has started this as one of {} tasks and has told it of neither PMIx nor PMI-1. {SRUN}",
            Step::mine().map_or(0, |step| step.n_tasks)
        ))),
        None => {
            let all = seen.iter().map(|way| format!("{}: {}", way.name, way.fate));
            Err(Error::Boot(format!("there is no way to. {}", all.collect::<Vec<_>>().join("; "))))
        }
    }
}

/// What to do about it.
const SRUN: &str = "Start it by `srun --mpi=pmix` (or pmi2; `srun --mpi=list` shows what there is)";

/// Whether Slurm has started this process as one of several by which it means nothing: each would be a job of its own.
fn nothing_of_srun() -> bool {
    let told = ["PMIX_NAMESPACE", "PMI_FD"].iter().any(|name| std::env::var_os(name).is_some());
    launched_by().is_some_and(|(by, _)| by == "srun") && !told
}

/// Whether what goes on is told although all is well.
fn wordy() -> bool {
    let given = |name: Option<&str>| name.is_some_and(|name| std::env::var_os(name).is_some());
    [settings::DEBUG, settings::INFO].iter().any(|s| given(Some(s.name)) || given(s.fallback))
}

/// What a start in this process would find; it joins nothing.
pub fn boot_ways() -> Vec<BootWay> {
    let mut selected = false;
    let fate = |way: Way| {
        let fate = match way.open {
            Err(why) => why,
            Ok(_) if selected => "not needed".to_owned(),
            Ok((what, _)) => {
                selected = true;
                format!("would be selected: {what}")
            }
        };
        BootWay { name: way.name, priority: way.priority, fate }
    };
    open(None).into_iter().map(fate).collect()
}

impl std::fmt::Display for BootWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (priority {}): {}", self.name, self.priority, self.fate)
    }
}
