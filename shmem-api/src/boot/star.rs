//! A job that a launcher started: PE 0 has a socket to each other PE, and passes on what they exchange.
//!
//! ```text
//!   the launcher (PMIx, PMI-1 or MPI)            the sockets
//!   gathers one card of each PE once:            PE 1 ──frame──┐           ┌──► all frames
//!   which host, which process, PE 0's socket     PE 2 ──frame──┤►  PE 0  ──┤──► all frames
//!                                                PE 3 ──frame──┘           └──► all frames
//! ```
//!
//! Invariants:
//! * **STAR-A1** An exchange is answered when every PE has sent its part, or has ended: then a frame that says so stands in
//!   its place, and all the others know. Sockets break when a process ends; where a child of it has the socket still, PE 0
//!   looks at the process.
//! * **STAR-A2** Each message has one length on both sides whatever went wrong, so that a later start finds the sockets
//!   between two messages. Where that cannot be, since the system refuses to send, all sockets of the PE that cannot are closed:
//!   nobody waits for it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use memheap::PeId;
use memheap::region::kept::Kept;

use crate::boot::files::{self, named};
use crate::boot::host::all_on_one;
use crate::boot::launcher::{Card, Launcher};
use crate::boot::mpi::owned;
use crate::boot::protocol::{Boot, FILES, FRAME, Frame, LEAVES, failure, who_passes};
use crate::boot::sockets::{accept_from, connect_to, is_alive, open, open_named, ready};
use crate::error::Error;
use crate::types::thread_level::ThreadLevel;

/// How long PE 0 waits for a PE that has shown its card, and runs, to connect.
const CONNECT: Duration = Duration::from_secs(60);

/// The job of a launcher.
pub(crate) struct Star {
    launcher: Box<dyn Launcher>,
    pe: PeId,
    n_pes: u32,
    /// Or why there are none: every exchange says so.
    links: Result<Links, Error>,
}

enum Links {
    /// Of PE 0: to the PEs 1 and on.
    Centre(Vec<Link>),
    /// Of every other: to PE 0.
    Ray(Link),
}

struct Link {
    socket: Kept,
    pid: i32,
    /// What stands in place of its part: its last word, or that it has ended.
    last: Option<Box<Frame>>,
}

impl Star {
    /// Collective: everybody makes its sockets.
    pub(crate) fn over(mut launcher: Box<dyn Launcher>) -> Star {
        let (pe, n_pes) = (launcher.pe(), launcher.n_pes());
        let links = match n_pes {
            1 => Ok(Links::Centre(Vec::new())),
            _ => meet(launcher.as_mut()),
        };
        Star { launcher, pe, n_pes, links }
    }
}

/// The sockets of this PE. What may fail without a word to the others comes before the cards.
fn meet(launcher: &mut dyn Launcher) -> Result<Links, Error> {
    let me = launcher.pe();
    let socket = match me.0 {
        0 => open_named(),
        _ => open().map(|socket| (socket, String::new())),
    };
    let cards = launcher.gather(&Card::new(socket.as_ref().map(|(_, name)| name.as_str())))?;
    let (socket, _) = socket.map_err(|e| Error::Boot(format!("PE {me}: {e}")))?;
    all_on_one(me, &cards.iter().map(|card| card.host).collect::<Vec<_>>())?;
    for (pe, card) in (0..).map(PeId).zip(&cards) {
        card.socket().map_err(|why| Error::Elsewhere { pe, why })?;
    }
    let pid = |pe: usize| cards[pe].pid();
    if me.0 == 0 {
        let links = accept_all(&socket, &(1..cards.len()).map(pid).collect::<Vec<_>>())?;
        return Ok(Links::Centre(links));
    }
    let name = cards[0].socket().unwrap_or_default();
    let link = connect_to(&socket, &name, pid(0)).and_then(|()| Link::new(socket, pid(0)));
    Ok(Links::Ray(link.map_err(|e| Error::Boot(format!("PE {me}, to PE 0: {e}")))?))
}

/// On PE 0: the links of the processes `pids`, which are those of PE 1 and on.
fn accept_all(socket: &OwnedFd, pids: &[i32]) -> Result<Vec<Link>, Error> {
    let fail = |e: io::Error| Error::Boot(format!("PE 0: {e}"));
    let mut links: Vec<Option<Link>> = pids.iter().map(|_| None).collect();
    let start = Instant::now();
    while let Some(missing) = links.iter().position(Option::is_none) {
        if ready(&[socket], false).map_err(fail)?.is_empty() {
            let gone = (0..pids.len()).find(|&i| links[i].is_none() && !is_alive(pids[i]));
            // It may have connected, and sent something, before it ended.
            if let Some(gone) = gone.filter(|_| ready(&[socket], true).is_ok_and(|r| r.is_empty())) {
                return Err(Error::Boot(format!("PE {} {ENDED}", gone + 1)));
            }
            if start.elapsed() > CONNECT {
                let why =
                    format!("PE {} has not connected to PE 0 within {} s", missing + 1, CONNECT.as_secs());
                return Err(Error::Boot(why));
            }
            continue;
        }
        let Some((link, pid)) = accept_from(socket).map_err(fail)? else { continue };
        // A process of this user that is no PE is left alone.
        if let Some(i) = pids.iter().position(|&p| p == pid) {
            links[i] = Some(Link::new(link, pid).map_err(fail)?);
        }
    }
    Ok(links.into_iter().flatten().collect())
}

/// Of a PE that the others wait for.
const ENDED: &str = "ended without joining PE 0 at its start";

impl Link {
    fn new(socket: OwnedFd, pid: i32) -> io::Result<Link> {
        Ok(Link { socket: Kept::new(socket).map_err(|e| named("fcntl", e))?, pid, last: None })
    }

    fn open(&self) -> io::Result<BorrowedFd<'_>> {
        self.socket.get().ok_or_else(|| io::Error::other("the program has closed a socket between the PEs"))
    }

    /// Waits until it brings something, or is closed; an error if its process has ended and it brings nothing.
    fn wait(&self) -> io::Result<()> {
        while ready(&[self.open()?], false)?.is_empty() {
            if !is_alive(self.pid) && ready(&[self.open()?], true)?.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the other side has ended"));
            }
        }
        Ok(())
    }

    /// After its socket broke.
    fn how_it_ended(&self) -> io::Error {
        let start = Instant::now();
        while is_alive(self.pid) && start.elapsed() < Duration::from_millis(500) {
            std::thread::sleep(Duration::from_millis(5));
        }
        io::Error::other(match is_alive(self.pid) {
            true => "closed its link to PE 0, or became another program, without joining PE 0 at its start",
            false => ENDED,
        })
    }
}

/// On PE 0: everybody's frames, and who ended in place of those that have (STAR-A1).
fn collect(links: &mut [Link], mine: &Frame) -> io::Result<Vec<Frame>> {
    let mut all = vec![[0; FRAME]; links.len() + 1];
    all[0] = *mine;
    let mut pending: Vec<usize> = Vec::new();
    for (i, link) in links.iter().enumerate() {
        match &link.last {
            Some(last) => all[i + 1] = **last,
            None => pending.push(i),
        }
    }
    while !pending.is_empty() {
        let fds = pending.iter().map(|&i| links[i].open()).collect::<io::Result<Vec<_>>>()?;
        let mut heard: Vec<usize> = ready(&fds, false)?.into_iter().map(|at| pending[at]).collect();
        if heard.is_empty() {
            heard = pending.iter().copied().filter(|&i| !is_alive(links[i].pid)).collect();
        }
        for i in heard {
            let link = &mut links[i];
            let got = link.wait().and_then(|()| files::receive(link.open()?, &mut all[i + 1]).map(drop));
            if got.is_err() {
                all[i + 1] = failure(&link.how_it_ended());
            }
            if got.is_err() || all[i + 1][0] == LEAVES {
                link.last = Some(Box::new(all[i + 1]));
            }
            pending.retain(|&p| p != i);
        }
    }
    Ok(all)
}

/// On PE 0: everybody hears of all; who has ended in between is noticed later.
fn answer(links: &[Link], bytes: &[u8], file: Option<BorrowedFd<'_>>) -> io::Result<()> {
    links.iter().try_for_each(|link| files::tell(link.open()?, bytes, file))
}

impl Boot for Star {
    fn pe(&self) -> PeId {
        self.pe
    }

    fn n_pes(&self) -> u32 {
        self.n_pes
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

    /// One file after the other comes to PE 0 and goes to all others.
    fn pass_files(
        &mut self,
        mine: Option<BorrowedFd<'_>>,
        take: &mut dyn FnMut(usize, OwnedFd),
    ) -> io::Result<()> {
        let mut frame = [0; FRAME];
        frame[..2].copy_from_slice(&[FILES, u8::from(mine.is_some())]);
        let all = self.exchange(&frame).map_err(io::Error::other)?;
        let has = who_passes(&all, self.pe)?;
        let (sent, passed) = match self.links.as_ref().map_err(|e| io::Error::other(e.clone()))? {
            Links::Centre(links) => at_centre(links, mine, &has, take),
            Links::Ray(link) => {
                let number = self.pe.0.to_ne_bytes();
                let sent = mine.map_or(Ok(()), |file| files::send(link.open()?, &number, Some(file)));
                let passed = match &sent {
                    Ok(()) => files::take_all(link.open()?, has.into_iter(), take, || link.wait()),
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
            if let Ok(Links::Ray(link)) = &self.links
                && let Ok(socket) = link.open()
            {
                // It says that this PE has not died; nobody waits for the answer.
                let _ = files::send(socket, &frame, None);
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
        owned::finalize();
        self.launcher.leave();
        Ok(())
    }
}

impl Star {
    fn swap(&mut self, mine: &Frame) -> Result<Vec<Frame>, Error> {
        let swapped = match self.links.as_mut().map_err(|e| e.clone())? {
            Links::Centre(links) => collect(links, mine).and_then(|all| {
                answer(links, all.as_flattened(), None)?;
                Ok(all)
            }),
            Links::Ray(link) => link.open().and_then(|socket| {
                let mut all = vec![[0u8; FRAME]; self.n_pes as usize];
                files::send(socket, mine, None)?;
                link.wait()?;
                files::receive(socket, all.as_flattened_mut())?;
                Ok(all)
            }),
        };
        swapped.map_err(|e| {
            let broken = self.broken(&e);
            self.links = Err(broken.clone());
            broken
        })
    }

    /// What is said from then on.
    fn broken(&self, e: &io::Error) -> Error {
        Error::Boot(match self.pe.0 {
            0 => format!("PE 0 cannot reach the others: {e}"),
            me => format!("PE 0 has left the job or ended, or its link to PE {me} broke: {e}"),
        })
    }
}

/// On PE 0. `has`: the others that pass a file. Each of the others hears once of each file (STAR-A2), unless that cannot be
/// sent: the first result; the second is of what came.
fn at_centre(
    links: &[Link],
    mine: Option<BorrowedFd<'_>>,
    has: &[usize],
    take: &mut dyn FnMut(usize, OwnedFd),
) -> (io::Result<()>, io::Result<()>) {
    let mut done = Ok(());
    let mut sent = mine.map_or(Ok(()), |mine| answer(links, &0u32.to_ne_bytes(), Some(mine)));
    for &pe in has {
        if sent.is_err() {
            break;
        }
        let mut number = [0; 4];
        let link = &links[pe - 1];
        let got = link.wait().and_then(|()| files::receive(link.open()?, &mut number));
        let file = got.map_err(|e| named(&format!("PE {pe}"), e)).and_then(|file| {
            file.ok_or_else(|| io::Error::other(format!("the file of PE {pe} did not arrive")))
        });
        let mut others = links.iter().enumerate().filter(|(i, _)| i + 1 != pe);
        let passed = file.as_ref().ok().map(AsFd::as_fd);
        sent = others.try_for_each(|(_, link)| files::tell(link.open()?, &(pe as u32).to_ne_bytes(), passed));
        match file {
            Ok(file) => take(pe, file),
            Err(e) => done = done.and(Err(e)),
        }
    }
    (sent, done)
}
