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
//! Looking at B allocates nothing (D2): the files are open and the text is read into the stack.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A thread of this process, by number and name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Thread {
    tid: u32,
    name: String,
}

impl fmt::Display for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {} ({})", self.tid, self.name)
    }
}

/// All threads but the calling one, as they were at one moment.
pub(super) struct Others(Vec<Other>);

struct Other {
    tid: u32,
    files: Files,
    seen: Option<Asleep>,
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
    /// Look A: who is there.
    pub(super) fn look() -> io::Result<Others> {
        let me = rustix::thread::gettid().as_raw_nonzero().get().to_string();
        let mut others = Vec::new();
        for entry in std::fs::read_dir("/proc/self/task")? {
            let name = entry?.file_name();
            let Some(tid) = name.to_str().filter(|&tid| tid != me) else { continue };
            let open = |what| File::open(format!("/proc/self/task/{tid}/{what}"));
            match open("status") {
                Ok(status) => {
                    let files = Files { syscall: open("syscall").ok(), status };
                    let seen = sleeping(&files);
                    others.push(Other { tid: tid.parse().unwrap_or(0), files, seen });
                }
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Ok(Others(others))
    }

    /// A thread that was awake at look A.
    pub(super) fn awake(&self) -> Option<Thread> {
        self.0.iter().find(|other| other.seen.is_none()).map(Other::thread)
    }

    /// Looks B and C: the index of a thread that is awake or has run since look A. Allocates nothing.
    pub(super) fn ran(&self) -> Option<usize> {
        self.0.iter().position(|other| other.seen.is_none() || sleeping(&other.files) != other.seen)
    }

    /// Names a thread that [`Others::ran`] found.
    pub(super) fn name(&self, index: usize) -> Thread {
        self.0[index].thread()
    }
}

impl Other {
    fn thread(&self) -> Thread {
        let name = std::fs::read_to_string(format!("/proc/self/task/{}/comm", self.tid));
        Thread { tid: self.tid, name: name.as_deref().unwrap_or("ended").trim_end().to_owned() }
    }
}

/// Whether a thread is off its processor, and then how often it has left one: in this order. The longest line of a
/// status lists the groups of the user; a text that does not fit, as one that cannot be read, counts as "awake".
fn sleeping(files: &Files) -> Option<Asleep> {
    let mut text = [0u8; 8192];
    if let Some(syscall) = &files.syscall {
        let n = syscall.read_at(&mut text, 0).unwrap_or(0);
        if text[..n].starts_with(b"running") {
            return None;
        }
    }
    let n = files.status.read_at(&mut text, 0).ok()?;
    parse(&text[..n])
}

/// State S (in a wait that ends), T or t (stopped) is asleep; Z and X are dead. R runs, and D is a short
/// wait within work, such as a page fault.
fn parse(status: &[u8]) -> Option<Asleep> {
    let field = |name: &[u8]| {
        let line = status.split(|&b| b == b'\n').find_map(|line| line.strip_prefix(name))?;
        Some(line.trim_ascii())
    };
    let count = |name: &[u8]| std::str::from_utf8(field(name)?).ok()?.parse::<u64>().ok();
    let state = field(b"State:")?.first()?;
    b"STtZX".contains(state).then_some(())?;
    let switches = count(b"voluntary_ctxt_switches:")?.wrapping_add(count(b"nonvoluntary_ctxt_switches:")?);
    Some(Asleep { switches })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: &str) -> String {
        format!(
            "Name:\tpoll\nState:\t{state}\nGroups:\t4 20 \n\
             voluntary_ctxt_switches:\t40\nnonvoluntary_ctxt_switches:\t2\n"
        )
    }

    #[test]
    fn states() {
        assert_eq!(parse(status("S (sleeping)").as_bytes()), Some(Asleep { switches: 42 }));
        assert_eq!(parse(status("Z (zombie)").as_bytes()), Some(Asleep { switches: 42 }));
        assert_eq!(parse(status("R (running)").as_bytes()), None);
        assert_eq!(parse(status("D (disk sleep)").as_bytes()), None);
        assert_eq!(parse(b"State:\tS (sleeping)\nGroups:\t1 2 3"), None, "cut off");
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn a_thread_that_runs_is_seen_and_one_that_sleeps_is_not() {
        let open = |what| File::open(format!("/proc/thread-self/{what}")).unwrap();
        for syscall in [None, Some(open("syscall"))] {
            assert_eq!(sleeping(&Files { syscall, status: open("status") }), None, "the one that looks runs");
        }
    }
}
