//! What a boot is, and what PEs send each other by it.

use std::os::fd::{BorrowedFd, OwnedFd};

use memheap::PeId;

use crate::error::Error;
use crate::types::host_of::HostOf;
use crate::types::thread_level::ThreadLevel;

/// What PEs of different hosts know each other by.
pub(crate) type Secret = [u8; 16];

/// A job that this process has joined.
pub(crate) trait Boot: Send {
    /// This PE's number.
    fn pe(&self) -> PeId;

    /// How many PEs there are.
    fn n_pes(&self) -> u32;

    /// Which of them is on which host.
    fn hosts(&self) -> &HostOf;

    /// What the host of a PE is called.
    fn host_name(&self, pe: PeId) -> String;

    /// 128 random bits that only the PEs of this job know; none where all are on one host.
    fn secret(&self) -> Option<Secret>;

    /// The thread level this process may use.
    fn level(&self) -> ThreadLevel;

    /// Collective: gives `mine` and gets everybody's, in PE order.
    fn exchange(&mut self, mine: &Frame) -> Result<Vec<Frame>, Error>;

    /// Collective: gives the others of this PE's host `mine`, if there is one, and hands each of theirs to `take`, by PE. `host` is
    /// the same number for those that count as being on one, which must be. It may fail on one PE only; a step that follows tells
    /// the others.
    fn pass_files(
        &mut self,
        host: u32,
        mine: Option<BorrowedFd<'_>>,
        take: &mut dyn FnMut(usize, OwnedFd),
    ) -> std::io::Result<()>;

    /// Whether [`end_all`](Boot::end_all) makes that the status of the launcher; else each PE must leave with it.
    fn passes_on(&self, status: u8) -> bool;

    /// Ends all PEs such that the launcher exits with `status`, if there is a way to. (A process that just leaves with
    /// a status other than 0 ends them all, too, but then a launcher may report that of one it has killed.) Any
    /// thread may call it. It returns if there is none.
    fn end_all(&mut self, status: u8);

    /// Called once, at process exit, when the library is down: leaves the job in good order. An error if
    /// other PEs are at a start meanwhile.
    fn leave(self: Box<Self>) -> Result<(), Error>;
}

/// What a PE sends in one exchange: always as long, so that PEs at different steps still understand each
/// other. The first byte says what it is.
pub(crate) type Frame = [u8; FRAME];

/// Bytes of a frame.
pub(crate) const FRAME: usize = 1024;

/// First byte of a frame: this PE is well.
pub(crate) const WELL: u8 = 0;
/// First byte of a frame: this PE has failed; a text follows.
pub(crate) const FAILED: u8 = 1;
/// First byte of a frame: this PE is at process exit.
pub(crate) const LEAVES: u8 = 2;
/// First byte of a frame: this PE ends the job, with the status in the second.
pub(crate) const ENDS: u8 = 3;
/// First byte of a frame: this PE is passing files.
const FILES: u8 = 4;

/// What a PE says before files are passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Passes {
    /// It passes a file.
    pub(crate) file: bool,
    /// To those of the same number.
    pub(crate) host: u32,
}

impl Passes {
    pub(crate) fn frame(self) -> Frame {
        let mut frame = [0; FRAME];
        frame[..2].copy_from_slice(&[FILES, u8::from(self.file)]);
        frame[2..6].copy_from_slice(&self.host.to_ne_bytes());
        frame
    }

    /// What a frame says, if it is of this kind.
    pub(crate) fn of(frame: &Frame) -> Option<Passes> {
        let [FILES, file, a, b, c, d, ..] = *frame else { return None };
        Some(Passes { file: file == 1, host: u32::from_ne_bytes([a, b, c, d]) })
    }

    /// What all frames say; an error if one is of another kind.
    pub(crate) fn of_all(all: &[Frame]) -> std::io::Result<Vec<Passes>> {
        let of = |(pe, frame): (usize, &Frame)| {
            Passes::of(frame).ok_or_else(|| {
                let text = String::from_utf8_lossy(&frame[1..]);
                std::io::Error::other(match frame[0] {
                    FAILED => format!("PE {pe}: {}", text.trim_end_matches('\0')),
                    _ => format!("PE {pe} is at something else"),
                })
            })
        };
        all.iter().enumerate().map(of).collect()
    }
}

/// Which other PEs pass a file to `me`.
pub(crate) fn who_passes(all: &[Passes], me: PeId) -> Vec<usize> {
    let to_me =
        |pe: &usize| *pe != me.0 as usize && all[*pe].file && all[*pe].host == all[me.0 as usize].host;
    (0..all.len()).filter(to_me).collect()
}

/// The frame of a PE that has failed.
pub(crate) fn failure(e: &std::io::Error) -> Frame {
    let mut frame = [0; FRAME];
    frame[0] = FAILED;
    let text = e.to_string();
    let n = text.len().min(FRAME - 1);
    frame[1..=n].copy_from_slice(&text.as_bytes()[..n]);
    frame
}
