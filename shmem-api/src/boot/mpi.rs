//! Boot through MPI: `mpirun` starts the PEs, MPI tells them apart and exchanges the first bytes.
//!
//! **MPI is ours to start, never ours to end early**: it cannot be initialised twice, so the library's
//! finalize leaves it up, and process exit ends it. Where the program initialised MPI itself, it also
//! ends it.

use ::mpi::Threading;
use ::mpi::environment::{self, Universe};
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::{Communicator, CommunicatorCollectives};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::SystemTime;

use memheap::PeId;

use crate::boot::files;
use crate::boot::files::named;
use crate::boot::protocol::{Boot, FAILED, FILES, FRAME, Frame, LEAVES, WELL};
use crate::error::Error;
use crate::types::thread_level::ThreadLevel;

/// What the MPI that this was built with calls itself, in one line. May be called at any time.
pub fn mpi_version() -> String {
    let text = environment::library_version().unwrap_or_default();
    let line = text.lines().next().unwrap_or_default().trim_end_matches('\0');
    let line = line.split(", package").next().unwrap_or_default();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The job MPI's world communicator spans.
pub(crate) struct MpiBoot {
    /// Present if this library initialised MPI; dropping it finalizes MPI.
    ours: Option<Universe>,
    level: ThreadLevel,
    pe: PeId,
    n_pes: u32,
}

impl MpiBoot {
    /// Initialises MPI, or joins a program that has done so. MPI can be initialised once, so it is asked for the
    /// most that a later init could want.
    pub(crate) fn join() -> Result<MpiBoot, Error> {
        if environment::is_finalized() {
            return Err(Error::Boot("MPI has been finalized already and cannot be started again".into()));
        }
        let ours = environment::initialize_with_threading(Threading::Multiple).map(|(universe, _)| universe);
        let level = level(environment::threading_support());
        let world = SimpleCommunicator::world();
        let (rank, size) = (world.rank(), world.size());
        let number =
            |n: i32| u32::try_from(n).map_err(|_| Error::Boot(format!("MPI says rank {rank} of {size}")));
        Ok(MpiBoot { ours, level, pe: PeId(number(rank)?), n_pes: number(size)? })
    }
}

impl Boot for MpiBoot {
    fn pe(&self) -> PeId {
        self.pe
    }

    fn n_pes(&self) -> u32 {
        self.n_pes
    }

    fn level(&self) -> ThreadLevel {
        self.level
    }

    fn exchange(&mut self, mine: &Frame) -> Result<Vec<Frame>, Error> {
        if environment::is_finalized() {
            return Err(Error::Boot("MPI has been finalized; the library cannot be started again".into()));
        }
        let all = self.gather(mine);
        match all.iter().position(|frame| frame[0] == LEAVES) {
            Some(pe) => {
                Err(Error::Boot(format!("PE {pe} has left the job; PE {} starts the library", self.pe)))
            }
            None => Ok(all),
        }
    }

    /// PE 0 connects to a socket of each other PE, whose name was exchanged; only a process of the same user, and the
    /// one that said so, is talked to. The sockets are gone when the files have been passed.
    fn pass_files(
        &mut self,
        mine: Option<BorrowedFd<'_>>,
        take: &mut dyn FnMut(usize, OwnedFd),
    ) -> io::Result<()> {
        if self.n_pes == 1 {
            return Ok(());
        }
        let (me, pid) = (self.pe.0 as usize, std::process::id());
        let listener = if me == 0 { Ok(None) } else { listen(pid).map(Some) };
        let mut frame = [0; FRAME];
        frame[..2].copy_from_slice(&[FILES, u8::from(mine.is_some())]);
        frame[4..8].copy_from_slice(&pid.to_ne_bytes());
        match &listener {
            Ok(Some((_, name))) => frame[NAME..NAME + name.len()].copy_from_slice(name.as_bytes()),
            Ok(None) => {}
            Err(e) => frame = failure(e),
        }
        let all = self.exchange(&frame).map_err(io::Error::other)?;
        let has = crate::boot::protocol::who_passes(&all, self.pe)?;
        let pid_of = |pe: usize| i32::from_ne_bytes([4, 5, 6, 7].map(|i| all[pe][i]));
        let links = match me {
            0 => (1..all.len()).map(|pe| connect(pe, &all[pe][NAME..], pid_of(pe))).collect(),
            _ => Ok(Vec::new()),
        };
        let answer = links.as_ref().map_or_else(failure, |_| [WELL; FRAME]);
        let answers = self.exchange(&answer).map_err(io::Error::other)?;
        if me != 0 && answers[0][0] == FAILED {
            let text = String::from_utf8_lossy(&answers[0][1..]).into_owned();
            return Err(io::Error::other(format!("PE 0: {}", text.trim_end_matches('\0'))));
        }
        let links: Vec<UnixStream> = links?;
        let Some((listener, _)) = listener? else {
            return at_centre(&links, mine, &has, take);
        };
        let link = loop {
            let (link, _) = listener.accept().map_err(|e| named("accept", e))?;
            if is_process(&link, pid_of(0))? {
                break link;
            }
        };
        if mine.is_some() {
            files::send(&link, &(me as u32).to_ne_bytes(), mine)?;
        }
        files::take_all(&link, has.into_iter(), take)
    }

    /// `MPI_Abort` passes the status on under every MPI. Which threads may call it is the level's affair.
    fn end_all(&mut self, status: u8) {
        let mine =
            self.level >= ThreadLevel::Serialized || rustix::thread::gettid() == rustix::process::getpid();
        if mine && !environment::is_finalized() {
            SimpleCommunicator::world().abort(status.into());
        }
    }

    /// `MPI_Finalize` waits for every PE, so all must be at process exit before any calls it.
    fn leave(self: Box<Self>) -> Result<(), Error> {
        if environment::is_finalized() {
            // The program has done so: dropping it would, once more.
            std::mem::forget(self.ours);
            return Ok(());
        }
        if self.ours.is_none() {
            return Ok(());
        }
        let mut frame = [0; FRAME];
        frame[0] = LEAVES;
        let all = self.gather(&frame);
        if let Some(pe) = all.iter().position(|frame| frame[0] != LEAVES) {
            let why = format!("PE {} leaves the job while PE {pe} starts the library", self.pe);
            // Not dropped: that is `MPI_Finalize`, which would wait for that PE.
            std::mem::forget(self.ours);
            return Err(Error::Boot(why));
        }
        drop(self.ours);
        Ok(())
    }
}

impl MpiBoot {
    fn gather(&self, mine: &Frame) -> Vec<Frame> {
        let mut all = vec![0u8; FRAME * self.n_pes as usize];
        SimpleCommunicator::world().all_gather_into(&mine[..], &mut all[..]);
        all.as_chunks::<FRAME>().0.to_vec()
    }
}

/// Where the name of a PE's socket lies in its frame.
const NAME: usize = 8;

/// A socket that PE 0 can connect to. It has no place in any file system.
fn listen(pid: u32) -> io::Result<(UnixListener, String)> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    let name = format!("shmem-{pid}-{now}");
    let address = SocketAddr::from_abstract_name(&name).map_err(|e| named("socket name", e))?;
    let listener = UnixListener::bind_addr(&address).map_err(|e| named("socket, bind or listen", e))?;
    Ok((listener, name))
}

fn connect(pe: usize, name: &[u8], pid: i32) -> io::Result<UnixStream> {
    let name = name.split(|b| *b == 0).next().unwrap_or_default();
    let link = SocketAddr::from_abstract_name(name).and_then(|address| UnixStream::connect_addr(&address));
    let link = link.map_err(|e| named(&format!("socket or connect, to PE {pe}"), e))?;
    match is_process(&link, pid)? {
        true => Ok(link),
        false => Err(io::Error::other(format!("the socket of PE {pe} is another process's"))),
    }
}

/// Whether the other side is this process, of this user.
fn is_process(link: &UnixStream, pid: i32) -> io::Result<bool> {
    let other =
        rustix::net::sockopt::socket_peercred(link).map_err(|e| named("getsockopt(SO_PEERCRED)", e))?;
    Ok(other.pid.as_raw_nonzero().get() == pid && other.uid == rustix::process::geteuid())
}

/// On PE 0. `has`: the others that pass a file.
fn at_centre(
    links: &[UnixStream],
    mine: Option<BorrowedFd<'_>>,
    has: &[usize],
    take: &mut dyn FnMut(usize, OwnedFd),
) -> io::Result<()> {
    if let Some(mine) = mine {
        files::pass_on(links.iter(), 0, mine)?;
    }
    for &pe in has {
        let mut number = [0; 4];
        let file = files::receive(&links[pe - 1], &mut number).map_err(|e| named(&format!("PE {pe}"), e))?;
        let file = file.ok_or_else(|| io::Error::other(format!("the file of PE {pe} did not arrive")))?;
        let others = links.iter().enumerate().filter(|(i, _)| i + 1 != pe);
        files::pass_on(others.map(|(_, link)| link), pe, std::os::fd::AsFd::as_fd(&file))?;
        take(pe, file);
    }
    Ok(())
}

fn failure(e: &io::Error) -> Frame {
    let mut frame = [0; FRAME];
    frame[0] = FAILED;
    let text = e.to_string();
    let n = text.len().min(FRAME - 1);
    frame[1..=n].copy_from_slice(&text.as_bytes()[..n]);
    frame
}

fn level(raw: Threading) -> ThreadLevel {
    match raw {
        Threading::Single => ThreadLevel::Single,
        Threading::Funneled => ThreadLevel::Funneled,
        Threading::Serialized => ThreadLevel::Serialized,
        Threading::Multiple => ThreadLevel::Multiple,
    }
}
