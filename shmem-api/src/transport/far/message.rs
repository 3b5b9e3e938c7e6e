//! What a message is, byte by byte. Numbers are little endian; whatever is not named is zero, or the message is none of ours.
//!
//! ```text
//!   envelope, 24 bytes   0 version | 1 form | 2 0 | 4 sender's PE | 8 the job's secret
//!
//!   Batch    envelope                     payload: requests, each with its data behind it, padded to 8 bytes
//!   Lent     envelope, request            payload: the data of that one request, from where the sender has it; it also asks, as `Ask` does
//!   Answer   envelope, answer             payload: what was fetched, if anything
//!   Beat     envelope                     none; it is answered with what is done
//!
//!   request, 64 bytes    0 operation | 1 atomic | 2 width | 3 course | 4 target PE | 8 at | 16 length | 24 number | 32 after
//!                        40 id, of the answer that is wanted (0: none) | 48 two words
//!   answer, 48 bytes     0 operation | 1 course | 2 0 | 8 id | 16 value | 24 done, of the course | 32, 40 requests and bytes
//! ```
//!
//! | operation | at | length | the two words | data |
//! |---|---|---|---|---|
//! | `Put` | where | bytes | | as many |
//! | `PutBlocks` | the first block | of a block | stride, how many | the blocks in a row |
//! | `Get` | where | bytes | | |
//! | `GetBlocks` | the first block | of a block | stride, how many | |
//! | `Amo` | the word | | operands | |
//! | `PutSignal` | where | bytes | the signal's place, operand | as many |
//! | `Ring` | | | | |
//! | `Ask` | | | | | its `number` is that which is to be done before the answer goes |
//!
//! A place is an offset into the target's segment, or, with [`FarTarget::STATIC`](crate::transport::FarTarget::STATIC), into its file
//! of static data: never an address. The secret is in every message, not in a hello: messages may overtake each other, and a hello
//! would be overtaken; a process would have to keep who has said it; and 16 bytes in a message of 88 or more cost nothing.
//!
//! Invariants: **FAR-F1** nothing here trusts a byte: whatever is read is checked against the tables above, and lengths are added up so
//! that they cannot wrap. What is read is what was written: a message that is not exactly that is none.

use memheap::PeId;

use crate::types::amo::{AmoKind, AmoOp};

/// Of the protocol.
const VERSION: u8 = 1;
/// Of an envelope, a request and an answer.
pub(super) const ENVELOPE: usize = 24;
pub(super) const REQUEST: usize = 64;
const ANSWER: usize = 48;
/// The longest header.
pub(super) const LONGEST: usize = ENVELOPE + REQUEST;
/// How many courses there are from a PE to a host. (So many contexts are independent of each other.)
pub(super) const COURSES: usize = 64;

/// 128 random bits that all processes of the job know, and nobody else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) [u8; 16]);

/// What kind of message it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Form {
    Batch = 1,
    Lent,
    Answer,
    Beat,
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Op {
    Put = 1,
    PutBlocks,
    Get,
    GetBlocks,
    Amo,
    PutSignal,
    Ring,
    Ask,
}

const OPS: [Op; 8] =
    [Op::Put, Op::PutBlocks, Op::Get, Op::GetBlocks, Op::Amo, Op::PutSignal, Op::Ring, Op::Ask];
const KINDS: [AmoKind; 8] = [
    AmoKind::Load,
    AmoKind::Set,
    AmoKind::Swap,
    AmoKind::CompareSwap,
    AmoKind::Add,
    AmoKind::And,
    AmoKind::Or,
    AmoKind::Xor,
];

/// See the tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Request {
    pub(super) op: Op,
    pub(super) kind: AmoKind,
    pub(super) width: u8,
    pub(super) course: u8,
    pub(super) target: PeId,
    pub(super) at: u64,
    pub(super) len: u64,
    pub(super) number: u64,
    pub(super) after: u64,
    pub(super) id: u64,
    pub(super) words: [u64; 2],
}

/// What an answer says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Says {
    /// What `done`, `requests` and `bytes` say.
    Done = 1,
    /// And what was in the word.
    Value,
    /// And the bytes that were asked for: as many as `value` says.
    Data,
    /// The request that has the number `value` is none that can be done.
    Refused,
}

/// See the tables. All counts are of the whole time, so the latest says all, and one that was overtaken does no harm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Answer {
    pub(super) says: Says,
    pub(super) course: u8,
    pub(super) id: u64,
    pub(super) value: u64,
    /// The requests of the course up to this number are done.
    pub(super) done: u64,
    /// Of all courses: how many are done, and how many copied bytes are no longer kept for this sender.
    pub(super) requests: u64,
    pub(super) bytes: u64,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// An envelope.
pub(super) fn envelope(form: Form, from: PeId, secret: Secret) -> [u8; ENVELOPE] {
    let mut bytes = [0; ENVELOPE];
    (bytes[0], bytes[1]) = (VERSION, form as u8);
    bytes[4..8].copy_from_slice(&from.0.to_le_bytes());
    bytes[8..].copy_from_slice(&secret.0);
    bytes
}

/// What is in an envelope, who sent it, and the header behind it; `None` if it is no message of this job.
pub(super) fn open(header: &[u8], secret: Secret) -> Option<(Form, PeId, &[u8])> {
    let (envelope, rest) = header.split_at_checked(ENVELOPE)?;
    // Every byte is looked at, so that the time says nothing of where they differ.
    let differ = envelope[8..].iter().zip(secret.0).fold(0, |differ, (a, b)| differ | (a ^ b));
    let forms = [Form::Batch, Form::Lent, Form::Answer, Form::Beat];
    let form = forms.into_iter().find(|&form| form as u8 == envelope[1])?;
    let fits = match form {
        Form::Batch | Form::Beat => rest.is_empty(),
        Form::Lent => rest.len() == REQUEST,
        Form::Answer => rest.len() == ANSWER,
    };
    let ours = differ == 0 && envelope[0] == VERSION && envelope[2..4] == [0, 0] && fits;
    ours.then_some((form, PeId(u32_at(envelope, 4)?), rest))
}

impl Request {
    /// One without a number yet.
    pub(super) fn new(op: Op, course: u8, target: PeId, at: u64) -> Request {
        let (kind, width, len) = (AmoKind::Load, 0, 0);
        Request { op, kind, width, course, target, at, len, number: 0, after: 0, id: 0, words: [0; 2] }
    }

    pub(super) fn bytes(&self) -> [u8; REQUEST] {
        let mut bytes = [0; REQUEST];
        bytes[..4].copy_from_slice(&[self.op as u8, self.kind as u8, self.width, self.course]);
        bytes[4..8].copy_from_slice(&self.target.0.to_le_bytes());
        let words = [self.at, self.len, self.number, self.after, self.id, self.words[0], self.words[1]];
        for (to, word) in bytes[8..].chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// FAR-F1. What it means to the memory of its target is not looked at.
    pub(super) fn read(bytes: &[u8]) -> Option<Request> {
        let [op, kind, width, course] = *bytes.first_chunk()?;
        let request = Request {
            op: *OPS.get(usize::from(op).checked_sub(1)?)?,
            kind: *KINDS.get(usize::from(kind))?,
            width,
            course,
            target: PeId(u32_at(bytes, 4)?),
            at: u64_at(bytes, 8)?,
            len: u64_at(bytes, 16)?,
            number: u64_at(bytes, 24)?,
            after: u64_at(bytes, 32)?,
            id: u64_at(bytes, 40)?,
            words: [u64_at(bytes, 48)?, u64_at(bytes, 56)?],
        };
        (usize::from(course) < COURSES && request.is_one()).then_some(request)
    }

    /// Whether the fields are those that its operation has.
    fn is_one(&self) -> bool {
        let plain = self.kind == AmoKind::Load && self.width == 0;
        let [no_words, no_len, no_id] = [self.words == [0; 2], self.len == 0, self.id == 0];
        let nowhere = self.at == 0 && no_len && no_words && no_id && plain;
        let ordered = self.number > 0 && self.after < self.number;
        ordered
            && match self.op {
                Op::Put => plain && no_words && no_id && !no_len,
                Op::Get => plain && no_words && !no_id && !no_len,
                Op::PutBlocks => plain && no_id && self.span().is_some(),
                Op::GetBlocks => plain && !no_id && self.span().is_some(),
                Op::Amo => no_len && [4, 8].contains(&self.width),
                Op::PutSignal => no_id && !no_len && self.width == 8 && self.kind != AmoKind::CompareSwap,
                Op::Ring => nowhere,
                Op::Ask => nowhere && self.after == 0 && self.target == PeId(0),
            }
    }

    /// Of blocks: from the beginning of the first to the end of the last. `None` if they overlap, or there is none.
    pub(super) fn span(&self) -> Option<u64> {
        let [stride, n] = self.words;
        let fits = n > 0 && self.len > 0 && stride >= self.len;
        if fits { stride.checked_mul(n - 1)?.checked_add(self.len) } else { None }
    }

    /// Of blocks: how many bytes there are in all of them.
    pub(super) fn packed(&self) -> Option<u64> {
        self.len.checked_mul(self.words[1])
    }

    /// How many bytes of data come with it.
    pub(super) fn data(&self) -> Option<usize> {
        let len = match self.op {
            Op::Put | Op::PutSignal => self.len,
            Op::PutBlocks => self.packed()?,
            _ => 0,
        };
        usize::try_from(len).ok().filter(|&len| len <= isize::MAX as usize - 8)
    }

    /// What it counts of the bytes that may be under way, and takes in a batch.
    pub(super) fn cost(&self) -> usize {
        REQUEST + self.data().map_or(0, |n| n.next_multiple_of(8))
    }

    /// Whether it changes a word, and nobody waits for what was there.
    #[cfg(test)]
    pub(super) fn is_posted_amo(&self) -> bool {
        self.op == Op::Amo && self.id == 0
    }

    /// Its operation on a word.
    pub(super) fn amo(&self) -> AmoOp<u64> {
        match self.op {
            Op::PutSignal => AmoOp::of_parts(self.kind, self.words[1], 0),
            _ => AmoOp::of_parts(self.kind, self.words[0], self.words[1]),
        }
    }
}

impl Answer {
    pub(super) fn header(&self, from: PeId, secret: Secret) -> [u8; ENVELOPE + ANSWER] {
        let mut bytes = [0; ENVELOPE + ANSWER];
        bytes[..ENVELOPE].copy_from_slice(&envelope(Form::Answer, from, secret));
        (bytes[ENVELOPE], bytes[ENVELOPE + 1]) = (self.says as u8, self.course);
        let words = [self.id, self.value, self.done, self.requests, self.bytes];
        for (to, word) in bytes[ENVELOPE + 8..].chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// FAR-F1.
    pub(super) fn read(bytes: &[u8]) -> Option<Answer> {
        let says = [Says::Done, Says::Value, Says::Data, Says::Refused];
        let answer = Answer {
            says: *says.get(usize::from(*bytes.first()?).checked_sub(1)?)?,
            course: *bytes.get(1)?,
            id: u64_at(bytes, 8)?,
            value: u64_at(bytes, 16)?,
            done: u64_at(bytes, 24)?,
            requests: u64_at(bytes, 32)?,
            bytes: u64_at(bytes, 40)?,
        };
        let fits = usize::from(answer.course) < COURSES && bytes[2..8] == [0; 6];
        fits.then_some(answer)
    }
}

/// The next request of a batch and its data; `Some(None)` at the end, `None` if it is no batch.
pub(super) fn next<'b>(batch: &mut &'b [u8]) -> Option<Option<(Request, &'b [u8])>> {
    if batch.is_empty() {
        return Some(None);
    }
    let (request, rest) = batch.split_at_checked(REQUEST)?;
    let request = Request::read(request)?;
    let len = request.data()?;
    let (data, rest) = rest.split_at_checked(len.next_multiple_of(8))?;
    *batch = rest;
    Some(Some((request, &data[..len])))
}
