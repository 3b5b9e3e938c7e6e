//! The supervisor of a local job: starts the PEs, passes their exchanges on, and sees how they end.
//!
//! It is no PE. It runs before `main`, from the program's list of initialisers, so nothing of the
//! user's work happens in it.
//!
//! Invariants: **U1** an exchange is answered when every PE has sent its part, not before;
//! **U2** when a PE ends badly (killed, non-zero status, or without taking part in an exchange the
//! others wait in), one line names it, the others are killed, and the status is not zero.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};

use memheap::settings::LOCAL_PES;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, getppid, pidfd_open, set_parent_process_death_signal};

use super::LINK;
use crate::boot::{self, ENDS, FRAME, Frame};
use crate::exit::say;

/// Runs in every process that links this crate, before `main`.
extern "C" fn before_main() {
    if let Ok(link) = std::env::var(LINK) {
        die_with_supervisor(&link);
        if let Err(e) = super::take_up(&link) {
            say(&format!("shmem: {e}"));
            std::process::exit(1);
        }
    } else if let Some(n) = boot::local_pes()
        && boot::launched_by().is_none()
    {
        let status = supervise(n).unwrap_or_else(|e| {
            say(&format!("shmem: {}={n}: cannot start so many PEs: {e}", LOCAL_PES.name));
            1
        });
        std::process::exit(status);
    }
}

#[allow(unsafe_code)]
mod initialiser {
    // SAFETY: the C runtime calls every function of this section once, before `main`; ours uses only
    // the environment, files and processes, which are ready by then.
    #[used]
    #[unsafe(link_section = ".init_array")]
    static BEFORE_MAIN: extern "C" fn() = super::before_main;
}

/// In a PE: whatever ends the supervisor ends this process too.
fn die_with_supervisor(link: &str) {
    let parent = getppid().map_or(0, |p| p.as_raw_nonzero().get());
    let orphaned = set_parent_process_death_signal(Some(Signal::KILL)).is_err()
        || link.rsplit(':').next() != Some(parent.to_string().as_str());
    if orphaned {
        say("shmem: the supervisor of this local job is gone");
        std::process::exit(1);
    }
}

struct Worker {
    child: Child,
    life: OwnedFd,
    link: UnixStream,
    part: Option<Frame>,
    closed: bool,
    ended: bool,
}

/// Starts `n` PEs and returns the status of the job.
fn supervise(n: u32) -> std::io::Result<i32> {
    let mut workers = Vec::with_capacity(n as usize);
    for pe in 0..n {
        workers.push(start(pe, n)?);
    }
    let status = watch(&mut workers);
    for worker in workers.iter_mut().filter(|w| !w.ended) {
        let _ = worker.child.kill();
        let _ = worker.child.wait();
    }
    status
}

fn start(pe: u32, n: u32) -> std::io::Result<Worker> {
    let (ours, theirs) = UnixStream::pair()?;
    // The PE's end must survive its exec; every other PE's is closed by its own exec.
    rustix::io::fcntl_setfd(&theirs, rustix::io::FdFlags::empty())?;
    let mut command = Command::new("/proc/self/exe");
    let mut args = std::env::args_os();
    if let Some(name) = args.next() {
        command.arg0(name);
    }
    command.args(args).env(LINK, format!("{pe}:{n}:{}:{}", theirs.as_raw_fd(), std::process::id()));
    if pe != 0 {
        command.stdin(Stdio::null());
    }
    let child = command.spawn()?;
    drop(theirs);
    let pid = Pid::from_child(&child);
    let life = pidfd_open(pid, PidfdFlags::empty())?;
    Ok(Worker { child, life, link: ours, part: None, closed: false, ended: false })
}

/// Serves the links until every PE has ended well, or one has ended badly.
fn watch(workers: &mut [Worker]) -> std::io::Result<i32> {
    loop {
        let ready = next_events(workers)?;
        if ready.is_empty() {
            return Ok(0);
        }
        for (pe, event) in ready {
            let worker = &mut workers[pe];
            match event {
                Event::Message => {
                    worker.part = read_part(&mut worker.link);
                    worker.closed = worker.part.is_none();
                    if let Some([ENDS, status, ..]) = worker.part {
                        return Ok(status.into());
                    }
                }
                Event::Ended => {
                    worker.ended = true;
                    let status = worker.child.wait()?;
                    if !status.success() {
                        say(&format!("shmem: PE {pe} {}; ending the job", describe(status)));
                        return Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
                    }
                }
            }
        }
        answer_exchange(workers)?;
        if let Some(gone) = workers.iter().position(|w| w.ended)
            && let Some(waiting) = workers.iter().position(|w| !w.ended && w.part.is_some())
        {
            say(&format!("shmem: PE {gone} ended without joining PE {waiting} at its start; ending the job"));
            return Ok(1);
        }
    }
}

enum Event {
    Message,
    Ended,
}

/// Waits until a PE that has not sent its part does, or a PE ends; empty when all have ended.
fn next_events(workers: &[Worker]) -> std::io::Result<Vec<(usize, Event)>> {
    let mut fds: Vec<PollFd<'_>> = Vec::new();
    let mut of: Vec<(usize, bool)> = Vec::new();
    for (pe, w) in workers.iter().enumerate().filter(|(_, w)| !w.ended) {
        // First what a PE has said, then that it has ended. A closed link would be ready for ever, and says
        // nothing the life descriptor does not.
        if w.part.is_none() && !w.closed {
            fds.push(PollFd::new(&w.link, PollFlags::IN));
            of.push((pe, false));
        }
        fds.push(PollFd::new(&w.life, PollFlags::IN));
        of.push((pe, true));
    }
    if fds.is_empty() {
        return Ok(Vec::new());
    }
    loop {
        match poll(&mut fds, None) {
            Ok(_) => break,
            Err(rustix::io::Errno::INTR) => continue,
            Err(e) => return Err(e.into()),
        }
    }
    let mut events = Vec::new();
    for (fd, (pe, life)) in fds.iter().zip(of) {
        let seen = fd.revents();
        if life && !seen.is_empty() {
            events.push((pe, Event::Ended));
        } else if !life && seen.contains(PollFlags::IN) {
            events.push((pe, Event::Message));
        }
    }
    Ok(events)
}

fn read_part(link: &mut UnixStream) -> Option<Frame> {
    let mut part = [0; FRAME];
    link.read_exact(&mut part).ok()?;
    Some(part)
}

/// U1.
fn answer_exchange(workers: &mut [Worker]) -> std::io::Result<()> {
    if workers.iter().any(|w| w.part.is_none()) {
        return Ok(());
    }
    let all: Vec<u8> = workers.iter_mut().filter_map(|w| w.part.take()).flatten().collect();
    for worker in workers.iter_mut() {
        // A PE that has died in between is seen by its life descriptor.
        let _ = worker.link.write_all(&all);
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
