//! Unix sockets between the PEs of a host: they have no place in any file system, and each side looks who the other is.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::SystemTime;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect, listen, socket_with,
    sockopt,
};
use rustix::process::{Pid, test_kill_process};

use crate::boot::files::named;

/// How many PEs may have connected that are not accepted yet; the others wait.
const BACKLOG: i32 = 4096;

/// How long nobody looks whether the other side is still there.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

/// A socket that is not connected.
pub(super) fn open() -> io::Result<OwnedFd> {
    socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
        .map_err(|e| named("socket", e))
}

/// A socket that others can connect to, and its name.
pub(super) fn open_named() -> io::Result<(OwnedFd, String)> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    let name = format!("shmem-{}-{now}", std::process::id());
    let socket = open()?;
    let address = SocketAddrUnix::new_abstract_name(name.as_bytes()).map_err(|e| named("socket name", e))?;
    bind(&socket, &address).map_err(|e| named("bind", e))?;
    listen(&socket, BACKLOG).map_err(|e| named("listen", e))?;
    Ok((socket, name))
}

/// Connects to the socket of that name, which must be this process's.
pub(super) fn connect_to(socket: &OwnedFd, name: &str, pid: i32) -> io::Result<()> {
    let address = SocketAddrUnix::new_abstract_name(name.as_bytes()).map_err(|e| named("socket name", e))?;
    loop {
        match connect(socket, &address) {
            Ok(()) => break,
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(named("connect", e)),
        }
    }
    match other_side(socket)? {
        Some(other) if other == pid => Ok(()),
        _ => Err(io::Error::other("the socket is another process's")),
    }
}

/// A process that has connected, and its number; `None` for one of another user.
pub(super) fn accept_from(socket: &OwnedFd) -> io::Result<Option<(OwnedFd, i32)>> {
    let link = loop {
        match accept_with(socket, SocketFlags::CLOEXEC) {
            Ok(link) => break link,
            Err(rustix::io::Errno::INTR | rustix::io::Errno::CONNABORTED) => {}
            Err(e) => return Err(named("accept", e)),
        }
    };
    Ok(other_side(&link)?.map(|pid| (link, pid)))
}

/// The process at the other side, if it is of this user.
pub(super) fn other_side(link: impl AsFd) -> io::Result<Option<i32>> {
    let other = sockopt::socket_peercred(link).map_err(|e| named("getsockopt(SO_PEERCRED)", e))?;
    Ok((other.uid == rustix::process::geteuid()).then(|| other.pid.as_raw_nonzero().get()))
}

/// Which of `links` bring something, or are closed; none after a while, or at once if `now`.
pub(super) fn ready(links: &[impl AsFd], now: bool) -> io::Result<Vec<usize>> {
    let mut fds: Vec<PollFd<'_>> = links.iter().map(|link| PollFd::new(link, PollFlags::IN)).collect();
    let limit = if now { Timespec::default() } else { LOOK };
    match poll(&mut fds, Some(&limit)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(e) => return Err(named("poll", e)),
    }
    Ok((0..fds.len()).filter(|&i| !fds[i].revents().is_empty()).collect())
}

/// Whether it is above this process.
pub(super) fn is_ancestor(pid: i32) -> bool {
    let parent = |of: &i32| -> Option<i32> {
        let stat = std::fs::read_to_string(format!("/proc/{of}/stat")).ok()?;
        stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok().filter(|up| *up > 0)
    };
    std::iter::successors(Some(std::process::id() as i32), parent).skip(1).any(|up| up == pid)
}

/// Whether the process runs, and is not only there to be waited for.
pub(super) fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    match stat.rsplit(") ").next().and_then(|rest| rest.chars().next()) {
        Some('Z' | 'X') => false,
        // Where there is no `/proc`, too.
        _ => Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::files;

    #[test]
    fn both_sides_know_each_other() {
        let me = std::process::id() as i32;
        let (at, name) = open_named().unwrap();
        let link = open().unwrap();
        assert!(connect_to(&link, &name, me + 1).is_err(), "another process's");
        let link = open().unwrap();
        connect_to(&link, &name, me).unwrap();
        // The one that was given up comes first.
        let (_, pid) = accept_from(&at).unwrap().unwrap();
        let (other, pid_again) = accept_from(&at).unwrap().unwrap();
        assert_eq!((pid, pid_again), (me, me));
        assert!(ready(&[&other], true).unwrap().is_empty());
        files::send(&link, b"abcd", None).unwrap();
        assert_eq!(ready(&[&at, &other], false).unwrap(), [1]);
        drop((at, other));
        let link = open().unwrap();
        assert!(connect_to(&link, &name, me).is_err(), "nobody listens");
    }

    #[test]
    fn who_is_alive() {
        assert!(is_alive(std::process::id() as i32));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id() as i32;
        while is_alive(pid) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert!(!is_ancestor(pid));
        child.wait().unwrap();
        assert!(!is_alive(pid));
    }

    #[test]
    fn who_is_above() {
        let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
        assert!(is_ancestor(parent) && !is_ancestor(std::process::id() as i32) && !is_ancestor(0));
    }
}
