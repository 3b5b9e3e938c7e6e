//! Several hosts: the engine between them, and the thread that serves PEs of the others.
//!
//! ```text
//!   engine opened on all PEs ─► addresses of all ─► the protocol (`transport::far`) ─► a thread that serves
//!      (once in a process; a later start tells only of other memory)
//!   the last finalize: everything is answered, and everybody knows (`part`)
//!   process exit: the thread ends, then the connections
//! ```

use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use memheap::PeId;
use memheap::settings::Settings;

use crate::boot;
use crate::boot::protocol::Boot;
use crate::boot::step::{step, step_of_bytes};
use crate::error::Error;
use crate::exit::end::end_for_all;
use crate::node::Node;
use crate::process::private::{AtomicBool, Ordering};
use crate::process::say::say;
use crate::process::signals::NoSignals;
use crate::process::status::{DIED, leave_now};
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
    let far = start(me, wire, hosts, Secret(secret), if crowded { 0 } else { SPINS });
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
    spins: u32,
) -> Result<&'static Far, Error> {
    let hosts = Hosts::new(me, hosts.as_slice());
    let parts = Parts { wire, memory: Box::new(Served), hosts, secret, lost: Box::new(lost), spins };
    let far: &'static Far = Box::leak(Box::new(Far::new(parts).map_err(Error::Boot)?));
    let _held = NoSignals::but_faults();
    let thread = std::thread::Builder::new().name("shmem-serve".to_owned()).spawn(move || far.serve(&STOP));
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

/// A call needs a process of another host, and that is lost: the job ends, on this host by the marks, on the others as they lose
/// this one.
fn lost(pe: PeId, why: &str) {
    static ENDING: AtomicBool = AtomicBool::new(false);
    let host = NAMES.get().and_then(|names| names.get(pe.0 as usize)).filter(|name| !name.is_empty());
    let host = host.map_or_else(String::new, |name| format!(" ({name})"));
    let line = format!("PE {pe}, on another host{host}, is lost ({why}); ending the job");
    if ENDING.swap(true, Ordering::AcqRel) {
        leave_now(DIED)
    }
    Node::with_current(|node| {
        let here = node.lives().filter(|life| !life.is_far());
        end_for_all(here, DIED, &line)
    });
    say(&format!("shmem: {line}"));
    leave_now(DIED)
}

/// Collective, after the last meeting: when it returns, all that this PE has asked of other hosts is done, and none of theirs needs this
/// one any more.
pub(super) fn part() -> Result<(), Error> {
    if FAR.get().is_none() {
        return Ok(());
    }
    transport::quiet(Stream::ALL);
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
