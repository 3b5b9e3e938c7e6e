//! Descriptors that are kept while the program runs, which may do with descriptors what it likes.
//!
//! A program may close every descriptor it finds, open its own files under the same numbers, or have closed its
//! standard streams so that whatever is opened next becomes one of them. So a descriptor that is kept lies above
//! what programs use, is closed by `exec`, and is never used or closed by its number alone.
//!
//! * **KEPT-E1** a [`Kept`] hands out, and closes, the file it was made from or nothing. (Another thread of the program
//!   that closes it just then is not guarded against.)
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use rustix::io::{Errno, fcntl_dupfd_cloexec, fcntl_getfd};
use rustix::process::{Resource, getrlimit};

/// Kept descriptors lie from here on, where the limit of descriptors allows it.
const HIGH: u64 = 512;

/// Those that programs write to and read from without having opened them.
const STREAMS: RawFd = 3;

/// A descriptor that is kept. See the module.
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
    /// No other descriptor is to be had, and this is a standard stream.
    pub fn new(fd: OwnedFd) -> io::Result<Kept> {
        Kept::here(raised(fd)?)
    }

    /// Keeps it where it is.
    fn here(fd: OwnedFd) -> io::Result<Kept> {
        let inode = inode(fd.as_fd())?;
        Ok(Kept { fd: fd.into_raw_fd(), inode })
    }

    /// The descriptor, if its number still is this file's. System calls only.
    pub fn get(&self) -> Option<BorrowedFd<'_>> {
        // SAFETY: KEPT-E1: whether it is open and this file is asked first thing.
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
            // SAFETY: as in `into_owned`.
            drop(unsafe { OwnedFd::from_raw_fd(self.fd) });
        }
    }
}

/// The same open file under a number that no program uses for its own, closed by `exec`.
fn raised(fd: OwnedFd) -> io::Result<OwnedFd> {
    // Not higher than that: the kernel's table of descriptors is as long as the highest.
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

/// Stands in for the standard streams that are closed, as long as it lives, so that nothing that is opened meanwhile,
/// by whomever, becomes one of them.
#[derive(Debug)]
pub struct Streams {
    _held: Vec<Kept>,
}

impl Streams {
    /// Closed streams read as empty from here on, and what is written to them goes nowhere.
    ///
    /// # Errors
    /// The system has no descriptor or no memory for it.
    pub fn hold() -> io::Result<Streams> {
        let mut held = Vec::new();
        for stream in 0..STREAMS {
            // SAFETY: only asked whether it is open.
            let closed = fcntl_getfd(unsafe { BorrowedFd::borrow_raw(stream) }) == Err(Errno::BADF);
            if closed {
                // The lowest number that is free is this one.
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
        // As a program does that closes what it finds and opens its own.
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
        // SAFETY: only asked what it is; another test may have opened it again.
        let now = unsafe { BorrowedFd::borrow_raw(number) };
        assert!(fcntl_getfd(now) == Err(Errno::BADF) || number < HIGH as RawFd);
    }
}
