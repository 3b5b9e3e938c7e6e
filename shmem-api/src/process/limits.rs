//! What the limits of the process (`ulimit`) leave to a segment.
//!
//! ```text
//!   ulimit -f   a segment is a file: no longer than that        beyond it ftruncate kills by SIGXFSZ
//!   ulimit -v   all that is mapped: the segments of all PEs of the host, and the allocators' tables, which are
//!               about as long as a segment while one of the allocators is being chosen
//! ```
//!
//! Local facts: a PE proposes a heap that they leave room for, and the least proposal of all is taken.

use memheap::settings::{self, Setting, Settings};
use memheap::{Align, Bytes};
use rustix::process::{Resource, getrlimit};

/// What the process may map beside the segments: stacks, MPI's buffers, what libraries load later.
const BESIDE: u64 = 256 << 20;

/// A heap proposed is at least so long, and a multiple of it.
const GRANULE: u64 = Align::HUGE.bytes();

/// The limits that are set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Limits {
    /// Of a file.
    file: Option<u64>,
    /// Of the address space, and what is mapped now.
    space: Option<(u64, u64)>,
}

impl Limits {
    /// Those of this process now.
    pub(crate) fn here() -> Limits {
        let mapped = || {
            let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
            let pages = statm.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
            pages.saturating_mul(Align::PAGE.bytes())
        };
        let space = getrlimit(Resource::As).current.map(|most| (most, mapped()));
        Limits { file: getrlimit(Resource::Fsize).current, space }
    }

    /// The longest segment that each of `n_pes` PEs on this host can have, and the limit that says so.
    fn segment(&self, n_pes: u32) -> Option<(Bytes, String)> {
        let file =
            self.file.map(|most| (Bytes(most), format!("files are limited to {} (ulimit -f)", Bytes(most))));
        let space = self.space.map(|(most, mapped)| {
            let room = most.saturating_sub(mapped).saturating_sub(BESIDE);
            // The allocators' tables, twice: two allocators are open while one is chosen.
            let each = room / (u64::from(n_pes.max(1)) + 2);
            (Bytes(each), format!("the address space is limited to {} (ulimit -v)", Bytes(most)))
        });
        file.into_iter().chain(space).min_by_key(|(len, _)| *len)
    }

    /// The largest heap for each of `n_pes` PEs whose segments have `others` bytes beside it; `None` where no limit
    /// is set. An error if there is no room for any.
    pub(crate) fn heap(&self, n_pes: u32, others: Bytes) -> Result<Option<(Bytes, String)>, String> {
        let Some((segment, why)) = self.segment(n_pes) else { return Ok(None) };
        let heap = segment.0.saturating_sub(others.0) & !(GRANULE - 1);
        if heap < GRANULE {
            return Err(format!(
                "{why}, which leaves a segment {segment}, and the other spaces and the runtime take {others}: raise the \
                 limit, or lower {} and {}",
                settings::HEAP_HOST_SIZE.name,
                settings::HEAP_PE_SIZE.name
            ));
        }
        Ok(Some((Bytes(heap), why)))
    }

    /// Whether the address space is limited.
    pub(crate) fn of_space(&self) -> bool {
        self.space.is_some()
    }

    /// Whether a segment of `len` bytes can be made at all: beyond the limit of files the attempt would kill.
    pub(crate) fn allow(&self, len: Bytes) -> std::io::Result<()> {
        match self.file {
            Some(most) if len.0 > most => {
                let why = format!("files are limited to {} (ulimit -f)", Bytes(most));
                Err(std::io::Error::other(why))
            }
            _ => Ok(()),
        }
    }
}

/// What decides how long a segment is, as the program set it, and what to do if it is too long.
pub(crate) fn advice(settings: &Settings, heap: Bytes) -> String {
    const SIZES: [Setting; 4] =
        [settings::SYMMETRIC_SIZE, settings::HEAP_HOST_SIZE, settings::HEAP_DMA_SIZE, settings::HEAP_PE_SIZE];
    let given: Vec<String> = SIZES
        .iter()
        .filter(|size| settings.is_set(size))
        .map(|size| format!("{}={:?}", size.name, settings.text(size).unwrap_or_default()))
        .collect();
    let limit = match Limits::here().space {
        Some((most, _)) => format!(" (the address space is limited to {}: ulimit -v)", Bytes(most)),
        None => String::new(),
    };
    match given.is_empty() {
        true => format!("set SHMEM_SYMMETRIC_SIZE to less than {heap}, or raise the limits{limit}"),
        false => format!("lower {}, or raise the limits{limit}", given.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_limit_counts() {
        let none = Limits { file: None, space: None };
        assert_eq!(none.heap(4, Bytes::mib(600)), Ok(None));
        let file = Limits { file: Some(1 << 30), space: None };
        assert_eq!(file.heap(4, Bytes::mib(600)).unwrap().unwrap().0, Bytes::mib(424));
        let both = Limits { file: Some(1 << 30), space: Some((4 << 30, 256 << 20)) };
        let (heap, why) = both.heap(2, Bytes::mib(600)).unwrap().unwrap();
        assert_eq!(heap, Bytes::mib(296), "(4 GiB - 512 MiB) / 4 - 600 MiB");
        assert!(why.contains("ulimit -v"), "{why}");
        let why = both.heap(8, Bytes::mib(600)).unwrap_err();
        assert!(why.contains("ulimit -v") && why.contains("SHMEM_HEAP_HOST_SIZE"), "{why}");
        assert!(file.allow(Bytes(1 << 30)).is_ok() && file.allow(Bytes((1 << 30) + 1)).is_err());
    }
}
