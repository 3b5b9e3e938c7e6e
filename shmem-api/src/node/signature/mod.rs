//! What a PE shows at a rendezvous: one word that says which call it is at, and the call's arguments.
//!
//! ```text
//!   word     | number of the call: 45 | step: 2 | history: 1 | raised: 1 | meets: 1 | agreed arguments: 6 | kind: 8 |
//!   args     agreed arguments, then what is only shown (a PE's free team slots, say)
//!   history  of the calls since the last rendezvous, in which nobody met anybody; if the word says so
//! ```
//!
//! A call has one number, however often its PEs meet in it (the steps), and also if they do not meet at all: so PEs
//! that took different ways through a call are at the same number afterwards, or find out that they are not.
//!
//! Two PEs agree if their words are equal but for the raised bit, and their agreed arguments word by word;
//! they are not hashed. A call without arguments fits in the word. Signatures say in plain words what they stand
//! for when PEs differ.

mod kind;
pub(crate) mod text;

use memheap::place::Reach;
use memheap::{Bytes, Offset};

pub(crate) use crate::node::signature::kind::Kind;
use crate::sync::primitives::{AtomicU64, Ordering};
use crate::transport::part::Part;
use crate::types::object::ObjectType;

/// Arguments of the longest signature. A cell is five cache lines with them.
pub(crate) const ARGS: usize = 38;
/// Objects one `share` can take.
pub(crate) const MAX_OBJECTS: usize = 8;
/// Words an object takes.
const OBJECT: usize = 4;

const _: () = assert!(MAX_OBJECTS * OBJECT <= ARGS && ARGS < 1 << 6);

/// Which call a PE is at, in one word. Zero is no call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Word(u64);

const NUMBER_SHIFT: u32 = 19;
const STEP_SHIFT: u32 = 17;
const HISTORY: u64 = 1 << 16;
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

    /// The number of the call.
    #[inline]
    pub(crate) fn number(self) -> u64 {
        self.0 >> NUMBER_SHIFT
    }

    /// Which rendezvous of the call it is, from 0.
    #[inline]
    pub(crate) fn step(self) -> u64 {
        self.0 >> STEP_SHIFT & 3
    }

    /// The number of the rendezvous: those of a call, then those of the next one.
    #[inline]
    pub(crate) fn ticket(self) -> u64 {
        self.0 >> STEP_SHIFT
    }

    /// With a history to compare, too.
    #[inline]
    pub(crate) fn with_history(self) -> Word {
        Word(self.0 | HISTORY)
    }

    #[inline]
    pub(crate) fn has_history(self) -> bool {
        self.0 & HISTORY != 0
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

    /// The word of the next rendezvous of the same call.
    #[inline]
    pub(crate) fn next(self) -> Word {
        debug_assert!(self.step() < 3, "a call has four steps at most");
        Word((self.0 & !HISTORY) + (1 << STEP_SHIFT)).agreeing(0)
    }

    /// That of a PE which has not entered call `number` yet.
    pub(crate) fn before(number: u64) -> Word {
        Word(number << NUMBER_SHIFT)
    }

    pub(crate) fn is_before(self) -> bool {
        self.0 as u8 == 0
    }

    /// The kind of the call, or a byte that is none.
    pub(crate) fn kind(self) -> Result<Kind, u8> {
        Kind::of(self.0 as u8)
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

    /// What fits in 30 bits of it: the low bits of the ticket, and everything else but the raised bit.
    #[inline]
    pub(crate) fn tag(self) -> u64 {
        (self.0 & 0x3fff) | (self.0 >> 2 & 0x4000) | (self.ticket() & 0x7fff) << 15
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

/// Where an object is, the same on every PE: an offset in the heap, or one in the executable's static data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position(pub(crate) u64);

impl Position {
    /// Marks an offset in static data.
    pub(crate) const STATIC: u64 = 1 << 62;
    /// Where nothing is moved, addresses are not looked at.
    pub(crate) const NONE: u64 = u64::MAX;
}

/// The kind and the arguments of a call, being written or read back.
#[derive(Clone, Copy)]
pub(crate) struct Signature {
    /// Or a byte that is none.
    kind: Result<Kind, u8>,
    /// Its arguments are not known.
    bare: bool,
    /// The number of its call, and the history shown with it; 0 where it was not shown.
    number: u64,
    history: u64,
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

impl Signature {
    /// A signature of a kind, without arguments.
    pub(crate) fn new(kind: Kind) -> Signature {
        Signature { kind: Ok(kind), bare: false, number: 0, history: 0, agreed: 0, len: 0, args: [0; ARGS] }
    }

    /// "Give me `size` bytes at `align` that `reach` can reach, to be `what`", by modules whose history is `digest`.
    pub(crate) fn alloc(size: Bytes, align: u64, reach: Reach, what: ObjectType, digest: u64) -> Signature {
        Signature::new(Kind::Alloc).with(&[size.0, align, reach as u64, digest, what.word()])
    }

    /// As [`alloc`](Self::alloc), zeroed.
    pub(crate) fn calloc(size: Bytes, align: u64, reach: Reach, what: ObjectType, digest: u64) -> Signature {
        Signature { kind: Ok(Kind::Calloc), ..Signature::alloc(size, align, reach, what, digest) }
    }

    /// "Make the block at `at` `size` bytes long", by modules whose history is `digest`.
    pub(crate) fn realloc(at: Offset, size: Bytes, digest: u64) -> Signature {
        Signature::new(Kind::Realloc).with(&[at.0, size.0, digest])
    }

    /// "Free the block at `at`", by modules whose history is `digest`.
    pub(crate) fn free(at: Offset, digest: u64) -> Signature {
        Signature::new(Kind::Free).with(&[at.0, digest])
    }

    /// First word at the end of a heap call: the module was not asked.
    pub(crate) const NOTHING: u64 = 0;
    /// It gave a block, at the offset in the second word.
    pub(crate) const GAVE: u64 = 1;
    /// It had none.
    pub(crate) const NO_ROOM: u64 = 2;

    /// What a word alone says.
    pub(crate) fn of(word: Word) -> Signature {
        Signature { bare: true, number: word.number(), kind: word.kind(), ..Signature::new(Kind::Barrier) }
    }

    /// What a PE asks for that has not shown it.
    pub(crate) fn asking(word: Word, agreed: &[u64]) -> Signature {
        Signature { bare: false, ..Signature::of(word) }.with(agreed)
    }

    /// A call that was over without a trace.
    pub(crate) fn passed(number: u64) -> Signature {
        Signature::of(Word::new(number, Kind::Nothing, 0))
    }

    /// With arguments to agree on.
    pub(crate) fn with(mut self, args: &[u64]) -> Signature {
        self.extend(args);
        self
    }

    /// The same signature at the other end of a phase.
    pub(crate) fn of_exit(mut self) -> Signature {
        self.kind = Ok(Kind::Exit);
        self
    }

    /// Adds an object of a phase.
    pub(crate) fn object(&mut self, at: Offset, bytes: Bytes, what: ObjectType, mode: Mode) {
        self.extend(&[at.0, bytes.0, what.word(), mode as u64]);
    }

    /// Whether such an object was added.
    pub(crate) fn has_object(&self, at: Offset, bytes: Bytes, mode: Mode) -> bool {
        let wanted = (at.0, bytes.0, mode as u64);
        self.args[..self.agreed]
            .as_chunks::<OBJECT>()
            .0
            .iter()
            .any(|&[at, bytes, _, mode]| (at, bytes, mode) == wanted)
    }

    /// Adds arguments to agree on.
    pub(crate) fn extend(&mut self, more: &[u64]) {
        assert_eq!(self.len, self.agreed, "what is only shown comes last");
        self.show(more);
        self.agreed = self.len;
    }

    /// Adds words that the others can read and that need not agree.
    pub(crate) fn show(&mut self, more: &[u64]) {
        assert!(self.len + more.len() <= ARGS, "{} words do not fit in a signature", self.len + more.len());
        self.args[self.len..self.len + more.len()].copy_from_slice(more);
        self.len += more.len();
    }

    pub(crate) fn kind_is(&self, kind: Kind) -> bool {
        self.kind == Ok(kind)
    }

    pub(crate) fn same_kind(&self, other: &Signature) -> bool {
        self.kind == other.kind
    }

    /// The number of the call it was shown in.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether both ask for the same, whatever came before.
    pub(crate) fn same_call(&self, other: &Signature) -> bool {
        self.number == other.number
            && self.kind == other.kind
            && self.args[..self.agreed] == other.args[..other.agreed]
    }

    /// Whether what came before is the same.
    pub(crate) fn same_history(&self, other: &Signature) -> bool {
        self.history == other.history
    }

    /// All words, those to agree on first.
    pub(crate) fn args(&self) -> &[u64] {
        &self.args[..self.len]
    }

    /// Its word in call `number`.
    pub(crate) fn word(&self, number: u64) -> Word {
        let byte = self.kind.map_or_else(u64::from, |kind| kind as u64);
        Word(number << NUMBER_SHIFT | (self.agreed as u64) << AGREED_SHIFT | byte)
    }
}

/// Signatures agree if the numbers of their calls, their kinds and agreed arguments do, and what came before.
impl PartialEq for Signature {
    fn eq(&self, other: &Signature) -> bool {
        self.same_call(other) && self.same_history(other)
    }
}

impl Eq for Signature {}

/// Where a PE shows its signature, in shared memory; with up to seven arguments it is one cache line, unless there is a
/// history. Two are used in turn, so that a signature stays readable until every PE has left its call.
#[repr(C, align(64))]
pub(crate) struct SignatureCell {
    word: AtomicU64,
    args: [AtomicU64; ARGS],
    history: AtomicU64,
}

/// A member's cell, wherever that PE is.
impl Part<'_, SignatureCell> {
    /// As [`SignatureCell::word`].
    #[inline]
    pub(crate) fn word(&self) -> Word {
        Word(self.field(|cell| &cell.word).load(Ordering::Acquire))
    }

    /// One of the words shown, once the word of the call has been seen.
    #[inline]
    pub(crate) fn arg(&self, i: usize) -> u64 {
        self.field(|cell| &cell.args[i]).load(Ordering::Relaxed)
    }

    /// As [`SignatureCell::agrees`], once the word has been seen.
    #[inline]
    pub(crate) fn agrees(&self, word: Word, args: &[u64], history: u64) -> bool {
        self.look(|cell| cell.agrees(word, args, history))
    }

    /// As [`SignatureCell::read`].
    pub(crate) fn read(&self) -> Signature {
        self.look(SignatureCell::read)
    }
}

impl SignatureCell {
    #[cfg(test)]
    pub(crate) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        SignatureCell { word: zero(), args: std::array::from_fn(|_| zero()), history: zero() }
    }

    /// Lays the arguments down. What stores the word after it releases them.
    #[inline]
    pub(crate) fn lay(&self, args: &[u64]) {
        for (cell, arg) in self.args.iter().zip(args) {
            cell.store(*arg, Ordering::Relaxed);
        }
    }

    /// Lays the history down.
    #[inline]
    pub(crate) fn lay_history(&self, history: u64) {
        self.history.store(history, Ordering::Relaxed);
    }

    /// The history laid down last.
    #[inline]
    pub(crate) fn history(&self) -> u64 {
        self.history.load(Ordering::Relaxed)
    }

    /// Shows the word, and with it the arguments laid before. `exact`: by a read-modify-write,
    /// which notifying an event wants (`wait`, WAIT-B1)
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

    /// One of the words shown, once the word of the call has been seen.
    #[inline]
    pub(crate) fn arg(&self, i: usize) -> u64 {
        self.args[i].load(Ordering::Relaxed)
    }

    /// Whether the cell's first arguments are exactly these, and the history, if `word` says that there is one.
    #[inline]
    pub(crate) fn agrees(&self, word: Word, args: &[u64], history: u64) -> bool {
        self.args.iter().zip(args).all(|(cell, arg)| cell.load(Ordering::Relaxed) == *arg)
            && (!word.has_history() || self.history() == history)
    }

    /// Reads the signature back, as far as it has to agree.
    pub(crate) fn read(&self) -> Signature {
        let word = self.word();
        let mut signature = Signature { bare: false, ..Signature::of(word) };
        signature.agreed = word.agreed().min(ARGS);
        signature.len = signature.agreed;
        for (arg, cell) in signature.args.iter_mut().zip(&self.args).take(signature.agreed) {
            *arg = cell.load(Ordering::Relaxed);
        }
        if word.has_history() {
            signature.history = self.history();
        }
        signature
    }

    /// Shows a signature that somebody else showed.
    pub(crate) fn copy(&self, signature: &Signature) {
        self.lay(signature.args());
        let word = signature.word(signature.number);
        self.show(if signature.bare { word.meeting() } else { word }, false);
    }

    /// Reads back what [`copy`](Self::copy) left.
    pub(crate) fn copied(&self) -> Signature {
        Signature { bare: self.word().meets(), ..self.read() }
    }
}
