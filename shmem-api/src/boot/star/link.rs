//! A socket to another PE: of this host, which is looked at as a process, too, or of another, by TCP.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use memheap::region::kept::Kept;

use crate::boot::files::{self, named};
use crate::boot::protocol::{FRAME, Frame};
use crate::boot::sockets::{is_alive, ready};

/// A socket to a PE.
pub(super) struct Link {
    socket: Kept,
    to: To,
}

/// Who is at the other side.
pub(super) enum To {
    /// This process, on this host.
    Process(i32),
    /// A process of the host of that name.
    Host(String),
}

/// Of a PE that the others wait for.
pub(super) const ENDED: &str = "ended without joining PE 0 at its start";

impl Link {
    pub(super) fn new(socket: OwnedFd, to: To) -> io::Result<Link> {
        Ok(Link { socket: Kept::new(socket).map_err(|e| named("fcntl", e))?, to })
    }

    pub(super) fn open(&self) -> io::Result<BorrowedFd<'_>> {
        self.socket.get().ok_or_else(|| io::Error::other("the program has closed a socket between the PEs"))
    }

    /// Whether the process at the other side has ended, as far as that can be seen: of another host, its socket alone tells.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.to, To::Process(pid) if !is_alive(pid))
    }

    /// Whether the other side is on this host.
    pub(super) fn is_here(&self) -> bool {
        matches!(self.to, To::Process(_))
    }

    /// Waits until it brings something, or is closed; an error if its process has ended and it brings nothing.
    pub(super) fn wait(&self) -> io::Result<()> {
        while ready(&[self.open()?], false)?.is_empty() {
            if self.has_ended() && ready(&[self.open()?], true)?.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the other side has ended"));
            }
        }
        Ok(())
    }

    pub(super) fn send(&self, frames: &[Frame]) -> io::Result<()> {
        files::send(self.open()?, frames.as_flattened(), None)
    }

    /// Waits for so many frames.
    pub(super) fn receive(&self, n: usize) -> io::Result<Vec<Frame>> {
        let mut frames = vec![[0; FRAME]; n];
        self.wait()?;
        files::receive(self.open()?, frames.as_flattened_mut())?;
        Ok(frames)
    }

    /// Which PE's other side it is called in a line.
    pub(super) fn name(&self, pe: impl std::fmt::Display) -> String {
        match &self.to {
            To::Process(_) => format!("PE {pe}"),
            To::Host(host) => format!("PE {pe} on {host}"),
        }
    }

    /// After it broke, for this reason.
    pub(super) fn how_it_ended(&self, why: &io::Error) -> io::Error {
        let pid = match &self.to {
            To::Process(pid) => *pid,
            To::Host(host) => {
                return io::Error::other(format!(
                    "ended, or its host {host} or the link there is lost: {why}"
                ));
            }
        };
        let start = Instant::now();
        while is_alive(pid) && start.elapsed() < Duration::from_millis(500) {
            std::thread::sleep(Duration::from_millis(5));
        }
        io::Error::other(match is_alive(pid) {
            true => "closed its link to PE 0, or became another program, without joining PE 0 at its start",
            false => ENDED,
        })
    }
}
