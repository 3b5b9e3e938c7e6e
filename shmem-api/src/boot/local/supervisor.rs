//! The supervisor of a local job: starts the PEs, passes their exchanges on, and sees how they end.
//!
//! It is no PE. It runs before `main`, from the program's list of initialisers, so nothing of the
//! user's work happens in it.
//!
//! Invariants: **SUPERVISOR-U1** an exchange is answered when every PE has sent its part, not before;
//! **SUPERVISOR-U2** when a PE ends badly (killed, non-zero status, or without taking part in an exchange the
//! others wait in), one line names it, the others are killed, and the status is not zero. A PE that ended since
//! another one died may be seen before that one: it is waited for, to name the cause.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use memheap::region::kept::Streams;
use memheap::settings::LOCAL_PES;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getppid, parent_process_death_signal, set_parent_process_death_signal};

use crate::boot::files;
use crate::boot::files::named;
use crate::boot::launched;
use crate::boot::local::LINK;
use crate::boot::local::children;
use crate::boot::local::children::Bell;
use crate::boot::protocol::{ENDS, FRAME, Frame, Passes};
use crate::process::say::say;
use crate::process::status::DIED;
use crate::process::system::{BeforeMain, before_main};

/// How long a PE whose link is closed may take to end, before it counts as gone all the same. And how long nobody looks
/// after the children where the signal that calls for it does not come: whoever started this may have blocked it.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

/// How long a PE that the others saw die may take to be gone.
const GRACE: Duration = Duration::from_secs(1);

/// Runs in every process that links this crate, before `main`.
fn before_main(now: &BeforeMain) {
    if let Ok(link) = std::env::var(LINK) {
        die_with_supervisor(&link);
        if let Err(e) = crate::boot::local::take_up(now, &link) {
            say(&format!("shmem: {e}"));
            std::process::exit(1);
        }
    } else if let Some(n) = launched::local_pes()
        && launched::launched_by().is_none()
    {
        let status = supervise(n).unwrap_or_else(|e| {
            say(&format!("shmem: {}={n}: cannot start so many PEs: {e}", LOCAL_PES.name));
            1
        });
        std::process::exit(status);
    }
}

before_main!(before_main);

/// In a PE: whatever ends the supervisor ends this process too.
fn die_with_supervisor(link: &str) {
    if let Err(e) = set_parent_process_death_signal(Some(Signal::KILL)) {
        say(&format!(
            "shmem: prctl(PR_SET_PDEATHSIG): {e}; a PE of a local job must end with its supervisor"
        ));
        std::process::exit(1);
    }
    let parent = getppid().map_or(0, |p| p.as_raw_nonzero().get());
    if link.rsplit(':').next() != Some(parent.to_string().as_str()) {
        say("shmem: the supervisor of this local job is gone");
        std::process::exit(1);
    }
}

struct Worker {
    child: Child,
    link: UnixStream,
    part: Option<Frame>,
    /// The file it passes to the others with its part.
    file: Option<OwnedFd>,
    closed: bool,
    ended: bool,
}

/// Starts `n` PEs and returns the status of the job.
fn supervise(n: u32) -> io::Result<i32> {
    // So that no link becomes a standard stream of a PE.
    let _streams = Streams::hold().map_err(|e| named("standing in for a closed stream", e))?;
    // Told once here, and not by each PE.
    parent_process_death_signal().map_err(|e| named("prctl", e))?;
    let bell = Bell::hang()?;
    let (file, args) = children::program();
    let mut workers = Vec::with_capacity(n as usize);
    let started = (0..n).try_for_each(|pe| {
        workers.push(start(pe, n, &file, &args)?);
        Ok(())
    });
    let status = started.and_then(|()| watch(&mut workers, &bell));
    for worker in workers.iter_mut().filter(|w| !w.ended) {
        let _ = worker.child.kill();
        let _ = worker.child.wait();
    }
    status
}

fn start(pe: u32, n: u32, file: &Path, args: &[OsString]) -> io::Result<Worker> {
    let (ours, theirs) = UnixStream::pair().map_err(|e| named("socketpair", e))?;
    // The PE's end must survive its exec; every other PE's is closed by its own exec.
    rustix::io::fcntl_setfd(&theirs, rustix::io::FdFlags::empty()).map_err(|e| named("fcntl", e))?;
    let mut command = Command::new(file);
    if let Some((name, args)) = args.split_first() {
        command.arg0(name).args(args);
    }
    command.env(LINK, format!("{pe}:{n}:{}:{}", theirs.as_raw_fd(), std::process::id()));
    if pe != 0 {
        let nothing = File::open("/dev/null").map_err(|e| named("open of /dev/null", e))?;
        command.stdin(nothing);
    }
    let child = command.spawn().map_err(|e| named(&format!("fork or exec of {}", file.display()), e))?;
    Ok(Worker { child, link: ours, part: None, file: None, closed: false, ended: false })
}

/// Serves the links until every PE has ended well, or one has ended badly.
fn watch(workers: &mut [Worker], bell: &Bell) -> io::Result<i32> {
    // A PE that ended because it saw another die, and when that was known.
    let mut witness: Option<(usize, ExitStatus, Instant)> = None;
    while workers.iter().any(|w| !w.ended) {
        let (messages, ended, late) = next_events(workers, bell)?;
        // First what a PE has said, then that it has ended.
        for pe in messages {
            let worker = &mut workers[pe];
            (worker.part, worker.file) = read_part(&worker.link)?;
            worker.closed = worker.part.is_none();
            if let Some([ENDS, status, ..]) = worker.part {
                return Ok(status.into());
            }
        }
        for (pe, status) in ended {
            workers[pe].ended = true;
            if status.code() == Some(DIED) {
                witness.get_or_insert((pe, status, Instant::now()));
            } else if !status.success() {
                return Ok(ended_badly(pe, status));
            }
        }
        if let Some((pe, status, since)) = witness {
            if since.elapsed() >= GRACE || workers.iter().all(|w| w.ended) {
                return Ok(ended_badly(pe, status));
            }
            continue;
        }
        answer_exchange(workers)?;
        let gone = |w: &Worker| w.ended || (late && w.closed);
        if let Some(gone) = workers.iter().position(gone)
            && let Some(waiting) = waiting(workers)
        {
            let how = if workers[gone].ended {
                "ended without joining"
            } else {
                "closed its link to the supervisor, or became another program, without joining"
            };
            say(&format!("shmem: PE {gone} {how} PE {waiting} at its start; ending the job"));
            return Ok(1);
        }
    }
    Ok(0)
}

/// SUPERVISOR-U2: the line, and the status of the job.
fn ended_badly(pe: usize, status: ExitStatus) -> i32 {
    say(&format!("shmem: PE {pe} {}; ending the job", describe(status)));
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// A PE that waits in an exchange.
fn waiting(workers: &[Worker]) -> Option<usize> {
    workers.iter().position(|w| !w.ended && w.part.is_some())
}

/// PEs that have said something, those that have ended, and whether nothing happened for a while though some PE that
/// waits cannot be answered any more.
type Events = (Vec<usize>, Vec<(usize, ExitStatus)>, bool);

fn next_events(workers: &mut [Worker], bell: &Bell) -> io::Result<Events> {
    let doubtful = workers.iter().any(|w| w.closed && !w.ended) && waiting(workers).is_some();
    let late = {
        let links = workers.iter().filter(|w| w.heard()).map(|w| &w.link);
        let mut fds: Vec<PollFd<'_>> = links.map(|link| PollFd::new(link, PollFlags::IN)).collect();
        fds.push(PollFd::new(bell.fd(), PollFlags::IN));
        loop {
            match poll(&mut fds, Some(&LOOK)) {
                Ok(n) => break n == 0 && doubtful,
                Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(named("poll", e)),
            }
        }
    };
    // In this order: a child that has ended is waited for first, so that what it said before is seen now.
    bell.quiet();
    let mut ended = Vec::new();
    for (pe, worker) in workers.iter_mut().enumerate().filter(|(_, w)| !w.ended) {
        if let Some(status) = worker.child.try_wait().map_err(|e| named("waitpid", e))? {
            ended.push((pe, status));
        }
    }
    let now = Timespec::default();
    let mut messages = Vec::new();
    for (pe, worker) in workers.iter().enumerate().filter(|(_, w)| w.heard()) {
        let mut link = [PollFd::new(&worker.link, PollFlags::IN)];
        if poll(&mut link, Some(&now)).is_ok_and(|n| n > 0) {
            messages.push(pe);
        }
    }
    Ok((messages, ended, late))
}

impl Worker {
    /// Whether its link may bring something: a PE that has sent its part has to be answered first, and a closed link
    /// would be ready for ever.
    fn heard(&self) -> bool {
        !self.ended && self.part.is_none() && !self.closed
    }
}

/// What a PE says next; nothing if it has closed its link.
fn read_part(link: &UnixStream) -> io::Result<(Option<Frame>, Option<OwnedFd>)> {
    let mut part = [0; FRAME];
    match files::receive(link, &mut part) {
        Ok(file) => Ok((Some(part), file)),
        Err(e) if [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset].contains(&e.kind()) => {
            Ok((None, None))
        }
        Err(e) => Err(e),
    }
}

/// SUPERVISOR-U1.
fn answer_exchange(workers: &mut [Worker]) -> io::Result<()> {
    if workers.iter().any(|w| w.part.is_none()) {
        return Ok(());
    }
    let all: Vec<Frame> = workers.iter_mut().filter_map(|w| w.part.take()).collect();
    for worker in workers.iter() {
        files::tell(&worker.link, all.as_flattened(), None)?;
    }
    let host = |pe: usize| Passes::of(&all[pe]).map(|passes| passes.host);
    for pe in 0..workers.len() {
        if let Some(file) = workers[pe].file.take() {
            let others =
                workers.iter().enumerate().filter(|(other, _)| *other != pe && host(*other) == host(pe));
            files::pass_on(others.map(|(_, w)| &w.link), pe, file.as_fd())?;
        }
    }
    Ok(())
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with status {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}
