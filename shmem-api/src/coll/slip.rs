//! What a PE shows at a rendezvous: the kind, the number of the call, and its arguments, in words.
//!
//! Two PEs agree if their slips are equal word by word; nothing is hashed. A slip is as long as it
//! needs to be, 8 objects at most, and says in plain words what it stands for when PEs differ.

use std::fmt;

use memheap::place::Reach;
use memheap::{Bytes, Offset};

use crate::sync::{AtomicU64, Ordering};

/// Words of the longest slip: a head of 3, and 4 for each of 8 objects.
pub(crate) const WORDS: usize = 3 + 4 * MAX_OBJECTS;
/// Objects one `share` can take.
pub(crate) const MAX_OBJECTS: usize = 8;

/// What kind of rendezvous a PE is at. PEs at different kinds never pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    Pinned = 1,
    Barrier = 2,
    Alloc = 3,
    Free = 4,
    Collect = 5,
    Enter = 6,
    Exit = 7,
    Finalize = 8,
    MoreFrees = 9,
    Checked = 10,
}

/// A slip being written, or one read back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slip {
    words: [u64; WORDS],
    len: usize,
}

/// How an object takes part in a phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    ReadWrite = 0,
    ReadOnly = 1,
    Signals = 2,
}

impl Slip {
    /// A slip of a kind without arguments. The call number is filled in at the rendezvous.
    pub(crate) fn new(kind: Kind) -> Slip {
        let mut words = [0; WORDS];
        words[0] = kind as u64;
        Slip { words, len: 2 }
    }

    /// "Give me `size` bytes at `align` that `reach` can reach", by modules whose history is `digest`.
    pub(crate) fn alloc(size: Bytes, align: u64, reach: Reach, digest: u64) -> Slip {
        let mut slip = Slip::new(Kind::Alloc);
        slip.extend(&[size.0, align, reach as u64, digest]);
        slip
    }

    /// "Free the block at `at`", by modules whose history is `digest`.
    pub(crate) fn free(at: Offset, digest: u64) -> Slip {
        let mut slip = Slip::new(Kind::Free);
        slip.extend(&[at.0, digest]);
        slip
    }

    /// The same slip at the other end of a phase.
    pub(crate) fn of_exit(mut self) -> Slip {
        self.words[0] = Kind::Exit as u64;
        self
    }

    /// Adds an object of a phase.
    pub(crate) fn object(&mut self, at: Offset, bytes: Bytes, elem: usize, mode: Mode) {
        self.extend(&[at.0, bytes.0, elem as u64, mode as u64]);
    }

    pub(crate) fn extend(&mut self, more: &[u64]) {
        assert!(self.len + more.len() <= WORDS, "more than {MAX_OBJECTS} objects in one share");
        self.words[self.len..self.len + more.len()].copy_from_slice(more);
        self.len += more.len();
    }

    pub(crate) fn number(&mut self, call: u64) {
        self.words[1] = call;
    }

    pub(crate) fn kind_is(&self, kind: Kind) -> bool {
        self.words[0] == kind as u64
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.words[..self.len]
    }
}

/// Where a PE's slip lies in shared memory. Two are used in turn, so that a slip stays readable until
/// every PE has passed the next rendezvous.
#[repr(C, align(64))]
pub(crate) struct SlipCell {
    len: AtomicU64,
    words: [AtomicU64; WORDS],
}

impl SlipCell {
    #[cfg(test)]
    pub(crate) fn new() -> SlipCell {
        SlipCell { len: AtomicU64::new(0), words: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// Shows `slip`. The arrival that follows releases it.
    pub(crate) fn show(&self, slip: &Slip) {
        for (cell, word) in self.words.iter().zip(slip.words()) {
            cell.store(*word, Ordering::Relaxed);
        }
        self.len.store(slip.len as u64, Ordering::Relaxed);
    }

    /// Whether the cell shows exactly `slip`.
    pub(crate) fn shows(&self, slip: &Slip) -> bool {
        self.len.load(Ordering::Relaxed) == slip.len as u64
            && self.words.iter().zip(slip.words()).all(|(cell, word)| cell.load(Ordering::Relaxed) == *word)
    }

    /// Reads the slip back.
    pub(crate) fn read(&self) -> Slip {
        let len = (self.len.load(Ordering::Relaxed) as usize).clamp(2, WORDS);
        let mut words = [0; WORDS];
        for (word, cell) in words.iter_mut().zip(&self.words).take(len) {
            *word = cell.load(Ordering::Relaxed);
        }
        Slip { words, len }
    }
}

impl fmt::Display for Slip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let w = |i: usize| self.words[i];
        match w(0) {
            k if k == Kind::Pinned as u64 => write!(f, "the end of an allocation of locked memory"),
            k if k == Kind::Barrier as u64 => write!(f, "a barrier"),
            k if k == Kind::Alloc as u64 => {
                let reach = Reach::ALL.get(w(4) as usize).map_or("?".into(), Reach::to_string);
                write!(
                    f,
                    "alloc({} bytes, alignment {}, for {reach}) with heap history {:016x}",
                    w(2),
                    w(3),
                    w(5)
                )
            }
            k if k == Kind::Free as u64 => write!(f, "free({:#x}) with heap history {:016x}", w(2), w(3)),
            k if k == Kind::Collect as u64 => write!(f, "collect()"),
            k if k == Kind::Enter as u64 => write!(f, "the start of a phase sharing {}", Objects(self)),
            k if k == Kind::Exit as u64 => write!(f, "the end of a phase sharing {}", Objects(self)),
            k if k == Kind::Checked as u64 => write!(f, "the end of a checked heap call"),
            k if k == Kind::MoreFrees as u64 => write!(f, "freeing what was dropped"),
            k if k == Kind::Finalize as u64 => write!(f, "finalize"),
            k => write!(f, "rendezvous of unknown kind {k}"),
        }?;
        write!(f, " (call {})", w(1))
    }
}

impl fmt::Debug for Slip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

struct Objects<'a>(&'a Slip);

impl fmt::Display for Objects<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects = &self.0.words()[2..];
        if objects.is_empty() {
            return f.write_str("nothing");
        }
        for (i, o) in objects.chunks_exact(4).enumerate() {
            let mode = match o[3] {
                m if m == Mode::ReadOnly as u64 => " read-only",
                m if m == Mode::Signals as u64 => " of signals",
                _ => "",
            };
            write!(f, "{}{} bytes at {:#x}{mode}", if i > 0 { " and " } else { "" }, o[1], o[0])?;
        }
        Ok(())
    }
}
