//! What a boot is, and what PEs send each other by it.

use std::os::fd::{BorrowedFd, OwnedFd};

use memheap::PeId;

use crate::error::Error;
use crate::types::thread_level::ThreadLevel;

/// A job that this process has joined.
pub(crate) trait Boot: Send {
    /// This PE's number.
    fn pe(&self) -> PeId;

    /// How many PEs there are.
    fn n_pes(&self) -> u32;

    /// The thread level this process may use.
    fn level(&self) -> ThreadLevel;

    /// Collective: gives `mine` and gets everybody's, in PE order.
    fn exchange(&mut self, mine: &Frame) -> Result<Vec<Frame>, Error>;

    /// Collective: gives the others `mine`, if there is one, and hands each of theirs to `take`, by PE. It may fail on one
    /// PE only; a step that follows tells the others.
    fn pass_files(
        &mut self,
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
/// First byte of a frame: this PE is passing files; the second is 1 if it has one.
pub(crate) const FILES: u8 = 4;

/// After everybody's frames: which other PEs pass a file.
pub(crate) fn who_passes(all: &[Frame], me: PeId) -> std::io::Result<Vec<usize>> {
    match all.iter().position(|frame| frame[0] != FILES) {
        Some(pe) if all[pe][0] == FAILED => {
            let text = String::from_utf8_lossy(&all[pe][1..]);
            Err(std::io::Error::other(format!("PE {pe}: {}", text.trim_end_matches('\0'))))
        }
        Some(pe) => Err(std::io::Error::other(format!("PE {pe} is at something else"))),
        None => Ok((0..all.len()).filter(|&pe| pe != me.0 as usize && all[pe][1] == 1).collect()),
    }
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
