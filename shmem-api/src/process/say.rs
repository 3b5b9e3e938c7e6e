//! Lines on standard error.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::fs::FileType;

/// One line on standard error, in one write, so that lines of several PEs do not mix. Where nobody reads
/// them, nothing else is harmed.
pub(crate) fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// As [`say`], without an allocation: for a child of `fork`, and for handlers. What does not fit is left out.
pub(crate) fn say_now(line: std::fmt::Arguments<'_>) {
    let mut text = Line { text: [0; 512], len: 0 };
    let _ = text.write_fmt(line);
    text.text[text.len] = b'\n';
    let _ = rustix::io::write(rustix::stdio::stderr(), &text.text[..=text.len]);
}

/// What a launcher that has read may need to pass it on, before it is told to end the job.
const PASSING_ON: Duration = Duration::from_millis(30);

/// Gives a launcher the time to read this process's pipes, and to pass on what it has read: when it ends the job, it may drop the rest.
pub(crate) fn let_launcher_read(limit: Duration) {
    let (out, err) = (std::io::stdout(), std::io::stderr());
    let is_pipe = |fd: &BorrowedFd<'_>| {
        rustix::fs::fstat(fd).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
    };
    let start = Instant::now();
    let fds = [out.as_fd(), err.as_fd()];
    for pipe in fds.iter().filter(|fd| is_pipe(fd)) {
        while start.elapsed() < limit && rustix::io::ioctl_fionread(pipe).is_ok_and(|unread| unread > 0) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    if fds.iter().any(is_pipe) {
        std::thread::sleep(PASSING_ON);
    }
}

/// One line in the making, with room for its end.
struct Line {
    text: [u8; 512],
    len: usize,
}

impl std::fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let n = text.len().min(self.text.len() - 1 - self.len);
        self.text[self.len..self.len + n].copy_from_slice(&text.as_bytes()[..n]);
        self.len += n;
        Ok(())
    }
}
