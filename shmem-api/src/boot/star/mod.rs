//! A job that a launcher started: what the PEs exchange goes over sockets to the first PE of each host, and from there to PE 0.
//!
//! ```text
//!   the launcher (PMIx, PMI-1 or MPI)            the sockets
//!   gathers one card of each PE once:            PE 1 ──frame──┐           ┌──► all frames
//!   which host, which process, PE 0's socket     PE 2 ──frame──┤►  PE 0  ──┤──► all frames
//!                                                              │           │
//!   of several hosts, a second time:             PE 4 ─► PE 3 ─┘           └──► PE 3 ─► PE 4
//!   `door`: the sockets of first PEs, a secret       Unix    TCP
//! ```
//!
//! | file | what |
//! |---|---|
//! | `meet` | who connects to whom |
//! | `door`, `knock` | what the first PEs of hosts show; how they come to PE 0 by TCP |
//! | `branch` | whom a centre hears and answers |
//! | `link` | one socket |
//!
//! Invariants:
//! * **STAR-A1** An exchange is answered when every PE has sent its part, or has ended: then a frame that says so stands in
//!   its place, and all the others know. Sockets break when a process ends; where a child of it has the socket still, the first PE of
//!   its host looks at the process. A link between hosts ends when the network does. Of a host whose first PE is gone all are.
//! * **STAR-A2** Each message has one length on both sides whatever went wrong, so that a later start finds the sockets
//!   between two messages. Where that cannot be, since the system refuses to send, all sockets of the PE that cannot are closed:
//!   nobody waits for it.

mod branch;
mod door;
mod knock;
mod link;
mod meet;

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use memheap::PeId;

use crate::boot::files;
use crate::boot::launcher::Launcher;
use crate::boot::mpi::owned;
use crate::boot::protocol::{Boot, FRAME, Frame, LEAVES, Passes, Secret, who_passes};
use crate::boot::star::branch::{Links, answer, collect, pass};
use crate::boot::star::meet::{Met, meet};
use crate::error::Error;
use crate::types::host_of::HostOf;
use crate::types::thread_level::ThreadLevel;

/// The job of a launcher.
pub(crate) struct Star {
    launcher: Box<dyn Launcher>,
    pe: PeId,
    hosts: HostOf,
    /// By host.
    names: Vec<String>,
    secret: Option<Secret>,
    /// Or why there are none: every exchange says so.
    links: Result<Links, Error>,
}

impl Star {
    /// Collective: everybody makes its sockets.
    pub(crate) fn over(mut launcher: Box<dyn Launcher>) -> Star {
        let (pe, n_pes) = (launcher.pe(), launcher.n_pes());
        let met = match n_pes {
            1 => Ok(Met::alone()),
            _ => meet(launcher.as_mut()),
        };
        match met {
            Ok(Met { hosts, names, secret, links }) => Star { launcher, pe, hosts, names, secret, links },
            Err(e) => {
                let hosts = HostOf::one(n_pes);
                Star { launcher, pe, hosts, names: Vec::new(), secret: None, links: Err(e) }
            }
        }
    }
}

impl Boot for Star {
    fn pe(&self) -> PeId {
        self.pe
    }

    fn n_pes(&self) -> u32 {
        self.hosts.as_slice().len() as u32
    }

    fn hosts(&self) -> &HostOf {
        &self.hosts
    }

    fn host_name(&self, pe: PeId) -> String {
        self.names.get(self.hosts.of(pe) as usize).cloned().unwrap_or_default()
    }

    fn secret(&self) -> Option<Secret> {
        self.secret
    }

    fn level(&self) -> ThreadLevel {
        self.launcher.level()
    }

    fn exchange(&mut self, mine: &Frame) -> Result<Vec<Frame>, Error> {
        self.launcher.may_start()?;
        let all = self.swap(mine)?;
        match all.iter().position(|frame| frame[0] == LEAVES) {
            Some(pe) => {
                Err(Error::Boot(format!("PE {pe} has left the job; PE {} starts the library", self.pe)))
            }
            None => Ok(all),
        }
    }

    /// One file after the other comes to the first PE of the host and goes to the others there.
    fn pass_files(
        &mut self,
        host: u32,
        mine: Option<BorrowedFd<'_>>,
        take: &mut dyn FnMut(usize, OwnedFd),
    ) -> io::Result<()> {
        let frame = Passes { file: mine.is_some(), host }.frame();
        let all = Passes::of_all(&self.exchange(&frame).map_err(io::Error::other)?)?;
        let links = self.links.as_ref().map_err(|e| io::Error::other(e.clone()))?;
        let (sent, passed) = match links.up.as_ref().filter(|(_, link)| link.is_here()) {
            None => pass(self.pe, &links.below, mine, &all, take),
            Some((_, link)) => {
                let number = self.pe.0.to_ne_bytes();
                let sent = mine.map_or(Ok(()), |file| files::send(link.open()?, &number, Some(file)));
                let has = who_passes(&all, self.pe).into_iter();
                let passed = match &sent {
                    Ok(()) => files::take_all(link.open()?, has, take, || link.wait()),
                    Err(_) => Ok(()),
                };
                (sent, passed)
            }
        };
        if let Err(e) = &sent {
            self.links = Err(self.broken(e));
        }
        sent.and(passed)
    }

    fn passes_on(&self, status: u8) -> bool {
        self.launcher.passes_on(status)
    }

    fn end_all(&mut self, status: u8) {
        self.launcher.end_all(status);
    }

    fn leave(mut self: Box<Self>) -> Result<(), Error> {
        let mut frame = [0; FRAME];
        frame[0] = LEAVES;
        if !owned::is_ours() {
            if let Ok(Links { up: Some((_, link)), below }) = &self.links {
                // It says that this PE, and with it those that cannot be reached without it, have not died; nobody waits for the answer.
                let speaks_for = 1 + below.iter().map(|branch| branch.pes.len()).sum::<usize>();
                let _ = link.send(&vec![frame; speaks_for]);
            }
            self.launcher.leave();
            return Ok(());
        }
        let all = self.swap(&frame)?;
        if let Some(pe) = all.iter().position(|frame| frame[0] != LEAVES) {
            // The launcher is not left: that would wait for that PE.
            std::mem::forget(self.launcher);
            let why = format!("PE {} leaves the job while PE {pe} starts the library", self.pe);
            return Err(Error::Boot(why));
        }
        owned::finalize(self.hosts.are_several());
        self.launcher.leave();
        Ok(())
    }
}

impl Star {
    fn swap(&mut self, mine: &Frame) -> Result<Vec<Frame>, Error> {
        let n_pes = self.n_pes() as usize;
        let links = self.links.as_mut().map_err(|e| e.clone())?;
        let swapped = collect(self.pe, mine, &mut links.below).and_then(|heard| {
            let all = match &links.up {
                None => heard,
                Some((_, up)) => {
                    up.send(&heard)?;
                    up.receive(n_pes)?
                }
            };
            answer(&links.below, &all)?;
            Ok(all)
        });
        swapped.map_err(|e| {
            let broken = self.broken(&e);
            self.links = Err(broken.clone());
            broken
        })
    }

    /// What is said from then on.
    fn broken(&self, e: &io::Error) -> Error {
        let me = self.pe;
        Error::Boot(match self.links.as_ref().ok().and_then(|links| links.up.as_ref()) {
            None => format!("PE {me} cannot reach the others: {e}"),
            Some((up, link)) => {
                format!("{} has left the job or ended, or its link to PE {me} broke: {e}", link.name(up))
            }
        })
    }
}
