//! The descriptors by which a library talks to its launcher, which a program may close like any others.
//!
//! ```text
//!   before: 0 1 2          during: PMIx_Init opens 3 (its poll), 5 (the launcher)          later: 3 and 5 are the same files?
//! ```

use std::path::PathBuf;

/// What lies behind some numbers, as it was when they were looked at.
pub(super) struct Descriptors(Vec<Descriptor>);

#[derive(Clone, Copy, PartialEq, Eq)]
struct Descriptor {
    number: i32,
    file: (u64, u64),
}

impl Descriptors {
    /// All that are open. None can be told where there is no `/proc`.
    pub(super) fn open() -> Descriptors {
        let numbers = std::fs::read_dir(DIRECTORY).into_iter().flatten().flatten();
        let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Descriptors(numbers.filter_map(Descriptor::of).collect())
    }

    /// Those that were not among `before`.
    pub(super) fn since(mut self, before: &Descriptors) -> Descriptors {
        self.0.retain(|one| !before.0.contains(one) && one.is_as_it_was());
        self
    }

    /// Whether they are still open, each the same file.
    pub(super) fn are_as_they_were(&self) -> bool {
        self.0.iter().all(|one| one.is_as_it_was())
    }
}

const DIRECTORY: &str = "/proc/self/fd";

impl Descriptor {
    fn of(number: i32) -> Option<Descriptor> {
        let stat = rustix::fs::stat(PathBuf::from(DIRECTORY).join(number.to_string())).ok()?;
        Some(Descriptor { number, file: (stat.st_dev, stat.st_ino) })
    }

    fn is_as_it_was(&self) -> bool {
        Descriptor::of(self.number) == Some(*self)
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_is_closed_or_replaced_is_noticed() {
        let before = Descriptors::open();
        let (one, other) = UnixStream::pair().unwrap();
        let both = Descriptors::open().since(&before);
        // Other tests open files meanwhile.
        assert!(both.0.len() >= 2 && both.0.iter().all(|d| !before.0.contains(d)));
        let own = Descriptors(vec![descriptor(&one), descriptor(&other)]);
        assert!(own.are_as_they_were());
        // Its number is another file's from here on.
        let mut closed = std::os::fd::OwnedFd::from(one);
        rustix::io::dup2(std::fs::File::open("/dev/null").unwrap(), &mut closed).unwrap();
        assert!(!own.are_as_they_were());
    }

    fn descriptor(socket: &UnixStream) -> Descriptor {
        use std::os::fd::AsRawFd;
        Descriptor::of(socket.as_raw_fd()).unwrap()
    }
}
