//! Calls of MPI that begin something, and the requests by which it is seen to end.
#![allow(unsafe_code)]

use std::ffi::c_int;

use crate::boot::mpi::abi::{Abi, Functions, SUCCESS, Status};

/// MPI counts bytes by `int`, so what is long goes in pieces of so many.
pub(super) const PIECE: usize = 1 << 30;
/// The tag of messages; those of payloads are above.
pub(super) const MESSAGE: c_int = 0;
/// The last tag of payloads, which every MPI has.
pub(super) const LAST_TAG: u32 = 30_000;

/// What is under way of one message or payload: MPIP-Q1.
#[derive(Default)]
pub(super) struct Requests<H>(Vec<H>);

/// Bytes that have been found.
pub(super) struct Found<H> {
    pub(super) source: u32,
    pub(super) len: usize,
    message: H,
}

impl<H: Copy> Requests<H> {
    pub(super) fn new() -> Requests<H> {
        Requests(Vec::new())
    }
}

impl<A: Abi> Calls<A> {
    /// Sends bytes to a process, in pieces; adds to the requests.
    ///
    /// # Safety
    /// MPIP-Q1: they stay readable until the requests have ended.
    ///
    /// # Errors
    /// What MPI says.
    pub(super) unsafe fn send(
        &self,
        requests: &mut Requests<A::Handle>,
        (at, len): (*const u8, usize),
        (to, tag, comm): (u32, c_int, A::Handle),
    ) -> Result<(), String> {
        for (from, n) in pieces(len, self.piece) {
            let (at, mut request) = (at.wrapping_add(from).cast(), self.mpi.byte);
            // SAFETY: MPI-L2; MPIP-Q1, as the caller says.
            let code = unsafe {
                (self.mpi.isend)(at, n as c_int, self.mpi.byte, to as c_int, tag, comm, &raw mut request)
            };
            self.mpi.check("MPI_Isend", code)?;
            requests.0.push(request);
        }
        Ok(())
    }

    /// Receives what was so sent.
    ///
    /// # Safety
    /// MPIP-Q1: it stays writable until the requests have ended.
    ///
    /// # Errors
    /// What MPI says.
    pub(super) unsafe fn receive(
        &self,
        requests: &mut Requests<A::Handle>,
        (at, len): (*mut u8, usize),
        (from, tag, comm): (u32, c_int, A::Handle),
    ) -> Result<(), String> {
        for (offset, n) in pieces(len, self.piece) {
            let (at, mut request) = (at.wrapping_add(offset).cast(), self.mpi.byte);
            // SAFETY: MPI-L2; MPIP-Q1, as the caller says.
            let code = unsafe {
                (self.mpi.irecv)(at, n as c_int, self.mpi.byte, from as c_int, tag, comm, &raw mut request)
            };
            self.mpi.check("MPI_Irecv", code)?;
            requests.0.push(request);
        }
        Ok(())
    }

    /// A message that has come, of which nobody else is told.
    ///
    /// # Errors
    /// What MPI says.
    pub(super) fn find(&self, comm: A::Handle) -> Result<Option<Found<A::Handle>>, String> {
        let (mut flag, mut message, mut status) = (0, self.mpi.byte, Status::default());
        // SAFETY: MPI-L2.
        let code = unsafe {
            (self.mpi.improbe)(A::ANY_SOURCE, MESSAGE, comm, &raw mut flag, &raw mut message, &raw mut status)
        };
        self.mpi.check("MPI_Improbe", code)?;
        if flag == 0 {
            return Ok(None);
        }
        let mut len = 0;
        // SAFETY: MPI-L2: the status of a message.
        let code = unsafe { (self.mpi.get_count)(&raw const status, self.mpi.byte, &raw mut len) };
        self.mpi.check("MPI_Get_count", code)?;
        let (source, _) = status.source_and_tag::<A>();
        Ok(Some(Found { source: source as u32, len: usize::try_from(len).unwrap_or(0), message }))
    }

    /// Receives what was found into `room`, which is as long.
    ///
    /// # Safety
    /// MPIP-Q1: the room stays until the requests have ended.
    ///
    /// # Errors
    /// What MPI says.
    pub(super) unsafe fn take(
        &self,
        requests: &mut Requests<A::Handle>,
        mut found: Found<A::Handle>,
        room: &mut [u8],
    ) -> Result<(), String> {
        assert_eq!(room.len(), found.len, "a message is received as it was sent");
        let (at, n, mut request) = (room.as_mut_ptr().cast(), room.len() as c_int, self.mpi.byte);
        // SAFETY: MPI-L2: found once, taken once; MPIP-Q1, as the caller says.
        let code =
            unsafe { (self.mpi.imrecv)(at, n, self.mpi.byte, &raw mut found.message, &raw mut request) };
        self.mpi.check("MPI_Imrecv", code)?;
        requests.0.push(request);
        Ok(())
    }

    /// Whether all of it has ended.
    ///
    /// # Errors
    /// What MPI says: then some of it has failed, and ended.
    pub(super) fn have_ended(&self, requests: &mut Requests<A::Handle>) -> Result<bool, String> {
        while let Some(request) = requests.0.last_mut() {
            let (mut flag, mut status) = (0, Status::default());
            // SAFETY: MPI-L2: a request that has not been seen to end.
            let code = unsafe { (self.mpi.test)(request, &raw mut flag, &raw mut status) };
            if code == SUCCESS && flag == 0 {
                return Ok(false);
            }
            requests.0.pop();
            self.mpi.check("MPI_Test", code)?;
        }
        Ok(true)
    }

    /// What is being received is not wanted any more.
    pub(super) fn cancel(&self, requests: &mut Requests<A::Handle>) {
        for request in &mut requests.0 {
            // SAFETY: MPI-L2: a request that has not been seen to end.
            unsafe { (self.mpi.cancel)(request) };
        }
    }
}

/// MPI, and how long its messages may be.
#[derive(Clone, Copy)]
pub(super) struct Calls<A: Abi> {
    pub(super) mpi: Functions<A>,
    piece: usize,
}

impl<A: Abi> Calls<A> {
    /// `piece`: [`PIECE`], but in tests.
    pub(super) fn new(mpi: Functions<A>, piece: usize) -> Calls<A> {
        Calls { mpi, piece }
    }
}

/// Offsets and lengths.
fn pieces(len: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..len).step_by(most).map(move |from| (from, most.min(len - from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_all_of_it() {
        assert_eq!(pieces(0, 10).count(), 0);
        assert_eq!(pieces(25, 10).collect::<Vec<_>>(), [(0, 10), (10, 10), (20, 5)]);
        assert_eq!(pieces(20, 10).collect::<Vec<_>>(), [(0, 10), (10, 10)]);
        assert_eq!(pieces(3 << 30, PIECE).count(), 3);
    }
}
