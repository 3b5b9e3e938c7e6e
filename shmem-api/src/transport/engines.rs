//! The engines that carry messages between hosts: that of the highest priority is selected which is allowed and opens on all PEs, as
//! everything of this library that can be done in several ways. A job on one host opens none.
//!
//! | engine | priority | opens where |
//! |---|---|---|
//! | `ucx` | 60 | `libucp.so.0` is there and starts |
//! | `mpi` | 40 | an MPI is up at the level `MULTIPLE`, or can be started: the program's own, or the launcher's |
//!
//! ```text
//!   for each, from the top:  allowed, and found here? ─► on all PEs? ─► open ─► on all PEs? ─► selected
//!                                                  no ─────────┴── no: closed ────┴──► the next
//! ```
//!
//! To find is to look, and starts nothing. What one PE lacks no PE opens: to start an MPI is collective, and would wait for that PE.

use std::sync::{Mutex, PoisonError};

use bytemuck::{Pod, Zeroable};
use memheap::PeId;
use memheap::settings::{self, Settings};

use super::wire::Wire;
use super::{mpi, ucx};
use crate::boot::protocol::Boot;
use crate::boot::step::step;
use crate::boot::text::{padded, unpadded};
use crate::boot::{loaded, net};
use crate::error::Error;

/// An engine, and what has become of it.
#[derive(Clone, Debug)]
pub struct EngineChoice {
    /// The name it has in `SHMEM_TRANSPORT`.
    pub name: &'static str,
    /// The highest that can be had is taken.
    pub priority: i32,
    /// Why it is taken or is not.
    pub fate: String,
}

/// An engine, or why it cannot be opened.
type Opened = Result<Box<dyn Wire>, String>;

/// Where an engine is opened.
struct Place<'s> {
    me: PeId,
    n_pes: u32,
    settings: &'s Settings,
}

struct Kind {
    name: &'static str,
    priority: i32,
    /// Whether it is here, in a word about what is; nothing is started.
    find: fn() -> Result<String, String>,
    /// Collective over the job.
    open: fn(&Place<'_>) -> Opened,
}

/// Highest priority first.
const KINDS: &[Kind] = &[
    Kind { name: "ucx", priority: 60, find: find_ucx, open: open_ucx },
    Kind { name: "mpi", priority: 40, find: find_mpi, open: open_mpi },
];

/// What became of them when this process needed one.
static CHOICES: Mutex<Vec<EngineChoice>> = Mutex::new(Vec::new());
/// What is to be said of that which was taken.
static CAVEAT: Mutex<Option<&'static str>> = Mutex::new(None);

fn find_ucx() -> Result<String, String> {
    if !loaded::can_load() {
        return Err("this program is linked statically and loads no library".to_owned());
    }
    ucx::find().map(|library| library.name())
}

fn open_ucx(place: &Place<'_>) -> Opened {
    let net = net::devices(place.settings)?;
    ucx::open(ucx::find()?, net.as_deref()).map(|engine| Box::new(engine) as Box<dyn Wire>)
}

fn open_mpi(place: &Place<'_>) -> Opened {
    mpi::open(place.me, place.n_pes, place.settings.text(&settings::NET))
}

fn find_mpi() -> Result<String, String> {
    mpi::find().map(|(found, _)| found.to_string())
}

/// How it went on a PE, as all hear it.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Went {
    /// Not 0: it went well.
    well: u32,
    why: [u8; 512],
}

/// Collective: whether it went well on all PEs; else how it did here or, if it did here, on the first PE where it did not.
fn on_all(boot: &mut dyn Boot, here: Result<(), String>) -> Result<Result<(), String>, Error> {
    let why = here.as_ref().err().map_or("", String::as_str);
    let all = step(boot, Ok(Went { well: here.is_ok().into(), why: padded(why) }))?;
    let elsewhere = all.iter().position(|went| went.well == 0);
    let elsewhere = elsewhere.map_or(Ok(()), |pe| Err(format!("not on PE {pe}: {}", unpadded(&all[pe].why))));
    Ok(here.and(elsewhere))
}

/// Collective: opens the best that is allowed, and there, on all PEs.
///
/// # Errors
/// There is none, for these reasons.
pub(crate) fn open(boot: &mut dyn Boot, settings: &Settings) -> Result<Box<dyn Wire>, Error> {
    let place = Place { me: boot.pe(), n_pes: boot.n_pes(), settings };
    let (mut taken, mut choices) = (None, Vec::new());
    for &Kind { name, priority, find, open } in KINDS {
        let fate = if taken.is_some() {
            "not needed".to_owned()
        } else {
            let found = if_allowed(settings, name).and_then(|()| find());
            match on_all(boot, found.map(drop))? {
                Err(why) => why,
                Ok(()) => {
                    let opened = open(&place);
                    match (on_all(boot, opened.as_ref().map(drop).map_err(Clone::clone))?, opened) {
                        (Ok(()), Ok(wire)) => {
                            let fate = format!("selected: {}", wire.describe());
                            taken = Some(wire);
                            fate
                        }
                        (Err(why), Ok(wire)) => {
                            wire.close();
                            why
                        }
                        (_, Err(why)) => why,
                    }
                }
            }
        };
        choices.push(EngineChoice { name, priority, fate });
    }
    let why = choices.iter().map(|c| format!("{}: {}", c.name, c.fate)).collect::<Vec<_>>().join("; ");
    *CHOICES.lock().unwrap_or_else(PoisonError::into_inner) = choices;
    let wire = taken.ok_or_else(|| {
        Error::Boot(format!("nothing carries messages between the hosts of this job: {why}"))
    })?;
    *CAVEAT.lock().unwrap_or_else(PoisonError::into_inner) = wire.caveat();
    Ok(wire)
}

fn if_allowed(settings: &Settings, name: &str) -> Result<(), String> {
    match settings.allows(&settings::TRANSPORT, name) {
        true => Ok(()),
        false => {
            let value = settings.text(&settings::TRANSPORT).unwrap_or_default();
            Err(format!("left out by {}={value}", settings::TRANSPORT.name))
        }
    }
}

/// One line for each engine, if this process needed one.
pub(crate) fn choices() -> Vec<String> {
    CHOICES.lock().unwrap_or_else(PoisonError::into_inner).iter().map(EngineChoice::to_string).collect()
}

/// What users are to know of the engine that was taken.
pub(crate) fn caveat() -> Option<&'static str> {
    *CAVEAT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a job of several hosts would find in this process; it opens none.
pub fn engine_choices() -> Vec<EngineChoice> {
    let value = std::env::var(settings::TRANSPORT.name).ok().map(|value| (settings::TRANSPORT.name, value));
    // What is wrong with a wrong one, init says.
    let settings = Settings::from_pairs(value).unwrap_or_default();
    let mut selected = false;
    let fate = |kind: &Kind| match if_allowed(&settings, kind.name).and_then(|()| (kind.find)()) {
        Err(why) => why,
        Ok(_) if selected => "not needed".to_owned(),
        Ok(what) => {
            selected = true;
            format!("would be selected: {what}")
        }
    };
    KINDS
        .iter()
        .map(fate)
        .zip(KINDS)
        .map(|(fate, kind)| EngineChoice { name: kind.name, priority: kind.priority, fate })
        .collect()
}

impl std::fmt::Display for EngineChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (priority {}): {}", self.name, self.priority, self.fate)
    }
}
