//! The warden: one thread per PE, asleep until the *next* PE's process is gone.
//!
//! A process that is killed can say nothing, and launchers differ in what they say and how soon they
//! end the others. So PE i watches PE i + 1 (the last watches the first) through a process descriptor.
//! If that process ends without having left in good order, the warden names it and ends the job. The
//! thread sleeps in `poll`; it costs nothing until then.

use std::os::fd::OwnedFd;
use std::thread::JoinHandle;

use memheap::PeId;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::exit;
use crate::internals::{Desk, Life};
use std::sync::atomic::Ordering;

pub(crate) struct Warden {
    stop: OwnedFd,
    thread: Option<JoinHandle<()>>,
}

struct Watch {
    pe: PeId,
    pid: u32,
    life: OwnedFd,
    stop: OwnedFd,
    lives: Vec<&'static Life>,
}

impl Warden {
    /// Starts watching the PE after `me`; `None` if there is nobody to watch, or no way to.
    pub(crate) fn start(me: PeId, pids: &[u32], desks: &[Desk<'static>]) -> Option<Warden> {
        let next = (me.0 as usize + 1) % pids.len();
        if next == me.0 as usize {
            return None;
        }
        let life = pidfd_open(Pid::from_raw(pids[next] as i32)?, PidfdFlags::empty()).ok()?;
        let stop = eventfd(0, EventfdFlags::CLOEXEC).ok()?;
        let theirs = stop.try_clone().ok()?;
        let watch = Watch {
            pe: PeId(next as u32),
            pid: pids[next],
            life,
            stop: theirs,
            lives: desks.iter().map(|d| d.life).collect(),
        };
        let thread =
            std::thread::Builder::new().name("shmem-warden".into()).spawn(move || watch.run()).ok()?;
        Some(Warden { stop, thread: Some(thread) })
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        // Eight bytes into an empty event counter cannot fail.
        let _ = rustix::io::write(&self.stop, &1u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Watch {
    fn run(self) {
        let mut fds = [PollFd::new(&self.life, PollFlags::IN), PollFd::new(&self.stop, PollFlags::IN)];
        loop {
            match poll(&mut fds, None) {
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return,
            }
        }
        let stopped = !fds[1].revents().is_empty();
        let in_order = self.lives[self.pe.0 as usize].left.load(Ordering::Acquire) != 0;
        let ended = self.lives[self.pe.0 as usize].ended.load(Ordering::Acquire) != 0;
        if !stopped && !in_order && !ended {
            self.end_job();
        }
    }

    fn end_job(&self) -> ! {
        let Watch { pe, pid, .. } = self;
        let line = format!("PE {pe}: its process ({pid}) died in the middle of the job; ending the job");
        exit::end_for_all(self.lives.iter().copied(), exit::DIED, &line)
    }
}
