//! Several hosts: the engine between them, and the thread that serves PEs of the others.
//!
//! ```text
//!   engine opened on all PEs ─► addresses of all ─► the protocol (`transport::far`) ─► a thread that serves
//!      (once in a process; a later start tells only of other memory)
//!   the last finalize: everything is answered, and everybody knows (`part`)
//!   process exit: the thread ends, then the connections
//!   in between, a host that is lost ends the job (`lost_host`)
//! ```

use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use memheap::PeId;
use memheap::settings::{self, Settings};

use crate::boot;
use crate::boot::protocol::Boot;
use crate::boot::step::{step, step_of_bytes};
use crate::error::Error;
use crate::process::private::{AtomicBool, Ordering};
use crate::process::signals::NoSignals;
use crate::startup::lost_host;
use crate::transport::far::hosts::Hosts;
use crate::transport::far::message::Secret;
use crate::transport::far::{Far, Parts};
use crate::transport::served::Served;
use crate::transport::wire::Wire;
use crate::transport::{self, Stream, engines};
use crate::types::host_of::HostOf;

/// How often whoever waits for another host looks before it sleeps, where it has a core to itself.
const SPINS: u32 = 200;

/// What this process is connected by, and the thread that serves.
static FAR: OnceLock<&'static Far> = OnceLock::new();
static SERVES: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);
static STOP: AtomicBool = AtomicBool::new(false);

/// Collective, where there are several hosts: the way to the others. `crowded`: PEs share cores.
pub(super) fn connect(
    boot: &mut dyn Boot,
    settings: &Settings,
    hosts: &HostOf,
    crowded: bool,
) -> Result<(), Error> {
    if FAR.get().is_some() {
        return Ok(());
    }
    let me = boot.pe();
    let wire = engines::open(boot, settings)?;
    let addresses = step_of_bytes(boot, Ok(&wire.address()))?;
    let secret = secret(boot)?;
    name_hosts(boot);
    wire.meet(addresses);
    let link_timeout = settings.count(&settings::LINK_TIMEOUT).filter(|&seconds| seconds > 0);
    let link_timeout = link_timeout.map(Duration::from_secs);
    let far = start(me, wire, hosts, Secret(secret), (link_timeout, if crowded { 0 } else { SPINS }));
    step(boot, far.as_ref().map(|_| 0u32).map_err(Clone::clone))?;
    let far = *FAR.get_or_init(|| far.unwrap_or_else(|e| unreachable!("the step has said so: {e}")));
    transport::set(far);
    Ok(())
}

fn start(
    me: PeId,
    wire: Box<dyn Wire>,
    hosts: &HostOf,
    secret: Secret,
    (link_timeout, spins): (Option<Duration>, u32),
) -> Result<&'static Far, Error> {
    let (hosts, all) = (Hosts::new(me, hosts.as_slice()), hosts.clone());
    let lost = Box::new(move |pe: PeId, why: &str| {
        let left: Vec<bool> =
            (0..).map(PeId).zip(all.as_slice()).map(|(other, _)| !all.share(pe, other)).collect();
        let called = NAMES.get().and_then(|names| names.get(pe.0 as usize)).map_or("", String::as_str);
        lost_host::lost(pe, &all.name(pe, called), why, &left);
    });
    let look_after = Box::new(lost_host::look_after);
    let memory = Box::new(Served);
    let parts = Parts { wire, memory, hosts, secret, lost, look_after, link_timeout, spins };
    let far: &'static Far = Box::leak(Box::new(Far::new(parts).map_err(Error::Boot)?));
    let _held = NoSignals::but_faults();
    let thread = std::thread::Builder::new().name("shmem-serve".to_owned()).spawn(move || {
        lost_host::goes_on();
        far.serve(&STOP);
    });
    let thread =
        thread.map_err(|e| Error::Boot(format!("PE {me}: a thread that serves other hosts: {e}")))?;
    *SERVES.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
    Ok(far)
}

/// Collective: the boot's; where all PEs are on one machine, one is drawn here.
fn secret(boot: &mut dyn Boot) -> Result<boot::protocol::Secret, Error> {
    if let Some(secret) = boot.secret() {
        return Ok(secret);
    }
    let drawn = boot::secret::draw().map_err(|e| Error::Boot(format!("PE 0: {e}")));
    let mine = if boot.pe().0 == 0 { drawn } else { Ok([0; 16]) };
    Ok(step(boot, mine)?[0])
}

/// By PE: what its host is called. (The boot itself may be in use when a PE is lost.)
static NAMES: OnceLock<Vec<String>> = OnceLock::new();

fn name_hosts(boot: &dyn Boot) {
    NAMES.get_or_init(|| (0..boot.n_pes()).map(|pe| boot.host_name(PeId(pe))).collect());
}

/// The library is up: from here on the loss of another host ends the job.
pub(super) fn watch() {
    if let Some(far) = FAR.get() {
        far.watch_links();
    }
}

/// Collective, after the last meeting: when it returns, all that this PE has asked of other hosts is done, and none of theirs needs this
/// one any more.
pub(super) fn part() -> Result<(), Error> {
    let Some(far) = FAR.get() else { return Ok(()) };
    transport::quiet(Stream::ALL);
    // Whoever is through the step may leave at once.
    far.begin_to_part();
    step(boot::join()?.get(), Ok(0u32)).map(drop)
}

/// At process exit, when the library is down.
pub(super) fn leave() {
    let Some(far) = FAR.get() else { return };
    STOP.store(true, Ordering::Release);
    far.stop_serving();
    if let Some(thread) = SERVES.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = thread.join();
    }
    far.disconnect();
}
