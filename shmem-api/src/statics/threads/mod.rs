//! The other threads of the process: asleep, or in the way.
//!
//! ```text
//!    look A          copy     protect   look B   map   look C
//!   ───┼────────────────────────┼─────────┼───────┼──────┼───►
//!      asleep, n switches       │         same: nothing is lost
//!                               └─ who writes from here on is stopped (`stop`), and writes when the file is mapped
//! ```
//!
//! The kernel counts how often a thread was taken off its processor, and knows whether it is on one
//! (`/proc/self/task/TID/syscall`; the state in `status` turns to asleep a little before the thread does). A thread
//! that is off its processor at A and at B, with the same count, has not run in between, since a run ends with a
//! switch; so it has written nothing to what was copied. If it did run, all is done again. C only says whether some
//! thread may be on its way to being stopped still.
//!
//! The list of threads is read before they are judged and again after that, and a thread that is new then means that
//! all is done again: the one that made it may have gone to sleep since, before it was judged. When all that are listed
//! slept from A to B, and none was there besides, nobody was left who could have made one. (A list may break off where a
//! thread ends while it is read; that one is not what it was at the look that follows.)
//!
//! A thread that blocks SIGSEGV cannot be stopped: the kernel ends the process where it writes what is protected. It is
//! in the way, too, asleep or not.
//!
//! Looking at B allocates nothing (STATICS-D2): the files are open, and what is read goes into the stack.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{Mode, OFlags, RawDir, SeekFrom};

use crate::statics::error::{StaticsError, Thread};

/// All threads but the calling one, as they were at one moment.
pub(super) struct Others {
    /// `/proc/self/task`.
    tasks: OwnedFd,
    me: u32,
    /// In the order of their numbers.
    threads: Vec<Other>,
    /// Who came while they were judged.
    new: Option<u32>,
}

struct Other {
    tid: u32,
    files: Files,
    seen: Result<Asleep, Why>,
}

/// A thread that is in the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct InTheWay {
    tid: u32,
    why: Why,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Why {
    /// It is awake, or was, or is new.
    Runs,
    /// It blocks SIGSEGV.
    Unstoppable,
}

impl InTheWay {
    fn runs(tid: u32) -> InTheWay {
        InTheWay { tid, why: Why::Runs }
    }

    /// Names it.
    pub(super) fn error(self) -> StaticsError {
        let thread = Thread::of(self.tid);
        match self.why {
            Why::Runs => StaticsError::Busy(thread),
            Why::Unstoppable => StaticsError::Unstoppable(thread),
        }
    }
}

/// What the kernel says of a thread. Not every kernel says the first.
struct Files {
    syscall: Option<File>,
    status: File,
}

/// A thread that sleeps, and the number of context switches it has behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Asleep {
    switches: u64,
}

impl Others {
    /// Look A: who is there, and who sleeps.
    pub(super) fn look() -> io::Result<Others> {
        let mut others = Others::list("/proc/self/task")?;
        others.judge()?;
        Ok(others)
    }

    /// Those listed in the directory, not judged yet.
    pub(super) fn list(tasks: &str) -> io::Result<Others> {
        let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let tasks = rustix::fs::open(tasks, how, Mode::empty())?;
        let me = rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
        let mut tids = Vec::new();
        for_each(&tasks, |tid| {
            tids.push(tid);
            true
        })?;
        tids.sort_unstable();
        let mut threads = Vec::new();
        for tid in tids.into_iter().filter(|&tid| tid != me) {
            let open = |what| {
                let how = OFlags::RDONLY | OFlags::CLOEXEC;
                rustix::fs::openat(&tasks, format!("{tid}/{what}"), how, Mode::empty()).map(File::from)
            };
            match open("status").map_err(io::Error::from) {
                Ok(status) => {
                    let files = Files { syscall: open("syscall").ok(), status };
                    threads.push(Other { tid, files, seen: Err(Why::Runs) });
                }
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Ok(Others { tasks, me, threads, new: None })
    }

    /// Who sleeps, and who has come since the list was made.
    fn judge(&mut self) -> io::Result<()> {
        for other in &mut self.threads {
            other.seen = sleeping(&other.files);
        }
        self.new = self.newcomer()?;
        Ok(())
    }

    /// A thread that is not listed. Allocates nothing.
    fn newcomer(&self) -> io::Result<Option<u32>> {
        let mut new = None;
        for_each(&self.tasks, |tid| {
            let known = tid == self.me || self.threads.binary_search_by_key(&tid, |other| other.tid).is_ok();
            new = (!known).then_some(tid);
            known
        })?;
        Ok(new)
    }

    /// A thread that was in the way at look A, or came in the course of it.
    pub(super) fn in_the_way(&self) -> Option<InTheWay> {
        let way = |other: &Other| Some(InTheWay { tid: other.tid, why: other.seen.err()? });
        self.threads.iter().find_map(way).or(self.new.map(InTheWay::runs))
    }

    /// Looks B and C: a thread that is in the way or has run since look A, or was made since. Allocates nothing.
    pub(super) fn ran(&self) -> io::Result<Option<InTheWay>> {
        if let Some(new) = self.newcomer()? {
            return Ok(Some(InTheWay::runs(new)));
        }
        let changed = |other: &Other| match (sleeping(&other.files), other.seen) {
            (Ok(now), Ok(seen)) if now == seen => None,
            (Err(why), _) | (_, Err(why)) => Some(InTheWay { tid: other.tid, why }),
            (Ok(_), Ok(_)) => Some(InTheWay::runs(other.tid)),
        };
        Ok(self.threads.iter().find_map(changed))
    }
}

/// Calls `go_on` with the number of each thread in the directory, until it returns false. Allocates nothing.
fn for_each(tasks: impl AsFd, mut go_on: impl FnMut(u32) -> bool) -> io::Result<()> {
    rustix::fs::seek(&tasks, SeekFrom::Start(0))?;
    let mut text = [MaybeUninit::uninit(); 8192];
    let mut entries = RawDir::new(&tasks, &mut text);
    while let Some(entry) = entries.next() {
        // Besides the threads there are only the directory itself and its parent.
        let tid = entry?.file_name().to_str().ok().and_then(|name| name.parse().ok());
        if tid.is_some_and(|tid| !go_on(tid)) {
            break;
        }
    }
    Ok(())
}

/// Whether a thread is off its processor, and then how often it has left one: in this order. The longest line of a
/// status lists the groups of the user; a text that does not fit, as one that cannot be read, counts as "awake".
fn sleeping(files: &Files) -> Result<Asleep, Why> {
    let mut text = [0u8; 8192];
    if let Some(syscall) = &files.syscall {
        let n = syscall.read_at(&mut text, 0).unwrap_or(0);
        if text[..n].starts_with(b"running") {
            return Err(Why::Runs);
        }
    }
    let n = files.status.read_at(&mut text, 0).map_err(|_| Why::Runs)?;
    parse(&text[..n])
}

/// State S (in a wait that ends), T or t (stopped) is asleep; Z and X are dead. R runs, and D is a short
/// wait within work, such as a page fault.
fn parse(status: &[u8]) -> Result<Asleep, Why> {
    let field = |name: &[u8]| {
        let line = status.split(|&b| b == b'\n').find_map(|line| line.strip_prefix(name));
        line.map(<[u8]>::trim_ascii).ok_or(Why::Runs)
    };
    let number = |name: &[u8], radix| {
        let text = std::str::from_utf8(field(name)?).map_err(|_| Why::Runs)?;
        u64::from_str_radix(text, radix).map_err(|_| Why::Runs)
    };
    let state = *field(b"State:")?.first().ok_or(Why::Runs)?;
    if !b"STtZX".contains(&state) {
        return Err(Why::Runs);
    }
    let blocked = number(b"SigBlk:", 16)? & 1 << (libc::SIGSEGV - 1) != 0;
    let switches =
        number(b"voluntary_ctxt_switches:", 10)?.wrapping_add(number(b"nonvoluntary_ctxt_switches:", 10)?);
    match blocked && !b"ZX".contains(&state) {
        true => Err(Why::Unstoppable),
        false => Ok(Asleep { switches }),
    }
}
