//! The engines that carry messages between hosts: all are opened that are allowed, that of the highest priority is selected, as
//! everything of this library that can be done in several ways. A job on one host opens none.
//!
//! | engine | priority | opens where |
//! |---|---|---|
//! | `ucx` | 60 | `libucp.so.0` is there and starts |

use std::sync::{Mutex, PoisonError};

use memheap::settings::{self, Settings};

use super::ucx;
use super::wire::Wire;
use crate::boot::{loaded, net};

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

struct Kind {
    name: &'static str,
    priority: i32,
    /// On these network devices, if they are given.
    open: fn(net: Option<&str>) -> Opened,
}

/// Highest priority first.
const KINDS: &[Kind] = &[Kind { name: "ucx", priority: 60, open: open_ucx }];

/// What became of them when this process needed one.
static CHOICES: Mutex<Vec<EngineChoice>> = Mutex::new(Vec::new());

fn open_ucx(net: Option<&str>) -> Opened {
    if !loaded::can_load() {
        return Err("this program is linked statically and loads no library".to_owned());
    }
    ucx::open(ucx::find()?, net).map(|engine| Box::new(engine) as Box<dyn Wire>)
}

/// Opens the best that is allowed.
///
/// # Errors
/// There is none, for these reasons.
pub(crate) fn open(settings: &Settings) -> Result<(&'static str, Box<dyn Wire>), String> {
    let net = net::devices(settings)?;
    let mut taken = None;
    let mut choices = Vec::new();
    for kind in KINDS {
        let fate = match settings.allows(&settings::TRANSPORT, kind.name) {
            false => format!("left out by {}", settings::TRANSPORT.name),
            true if taken.is_some() => "not needed".to_owned(),
            true => match (kind.open)(net.as_deref()) {
                Ok(wire) => {
                    let fate = format!("selected: {}", wire.describe());
                    taken = Some((kind.name, wire));
                    fate
                }
                Err(why) => why,
            },
        };
        choices.push(EngineChoice { name: kind.name, priority: kind.priority, fate });
    }
    let none = || choices.iter().map(|c| format!("{}: {}", c.name, c.fate)).collect::<Vec<_>>().join("; ");
    let result =
        taken.ok_or_else(|| format!("nothing carries messages between the hosts of this job: {}", none()));
    *CHOICES.lock().unwrap_or_else(PoisonError::into_inner) = choices;
    result
}

/// One line for each engine, if this process needed one.
pub(crate) fn choices() -> Vec<String> {
    CHOICES.lock().unwrap_or_else(PoisonError::into_inner).iter().map(EngineChoice::to_string).collect()
}

impl std::fmt::Display for EngineChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (priority {}): {}", self.name, self.priority, self.fate)
    }
}
