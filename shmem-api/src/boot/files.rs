//! Passing open files from every PE to every other, over sockets (`SCM_RIGHTS`).
//!
//! ```text
//!   PE 1 ──file──┐                ┌──► PE 1: the files of 0, 2, 3        the centre: the supervisor of a local
//!   PE 2 ──file──┤► the centre ───┤──► PE 2: the files of 0, 1, 3        job, which has a socket to each PE;
//!   PE 3 ──file──┘                └──► PE 3: the files of 0, 1, 2        else PE 0, which they connect to
//! ```
//!
//! A file that is passed needs no name: so neither `/proc` nor the right to look into another process is needed,
//! which a program may be without (execute-only, not dumpable, in a sandbox). One file at a time is under way to each
//! PE, so that few descriptors are open at once; and a PE that dies breaks its socket, so nobody waits for it.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// How long a file may find too many others under way (of this user, on the whole host).
const UNDER_WAY: Duration = Duration::from_secs(10);

/// Sends all of `bytes`, and `file` with the first of them.
pub(super) fn send(to: impl AsFd, bytes: &[u8], file: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let mut sent = 0;
    let start = Instant::now();
    while sent < bytes.len() {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let files: &[BorrowedFd<'_>] = if sent == 0 { file.as_slice() } else { &[] };
        if !files.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(files));
        }
        match sendmsg(&to, &[IoSlice::new(&bytes[sent..])], &mut control, SendFlags::NOSIGNAL) {
            Ok(n) => sent += n,
            Err(Errno::INTR) => {}
            Err(Errno::TOOMANYREFS) if start.elapsed() < UNDER_WAY => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(e) => return Err(named("sendmsg", e)),
        }
    }
    Ok(())
}

/// Receives as many bytes as there is room for, and a file if one came with them.
pub(super) fn receive(from: impl AsFd, bytes: &mut [u8]) -> io::Result<Option<OwnedFd>> {
    let (mut got, mut file) = (0, None);
    while got < bytes.len() {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let into = &mut [IoSliceMut::new(&mut bytes[got..])];
        let received = match recvmsg(&from, into, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(received) => received,
            Err(Errno::INTR) => continue,
            Err(e) => return Err(named("recvmsg", e)),
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(files) = message {
                file = files.last().or(file);
            }
        }
        if received.flags.contains(ReturnFlags::CTRUNC) {
            return Err(io::Error::other("recvmsg: a file did not arrive: too many open files (ulimit -n)"));
        }
        if received.bytes == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the other side has ended or closed it",
            ));
        }
        got += received.bytes;
    }
    Ok(file)
}

/// An error with the call that had it.
pub(super) fn named(call: &str, e: impl Into<io::Error>) -> io::Error {
    let e = e.into();
    io::Error::new(e.kind(), format!("{call}: {e}"))
}

/// At the centre: passes the file of PE `pe` on.
pub(super) fn pass_on<'l, L: AsFd + 'l>(
    mut links: impl Iterator<Item = &'l L>,
    pe: usize,
    file: BorrowedFd<'_>,
) -> io::Result<()> {
    links.try_for_each(|link| tell(link, &(pe as u32).to_ne_bytes(), Some(file)))
}

/// At the centre: [`send`]. A PE that has died in between is noticed elsewhere.
pub(super) fn tell(link: impl AsFd, bytes: &[u8], file: Option<BorrowedFd<'_>>) -> io::Result<()> {
    match send(link, bytes, file) {
        Err(e) if [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset].contains(&e.kind()) => Ok(()),
        sent => sent,
    }
}

/// At a PE that is not the centre: the files of the others, those of `has`, in their order. One that does not arrive is
/// an error, and those after it are heard of all the same. `wait` returns when something has come.
pub(super) fn take_all(
    link: impl AsFd,
    has: impl Iterator<Item = usize>,
    take: &mut dyn FnMut(usize, OwnedFd),
    wait: impl Fn() -> io::Result<()>,
) -> io::Result<()> {
    let mut done = Ok(());
    for pe in has {
        let mut number = [0; 4];
        match wait().and_then(|()| receive(&link, &mut number)) {
            Ok(Some(file)) if u32::from_ne_bytes(number) == pe as u32 => take(pe, file),
            Ok(_) => done = done.and(Err(io::Error::other(format!("the file of PE {pe} did not arrive")))),
            Err(e) if e.kind() == io::ErrorKind::Other => done = done.and(Err(e)),
            Err(e) => return done.and(Err(e)),
        }
    }
    done
}
