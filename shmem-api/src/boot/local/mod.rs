//! Boot without MPI: a supervisor that is no PE re-executes the program once per PE.
//!
//! ```text
//!   SHMEM_LOCAL_PES=4 ./program          before main: this process becomes the supervisor
//!        ├── ./program (PE 0) ──link──┐
//!        ├── ./program (PE 1) ──link──┤  each PE has one socket to the supervisor;
//!        ├── ...                      │  an exchange is: all send, all get everything
//! ```
//!
//! The PEs die with the supervisor (a parent-death signal set before anything else runs in them), and
//! when one of them dies badly the supervisor names it and ends the others.

pub(crate) mod children;
pub(crate) mod supervisor;

#[cfg(feature = "testing")]
use std::os::fd::IntoRawFd;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use memheap::PeId;
use memheap::region::kept::Kept;
use parking_lot::Mutex;

use crate::boot::files;
use crate::boot::host::Host;
use crate::boot::protocol::{Boot, ENDS, FRAME, Frame, Passes, Secret, who_passes};
use crate::error::Error;
use crate::process::system::BeforeMain;
use crate::types::host_of::HostOf;
use crate::types::thread_level::ThreadLevel;

/// Set by the supervisor in each PE: `PE:N_PES:FD:PID`: the PE's number, how many there are, the
/// descriptor of its link, and the supervisor.
pub(super) const LINK: &str = "SHMEM_LOCAL_LINK";

/// A PE's side of a local job.
pub(crate) struct LocalBoot {
    pe: PeId,
    hosts: HostOf,
    /// Kept for a start that comes later, and to end the job.
    link: Option<Kept>,
}

impl LocalBoot {
    /// The job of the supervisor that started this process, if one did.
    pub(crate) fn from_supervisor() -> Option<LocalBoot> {
        let (pe, n_pes, link) = TAKEN_UP.lock().take()?;
        Some(LocalBoot { pe, hosts: HostOf::one(n_pes), link: Some(link) })
    }

    /// A job of one PE that nobody launched.
    pub(crate) fn alone() -> LocalBoot {
        LocalBoot { pe: PeId(0), hosts: HostOf::one(1), link: None }
    }
}

impl Boot for LocalBoot {
    fn pe(&self) -> PeId {
        self.pe
    }

    fn n_pes(&self) -> u32 {
        self.hosts.as_slice().len() as u32
    }

    /// All are the supervisor's children.
    fn hosts(&self) -> &HostOf {
        &self.hosts
    }

    fn host_name(&self, _: PeId) -> String {
        Host::here().name()
    }

    fn secret(&self) -> Option<Secret> {
        None
    }

    fn level(&self) -> ThreadLevel {
        ThreadLevel::Multiple
    }

    fn exchange(&mut self, mine: &Frame) -> Result<Vec<Frame>, Error> {
        self.send_and_hear(mine, None)
            .map_err(|e| Error::Boot(format!("the link to the supervisor broke: {e}")))
    }

    fn pass_files(
        &mut self,
        host: u32,
        mine: Option<BorrowedFd<'_>>,
        take: &mut dyn FnMut(usize, OwnedFd),
    ) -> std::io::Result<()> {
        let all = self.send_and_hear(&Passes { file: mine.is_some(), host }.frame(), mine)?;
        let has = who_passes(&Passes::of_all(&all)?, self.pe);
        let Some(link) = &self.link else { return Ok(()) };
        files::take_all(open(link)?, has.into_iter(), take, || Ok(()))
    }

    fn passes_on(&self, _: u8) -> bool {
        true
    }

    fn end_all(&mut self, status: u8) {
        let mut frame = [0; FRAME];
        frame[..2].copy_from_slice(&[ENDS, status]);
        if let Some(link) = self.link.as_ref().and_then(Kept::get)
            && files::send(link, &frame, None).is_ok()
        {
            // The supervisor ends this process like the others.
            std::thread::sleep(Duration::from_secs(10));
        }
    }

    /// The supervisor sees the process end, and knows whether the others wait for it.
    fn leave(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}

impl LocalBoot {
    fn send_and_hear(&self, mine: &Frame, file: Option<BorrowedFd<'_>>) -> std::io::Result<Vec<Frame>> {
        let Some(link) = &self.link else { return Ok(vec![*mine]) };
        files::send(open(link)?, mine, file)?;
        let mut all = vec![0u8; FRAME * self.n_pes() as usize];
        files::receive(open(link)?, &mut all)?;
        Ok(all.as_chunks::<FRAME>().0.to_vec())
    }
}

fn open(link: &Kept) -> std::io::Result<BorrowedFd<'_>> {
    link.get().ok_or_else(|| std::io::Error::other("the program has closed it"))
}

/// The link of this process from before `main` until the library starts.
static TAKEN_UP: Mutex<Option<(PeId, u32, Kept)>> = Mutex::new(None);

/// Before `main`, in a PE: takes the link up, so that no program that this one starts inherits it.
fn take_up(now: &BeforeMain, text: &str) -> Result<(), Error> {
    let mut parts = text.split(':').map(str::parse::<u32>);
    let (Some(Ok(pe)), Some(Ok(n_pes)), Some(Ok(fd)), Some(Ok(_)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Error::Boot(format!("{LINK}={text:?} was not written by our supervisor; unset it")));
    };
    *TAKEN_UP.lock() = Some((PeId(pe), n_pes, adopt(now, fd as RawFd)?));
    now.remove_variable(LINK);
    Ok(())
}

/// The PE of this process, before the library has started.
#[cfg(feature = "testing")]
pub(crate) fn pe() -> Option<u32> {
    TAKEN_UP.lock().as_ref().map(|(pe, ..)| pe.0)
}

/// The variable that passes the link of this process on to the program it is about to become.
#[cfg(feature = "testing")]
pub(crate) fn hand_over() -> Option<(&'static str, String)> {
    let (pe, n_pes, link) = TAKEN_UP.lock().take()?;
    let link = link.into_owned()?;
    rustix::io::fcntl_setfd(&link, rustix::io::FdFlags::empty()).ok()?;
    let supervisor = rustix::process::getppid()?.as_raw_nonzero();
    Some((LINK, format!("{pe}:{n_pes}:{}:{supervisor}", link.into_raw_fd())))
}

/// Takes over the descriptor the supervisor left open for this process.
fn adopt(now: &BeforeMain, fd: RawFd) -> Result<Kept, Error> {
    let link = now.inherited(fd).and_then(Kept::new);
    link.map_err(|e| Error::Boot(format!("{LINK} names a descriptor that is not the link: {e}")))
}
