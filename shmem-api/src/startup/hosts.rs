//! Several hosts: which PE is on which, the engine between them, and the thread that serves PEs of the others.
//!
//! ```text
//!   engine opened ─► names equal? ─► addresses of all ─► the protocol (`transport::far`) ─► a thread that serves
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
use crate::boot::text::{padded, unpadded};
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

/// By PE: the number of its host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct HostOf(Vec<u32>);

/// How often whoever waits for another host looks before it sleeps, where it has a core to itself.
const SPINS: u32 = 200;

impl HostOf {
    /// All PEs are on one host; `fake`: they take themselves for so many.
    pub(super) fn new(n_pes: u32, fake: Option<u32>) -> HostOf {
        let hosts = fake.unwrap_or(1).clamp(1, n_pes);
        HostOf((0..n_pes).map(|pe| (u64::from(pe) * u64::from(hosts) / u64::from(n_pes)) as u32).collect())
    }

    pub(super) fn are_several(&self) -> bool {
        self.0.iter().any(|host| *host != 0)
    }

    /// The host of a PE, and all that are on it.
    pub(super) fn name(&self, pe: PeId) -> String {
        let host = self.0[pe.0 as usize];
        let pes: Vec<usize> = (0..self.0.len()).filter(|&pe| self.0[pe] == host).collect();
        let in_a_row = pes.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        let pes = match pes.as_slice() {
            [one] => format!("PE {one}"),
            [first, .., last] if in_a_row => format!("PEs {first} to {last}"),
            all => format!("PEs {}", all.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
        };
        format!("host {host} ({pes})")
    }

    pub(super) fn is_far(&self, me: PeId, pe: PeId) -> bool {
        self.0[me.0 as usize] != self.0[pe.0 as usize]
    }
}

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
    let opened = engines::open(settings).map_err(Error::Boot);
    let name = opened.as_ref().map(|(name, _)| padded::<32>(name)).map_err(Clone::clone);
    let names = step(boot, name)?;
    let (name, wire) = opened?;
    if let Some(pe) = names.iter().position(|other| unpadded(other) != name) {
        let (here, there) = (name.to_owned(), unpadded(&names[pe]));
        return Err(Error::StartDiffers {
            item: "what carries messages",
            me,
            here,
            pe: PeId(pe as u32),
            there,
        });
    }
    let addresses = step_of_bytes(boot, Ok(&wire.address()))?;
    let mut secret = [0u8; 16];
    let drawn = if me.0 == 0 { random(&mut secret) } else { Ok(()) };
    let secret = step(boot, drawn.map(|()| secret))?[0];
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
    let (hosts, all) = (Hosts::new(me, &hosts.0), hosts.clone());
    let lost = Box::new(move |pe: PeId, why: &str| {
        let left: Vec<bool> = (0..all.0.len() as u32).map(|other| all.is_far(pe, PeId(other))).collect();
        lost_host::lost(pe, &all.name(pe), why, &left);
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

fn random(bytes: &mut [u8; 16]) -> Result<(), Error> {
    use std::io::Read;
    let read = std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(bytes));
    read.map_err(|e| Error::Boot(format!("PE 0: /dev/urandom: {e}")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fake_hosts_are_stretches_of_pes() {
        let of = |n, fake| HostOf::new(n, fake).0;
        assert_eq!(of(4, None), [0; 4]);
        assert_eq!(of(4, Some(2)), [0, 0, 1, 1]);
        assert_eq!(of(5, Some(2)), [0, 0, 0, 1, 1]);
        assert_eq!(of(6, Some(3)), [0, 0, 1, 1, 2, 2]);
        assert_eq!(of(3, Some(8)), [0, 1, 2]);
        assert!(!HostOf::new(4, Some(1)).are_several() && HostOf::new(2, Some(2)).are_several());
        assert!(HostOf::new(4, Some(2)).is_far(PeId(1), PeId(2)));
        let named = |of: &[u32], pe| HostOf(of.to_vec()).name(PeId(pe));
        assert_eq!(named(&[0, 0, 1, 1, 1], 3), "host 1 (PEs 2 to 4)");
        assert_eq!(named(&[0, 1, 0, 1, 2], 1), "host 1 (PEs 1, 3)");
        assert_eq!(named(&[0, 1, 0, 1, 2], 4), "host 2 (PE 4)");
    }
}
