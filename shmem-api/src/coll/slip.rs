//! What a PE shows at a rendezvous: one word that says which call it is at, and the call's arguments.
//!
//! ```text
//!   word   | number of the call: 48 | raised: 1 | meets: 1 | arguments to agree on: 6 | kind: 8 |
//!   args   agreed arguments, then what is only shown (a PE's free team slots, say)
//! ```
//!
//! Two PEs agree if their words are equal but for the raised bit, and their agreed arguments word by word;
//! nothing is hashed. A call without arguments fits in the word. Slips say in plain words what they stand
//! for when PEs differ.

mod text;

use memheap::place::Reach;
use memheap::{Bytes, Offset};

use crate::sync::{AtomicU64, Ordering};
use crate::what::What;

/// Arguments of the longest slip. A cell is five cache lines with them.
pub(crate) const ARGS: usize = 39;
/// Objects one `share` can take.
pub(crate) const MAX_OBJECTS: usize = 8;
/// Words an object takes.
const OBJECT: usize = 4;

const _: () = assert!(MAX_OBJECTS * OBJECT <= ARGS && ARGS < 1 << 6);

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
    Touched = 10,
    Sync = 11,
    SplitStrided = 12,
    Split2d = 13,
    Claim = 14,
    Destroy = 15,
    Calloc = 16,
    Realloc = 17,
    Broadcast = 18,
    Gather = 19,
    Fcollect = 20,
    Alltoall = 21,
    Reduce = 22,
    Scan = 23,
}

/// Which call a PE is at, in one word. Zero is no call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Word(u64);

const NUMBER_SHIFT: u32 = 16;
const RAISED: u64 = 1 << 15;
const MEETS: u64 = 1 << 14;
const AGREED_SHIFT: u32 = 8;

impl Word {
    /// Call `number` of a team, with so many arguments to agree on.
    #[inline]
    pub(crate) fn new(number: u64, kind: Kind, agreed: usize) -> Word {
        Word(number << NUMBER_SHIFT | (agreed as u64) << AGREED_SHIFT | kind as u64)
    }

    /// The same, with the hand raised: the one bit that need not agree, and that everybody hears of.
    #[inline]
    pub(crate) fn raised(self, raised: bool) -> Word {
        Word(if raised { self.0 | RAISED } else { self.0 & !RAISED })
    }

    #[inline]
    pub(crate) fn is_raised(self) -> bool {
        self.0 & RAISED != 0
    }

    #[inline]
    pub(crate) fn number(self) -> u64 {
        self.0 >> NUMBER_SHIFT
    }

    /// Whether both are at the same call, as far as the word says.
    #[inline]
    pub(crate) fn pairs(self, other: Word) -> bool {
        (self.0 ^ other.0) & !RAISED == 0
    }

    /// How many arguments have to agree.
    #[inline]
    pub(crate) fn agreed(self) -> usize {
        (self.0 >> AGREED_SHIFT & 0x3f) as usize
    }

    /// The same with so many arguments to agree on.
    #[inline]
    pub(crate) fn agreeing(self, agreed: usize) -> Word {
        Word(self.0 & !(0x3f << AGREED_SHIFT) | (agreed as u64) << AGREED_SHIFT)
    }

    /// The word of the next part of the same call.
    #[inline]
    pub(crate) fn next(self) -> Word {
        Word(self.0 + (1 << NUMBER_SHIFT)).agreeing(0)
    }

    /// Marked as that of a PE that waits for all members.
    #[inline]
    pub(crate) fn meeting(self) -> Word {
        Word(self.0 | MEETS)
    }

    #[inline]
    pub(crate) fn meets(self) -> bool {
        self.0 & MEETS != 0
    }

    /// Marked, where a PE tells at which call it is, as that of one that waits for what another gives.
    #[inline]
    pub(crate) fn taking(self) -> Word {
        self.raised(true)
    }

    #[inline]
    pub(crate) fn takes(self) -> bool {
        !self.meets() && self.is_raised()
    }

    #[inline]
    pub(crate) fn same_kind(self, other: Word) -> bool {
        self.0 as u8 == other.0 as u8
    }

    /// What fits in 30 bits of it: the low bits of the number, and everything else but the raised bit.
    #[inline]
    pub(crate) fn tag(self) -> u64 {
        (self.0 & 0x3fff) | (self.number() & 0xffff) << 14
    }

    #[inline]
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) fn from_bits(bits: u64) -> Word {
        Word(bits)
    }
}

/// The kind and the arguments of a call, being written or read back.
#[derive(Clone, Copy)]
pub(crate) struct Slip {
    kind: u8,
    /// Its arguments are not known.
    bare: bool,
    agreed: usize,
    len: usize,
    args: [u64; ARGS],
}

/// How an object takes part in a phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    ReadWrite = 0,
    ReadOnly = 1,
}

impl Slip {
    /// A slip of a kind, without arguments.
    pub(crate) fn new(kind: Kind) -> Slip {
        Slip { kind: kind as u8, bare: false, agreed: 0, len: 0, args: [0; ARGS] }
    }

    /// "Give me `size` bytes at `align` that `reach` can reach, to be `what`", by modules whose history is `digest`.
    pub(crate) fn alloc(size: Bytes, align: u64, reach: Reach, what: What, digest: u64) -> Slip {
        Slip::new(Kind::Alloc).with(&[size.0, align, reach as u64, digest, what.word()])
    }

    /// As [`alloc`](Self::alloc), zeroed.
    pub(crate) fn calloc(size: Bytes, align: u64, reach: Reach, what: What, digest: u64) -> Slip {
        Slip { kind: Kind::Calloc as u8, ..Slip::alloc(size, align, reach, what, digest) }
    }

    /// "Make the block at `at` `size` bytes long", by modules whose history is `digest`.
    pub(crate) fn realloc(at: Offset, size: Bytes, digest: u64) -> Slip {
        Slip::new(Kind::Realloc).with(&[at.0, size.0, digest])
    }

    /// "Free the block at `at`", by modules whose history is `digest`.
    pub(crate) fn free(at: Offset, digest: u64) -> Slip {
        Slip::new(Kind::Free).with(&[at.0, digest])
    }

    /// First word at the end of a heap call: the module was not asked.
    pub(crate) const NOTHING: u64 = 0;
    /// It gave a block, at the offset in the second word.
    pub(crate) const GAVE: u64 = 1;
    /// It had none.
    pub(crate) const NO_ROOM: u64 = 2;

    /// What a word alone says.
    pub(crate) fn of(word: Word) -> Slip {
        Slip { kind: word.0 as u8, bare: true, agreed: 0, len: 0, args: [0; ARGS] }
    }

    /// With arguments to agree on.
    pub(crate) fn with(mut self, args: &[u64]) -> Slip {
        self.extend(args);
        self
    }

    /// The same slip at the other end of a phase.
    pub(crate) fn of_exit(mut self) -> Slip {
        self.kind = Kind::Exit as u8;
        self
    }

    /// Adds an object of a phase.
    pub(crate) fn object(&mut self, at: Offset, bytes: Bytes, what: What, mode: Mode) {
        self.extend(&[at.0, bytes.0, what.word(), mode as u64]);
    }

    /// Adds arguments to agree on.
    pub(crate) fn extend(&mut self, more: &[u64]) {
        assert_eq!(self.len, self.agreed, "what is only shown comes last");
        self.show(more);
        self.agreed = self.len;
    }

    /// Adds words that the others can read and that need not agree.
    pub(crate) fn show(&mut self, more: &[u64]) {
        assert!(self.len + more.len() <= ARGS, "{} words do not fit in a slip", self.len + more.len());
        self.args[self.len..self.len + more.len()].copy_from_slice(more);
        self.len += more.len();
    }

    pub(crate) fn kind_is(&self, kind: Kind) -> bool {
        self.kind == kind as u8
    }

    pub(crate) fn same_kind(&self, other: &Slip) -> bool {
        self.kind == other.kind
    }

    /// All words, those to agree on first.
    pub(crate) fn args(&self) -> &[u64] {
        &self.args[..self.len]
    }

    /// Its word in call `number`.
    pub(crate) fn word(&self, number: u64) -> Word {
        Word(number << NUMBER_SHIFT | (self.agreed as u64) << AGREED_SHIFT | u64::from(self.kind))
    }
}

/// Slips agree if their kinds and agreed arguments do.
impl PartialEq for Slip {
    fn eq(&self, other: &Slip) -> bool {
        self.kind == other.kind && self.args[..self.agreed] == other.args[..other.agreed]
    }
}

impl Eq for Slip {}

/// Where a PE shows a word and what goes with it, in shared memory; with up to seven more words it is one
/// cache line.
#[repr(C, align(64))]
pub(crate) struct Cell<const N: usize> {
    word: AtomicU64,
    args: [AtomicU64; N],
}

/// Where a PE shows its slip. Two are used in turn, so that a slip stays readable until every PE has passed
/// the next rendezvous.
pub(crate) type SlipCell = Cell<ARGS>;

impl<const N: usize> Cell<N> {
    #[cfg(test)]
    pub(crate) fn new() -> Self {
        Cell { word: AtomicU64::new(0), args: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// Lays the arguments down. What stores the word after it releases them.
    #[inline]
    pub(crate) fn lay(&self, args: &[u64]) {
        for (cell, arg) in self.args.iter().zip(args) {
            cell.store(*arg, Ordering::Relaxed);
        }
    }

    /// Shows the word, and with it the arguments laid before. `exact`: by a read-modify-write,
    /// which ringing a bell wants (`wait`, B1)
    #[inline]
    pub(crate) fn show(&self, word: Word, exact: bool) {
        match exact {
            true => drop(self.word.swap(word.0, Ordering::AcqRel)),
            false => self.word.store(word.0, Ordering::Release),
        }
    }

    /// The word last shown. The arguments that came with it are visible then.
    #[inline]
    pub(crate) fn word(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    /// Whether the cell's first arguments are exactly these.
    #[inline]
    pub(crate) fn has(&self, args: &[u64]) -> bool {
        self.args.iter().zip(args).all(|(cell, arg)| cell.load(Ordering::Relaxed) == *arg)
    }

    /// One of the words shown.
    #[inline]
    pub(crate) fn arg(&self, i: usize) -> u64 {
        self.args[i].load(Ordering::Relaxed)
    }
}

impl SlipCell {
    /// Reads the slip back: what has to agree of it, and the number of its call.
    pub(crate) fn read(&self) -> (Slip, u64) {
        let word = self.word();
        let agreed = word.agreed().min(ARGS);
        let mut slip = Slip { kind: word.0 as u8, bare: false, agreed, len: agreed, args: [0; ARGS] };
        for (arg, cell) in slip.args.iter_mut().zip(&self.args).take(agreed) {
            *arg = cell.load(Ordering::Relaxed);
        }
        (slip, word.number())
    }

    /// Shows a slip that somebody else showed.
    pub(crate) fn copy(&self, slip: &Slip, number: u64) {
        self.lay(slip.args());
        self.show(slip.word(number), false);
    }
}
