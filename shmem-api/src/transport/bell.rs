//! Asleep until an engine has something, or somebody in this process rings.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// An eventfd: it stays rung until somebody has slept on it.
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> Result<Bell, String> {
        let made = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        made.map(Bell).map_err(|e| format!("eventfd: {e}"))
    }

    /// Ends a sleep, or the next.
    pub(crate) fn ring(&self) {
        // It can only be full, and then it rings already.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    /// Until it rings, the other can be read, or the time is over.
    pub(crate) fn sleep(&self, other: Option<BorrowedFd<'_>>, most: Duration) {
        let most = Timespec::try_from(most).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
        let both = [self.0.as_fd(), other.unwrap_or(self.0.as_fd())];
        let mut both = both.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        // A signal is as good a reason to wake up as any.
        let _ = poll(&mut both, Some(&most));
        if !both[0].revents().is_empty() {
            let _ = rustix::io::read(&self.0, &mut [0; 8]);
        }
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn it_stays_rung_until_somebody_has_slept_on_it() {
        let bell = Bell::new().unwrap();
        bell.ring();
        bell.ring();
        let started = Instant::now();
        bell.sleep(None, Duration::from_secs(600));
        assert!(started.elapsed() < Duration::from_secs(300));
        bell.sleep(None, Duration::from_millis(20));
        assert!(started.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn others_wake_the_sleeper_too() {
        let (bell, other) = (Bell::new().unwrap(), Bell::new().unwrap());
        other.ring();
        let started = Instant::now();
        bell.sleep(Some(other.0.as_fd()), Duration::from_secs(600));
        assert!(started.elapsed() < Duration::from_secs(300));
    }
}
