//! The supervisor's children: hearing that one has ended, and what to start them with.
//!
//! A handler of `SIGCHLD` writes to a pipe, which can be polled beside the links. That is as old as the system;
//! process descriptors are not, and are refused in places.

use std::ffi::{CStr, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::OnceLock;

use rustix::pipe::{PipeFlags, pipe_with};

use crate::boot::files::named;
use crate::process::signals::ring_at_children;

/// Readable once a child has ended.
#[derive(Clone, Copy)]
pub(super) struct Bell {
    /// Open as long as the process lives, since the handler writes as long: without a reader that would end it.
    heard: BorrowedFd<'static>,
}

static OWN: OnceLock<OwnedFd> = OnceLock::new();

impl Bell {
    /// Rings from now on.
    pub(super) fn hang() -> io::Result<Bell> {
        let (heard, rung) =
            pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(|e| named("pipe2", e))?;
        ring_at_children(rung).map_err(|e| named("sigaction(SIGCHLD)", e))?;
        Ok(Bell { heard: OWN.get_or_init(|| heard).as_fd() })
    }

    pub(super) fn fd(&self) -> &BorrowedFd<'static> {
        &self.heard
    }

    /// Whatever rang until now is being seen to.
    pub(super) fn quiet(&self) {
        let mut rung = [0; 64];
        while rustix::io::read(self.heard, &mut rung).is_ok_and(|n| n > 0) {}
    }
}

/// The file this process was started from, and all its arguments, the name first. Where it was started by the dynamic
/// linker (`ld.so PROGRAM`), that is the file, and the program one of the arguments.
pub(super) fn program() -> (PathBuf, Vec<OsString>) {
    let own = PathBuf::from("/proc/self/exe");
    // By its name: under a tool that runs programs in itself (valgrind), the link itself is the tool. A file that is
    // no longer there has only the link.
    let file = std::fs::read_link(&own).ok().filter(|file| file.exists());
    let file = file.or_else(|| own.exists().then_some(own));
    let file = file.unwrap_or_else(|| {
        let name: &CStr = rustix::param::linux_execfn();
        PathBuf::from(OsStr::from_bytes(name.to_bytes()))
    });
    // What the kernel was given; the process itself does not see what the dynamic linker took.
    let given = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    let args = match given.strip_suffix(&[0]) {
        Some(args) => args.split(|b| *b == 0).map(|arg| OsString::from_vec(arg.to_owned())).collect(),
        None => std::env::args_os().collect(),
    };
    (file, args)
}
