//! Descriptors that are kept open while the program runs, whatever the program does with descriptors.
//!
//! A program may close every descriptor it finds, open its own files under the same numbers, or have closed its
//! standard streams so that whatever is opened next becomes one of them. So a descriptor that is kept has a number
//! above those that programs use, is closed by `exec`, and is used or closed only after a look at which file it is.
//!
//! * **KEPT-E1** a [`Kept`] hands out and closes the file it was made from, or nothing. (There is no guard against
//!   another thread of the program that closes it at that very moment.)
//! * **KEPT-E2** a number that may be anybody's, or nobody's, is only asked which file it is.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use rustix::io::{Errno, fcntl_dupfd_cloexec, fcntl_getfd};
use rustix::process::{Resource, getrlimit};

/// Kept descriptors have this number or a higher one, where the limit of descriptors allows it.
const HIGH: u64 = 512;

/// The standard streams are the descriptors below: programs use them without having opened them.
const STREAMS: RawFd = 3;

/// A descriptor that is kept; see KEPT-E1.
#[derive(Debug)]
pub struct Kept {
    fd: RawFd,
    /// Device and number of the file.
    inode: (u64, u64),
}

impl Kept {
    /// Keeps `fd`, under another number.
    ///
    /// # Errors
    /// There is no other descriptor left, and this one is a standard stream.
    pub fn new(fd: OwnedFd) -> io::Result<Kept> {
        Kept::here(raised(fd)?)
    }

    /// Keeps it where it is.
    fn here(fd: OwnedFd) -> io::Result<Kept> {
        let inode = inode(fd.as_fd())?;
        Ok(Kept { fd: fd.into_raw_fd(), inode })
    }

    /// The descriptor, if its number is still that of the file. Makes system calls only.
    pub fn get(&self) -> Option<BorrowedFd<'_>> {
        // SAFETY: KEPT-E2: it is asked which file it is, and handed out only if it is the one of KEPT-E1.
        let fd = unsafe { BorrowedFd::borrow_raw(self.fd) };
        (inode(fd) == Ok(self.inode)).then_some(fd)
    }

    /// Gives it up, still open.
    pub fn into_owned(self) -> Option<OwnedFd> {
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: KEPT-E1: it is this file, made from an owned descriptor, and `this` is not dropped.
        this.get().map(|fd| unsafe { OwnedFd::from_raw_fd(fd.as_raw_fd()) })
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.get().is_some() {
            // SAFETY: KEPT-E1: it is this file, made from an owned descriptor, which nothing uses after the drop.
            drop(unsafe { OwnedFd::from_raw_fd(self.fd) });
        }
    }
}

/// The same open file under a number that no program uses for its own, closed by `exec`.
fn raised(fd: OwnedFd) -> io::Result<OwnedFd> {
    // Not higher than needed: the kernel's table of descriptors is as long as the highest number.
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(HIGH * 2);
    let high = HIGH.min(limit / 2) as RawFd;
    match fcntl_dupfd_cloexec(&fd, high.max(STREAMS)).or_else(|_| fcntl_dupfd_cloexec(&fd, STREAMS)) {
        Ok(raised) => Ok(raised),
        Err(_) if fd.as_raw_fd() >= STREAMS => {
            rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
            Ok(fd)
        }
        Err(e) => Err(e.into()),
    }
}

fn inode(fd: BorrowedFd<'_>) -> Result<(u64, u64), Errno> {
    let stat = rustix::fs::fstat(fd)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// Stands in for those standard streams that are closed, as long as it lives, so that no file that is opened meanwhile
/// becomes one of them.
#[derive(Debug)]
pub struct Streams {
    _held: Vec<Kept>,
}

impl Streams {
    /// From here on streams that were closed read as empty, and what is written to them is lost.
    ///
    /// # Errors
    /// The system has no descriptor or no memory for it.
    pub fn hold() -> io::Result<Streams> {
        let mut held = Vec::new();
        for stream in 0..STREAMS {
            // SAFETY: KEPT-E2: it is only asked whether it is open.
            let closed = fcntl_getfd(unsafe { BorrowedFd::borrow_raw(stream) }) == Err(Errno::BADF);
            if closed {
                // A new descriptor gets the lowest free number, which is this one.
                let flags = rustix::fs::MemfdFlags::CLOEXEC;
                held.push(Kept::here(rustix::fs::memfd_create("shmem-stream", flags)?)?);
            }
        }
        Ok(Streams { _held: held })
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    fn file() -> OwnedFd {
        rustix::fs::memfd_create("test", rustix::fs::MemfdFlags::CLOEXEC).unwrap()
    }

    #[test]
    fn a_number_that_is_anothers_now_is_left_alone() {
        let kept = Kept::new(file()).unwrap();
        let number = kept.fd;
        assert!(number >= STREAMS && kept.get().is_some());
        // This is what a program does that closes whatever it finds, and opens its own.
        // SAFETY: the number is open, and KEPT-E1 is what is tested.
        drop(unsafe { OwnedFd::from_raw_fd(number) });
        assert!(kept.get().is_none());
        let other = rustix::io::fcntl_dupfd_cloexec(file(), number).unwrap();
        assert_eq!(other.as_raw_fd(), number);
        assert!(kept.get().is_none());
        drop(kept);
        assert!(rustix::fs::fstat(&other).is_ok(), "closed by what it was not");
    }

    #[test]
    fn what_is_kept_is_closed() {
        let kept = Kept::new(file()).unwrap();
        let number = kept.fd;
        drop(kept);
        // SAFETY: KEPT-E2: it is only asked what it is; another test may have opened it again.
        let now = unsafe { BorrowedFd::borrow_raw(number) };
        assert!(fcntl_getfd(now) == Err(Errno::BADF) || number < HIGH as RawFd);
    }
}
