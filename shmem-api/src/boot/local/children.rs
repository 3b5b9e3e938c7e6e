//! The supervisor's children: hearing that one has ended, and what to start them with.
//!
//! A handler of `SIGCHLD` writes to a pipe, which can be polled beside the links. That is as old as the system;
//! process descriptors are not, and are refused in places.
#![allow(unsafe_code)]

use crate::process::private::{AtomicI32, Ordering};
use std::ffi::{CStr, OsStr, OsString, c_int};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use rustix::pipe::{PipeFlags, pipe_with};

use crate::boot::files::named;

/// Readable once a child has ended.
pub(super) struct Bell {
    heard: OwnedFd,
    _rung: OwnedFd,
}

/// Where the handler writes to.
static RUNG: AtomicI32 = AtomicI32::new(-1);

extern "C" fn ring(_: c_int) {
    // SAFETY: always sound.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: a place of this thread; what is interrupted is to find its error as it was.
    let before = unsafe { *errno };
    // SAFETY: a byte to a pipe that is open as long as the handler is there; if it is full, it has been rung.
    unsafe { libc::write(RUNG.load(Ordering::Relaxed), [0u8].as_ptr().cast(), 1) };
    // SAFETY: as above.
    unsafe { *errno = before };
}

impl Bell {
    /// Rings from now on. A `SIGCHLD` that was ignored, which would let the kernel forget how children end, no longer is.
    pub(super) fn hang() -> io::Result<Bell> {
        let (heard, rung) =
            pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(|e| named("pipe2", e))?;
        RUNG.store(rung.as_raw_fd(), Ordering::Relaxed);
        // SAFETY: zeroes are a value of it: no flags, no signals blocked meanwhile.
        let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        action.sa_sigaction = ring as extern "C" fn(c_int) as libc::sighandler_t;
        action.sa_flags = libc::SA_NOCLDSTOP | libc::SA_RESTART;
        // SAFETY: the handler does what a handler may.
        match unsafe { libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut()) } {
            0 => Ok(Bell { heard, _rung: rung }),
            _ => Err(named("sigaction(SIGCHLD)", io::Error::last_os_error())),
        }
    }

    pub(super) fn fd(&self) -> &OwnedFd {
        &self.heard
    }

    /// Whatever rang until now is being seen to.
    pub(super) fn quiet(&self) {
        let mut rung = [0; 64];
        while rustix::io::read(&self.heard, &mut rung).is_ok_and(|n| n > 0) {}
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
