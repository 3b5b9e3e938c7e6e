//! A request is done: bytes are moved into, or out of, the memory of a PE of this host.
//!
//! Invariants: **FAR-X1** before a byte moves, [`Memory::resolve`] has said where *all* bytes of the request are, from the first to
//! the last, for the PE it names: so nothing outside is touched, whatever a message says. **FAR-X2** a word is changed by
//! `memory::copy::amo`, as this host's own PEs change it: so it is atomic to them. **FAR-X3** of a put with signal, both places are
//! resolved first; the data is there before the signal changes.
#![allow(unsafe_code)]

use memheap::PeId;

use super::message::{Op, Request};
use crate::memory::copy;
use crate::sync::fences;
use crate::transport::wire::Token;

/// The memory of this host's PEs, for whoever serves others.
///
/// # Safety
/// Invariant **FAR-X4** what `resolve` gives is mapped, readable and writable, for `len` bytes, and a multiple of `align`, until
/// `gone` is called; and all that others do to it meanwhile goes by `memory::copy`, or by atomics.
pub(crate) unsafe trait Memory: Send + Sync {
    /// Where `len` bytes of the PE from `at` on are in this process, if they lie in an object or the runtime's part of a PE of this
    /// host, and a multiple of `align`. `at` is as in [`FarTarget`](crate::transport::FarTarget). Not for 0 bytes.
    fn resolve(&self, pe: PeId, at: u64, len: u64, align: u64) -> Option<*mut u8>;

    /// The memory of that PE has changed, and a full fence followed: it is woken if it sleeps in a wait.
    fn ring(&self, pe: PeId);

    /// The library has gone down: the memory of all PEs goes. `resolve` finds nothing until a start tells of other.
    fn gone(&self);
}

/// Data that came with a request.
#[derive(Clone, Copy)]
pub(super) enum Data<'a> {
    Here(&'a [u8]),
    Coming(Token),
}

/// What has become of a request.
pub(super) enum Outcome {
    Done,
    /// This was in the word.
    Value(u64),
    /// These bytes are the answer.
    Copied(Vec<u8>),
    /// So many bytes from there on are the answer.
    Lent(*const u8, usize),
    /// The data is to be received to here; then [`finish`] does the rest.
    Receive(Token, *mut u8, usize),
    /// Nothing: its places are not there, or its data is not of its length.
    Refused,
}

/// Does it. Answers up to `copied` bytes are copied.
pub(super) fn perform(memory: &dyn Memory, request: &Request, data: Data<'_>, copied: usize) -> Outcome {
    // What was done before is seen before this.
    fences::store_fence();
    let done = match request.op {
        Op::Put | Op::PutSignal => put(memory, request, data),
        Op::PutBlocks => put_blocks(memory, request, data),
        Op::Get => get(memory, request, copied),
        Op::GetBlocks => get_blocks(memory, request, copied),
        Op::Amo => amo(memory, request, request.at).map(Outcome::Value),
        Op::Ring => Some(Outcome::Done),
        Op::Ask => None,
    };
    done.unwrap_or(Outcome::Refused)
}

/// What is left to do when the data of a put has been received.
pub(super) fn finish(memory: &dyn Memory, request: &Request) -> Outcome {
    match request.op {
        Op::PutSignal => signal(memory, request).unwrap_or(Outcome::Refused),
        _ => Outcome::Done,
    }
}

/// The whole of a request of blocks.
fn span(memory: &dyn Memory, request: &Request) -> Option<*mut u8> {
    memory.resolve(request.target, request.at, request.span()?, 1)
}

fn put(memory: &dyn Memory, request: &Request, data: Data<'_>) -> Option<Outcome> {
    let to = memory.resolve(request.target, request.at, request.len, 1)?;
    if request.op == Op::PutSignal {
        // FAR-X3.
        memory.resolve(request.target, request.words[0], 8, 8)?;
    }
    let n = request.data()?;
    match data {
        Data::Coming(token) => return Some(Outcome::Receive(token, to, n)),
        Data::Here(bytes) if bytes.len() == n => {
            // SAFETY: FAR-X1, FAR-X4: writable for its length, which is that of the bytes, which are the message's.
            unsafe { copy::put(to, bytes.as_ptr(), n) }
        }
        Data::Here(_) => return None,
    }
    Some(finish(memory, request))
}

fn put_blocks(memory: &dyn Memory, request: &Request, data: Data<'_>) -> Option<Outcome> {
    let to = span(memory, request)?;
    let (Data::Here(bytes), [stride, _]) = (data, request.words) else { return None };
    let len = usize::try_from(request.len).ok()?;
    if bytes.len() != request.data()? {
        return None;
    }
    for (i, block) in bytes.chunks_exact(len).enumerate() {
        let to = to.wrapping_add(i * stride as usize);
        // SAFETY: FAR-X1, FAR-X4: block i of the span; the bytes are the message's.
        unsafe { copy::put(to, block.as_ptr(), len) }
    }
    Some(Outcome::Done)
}

fn get(memory: &dyn Memory, request: &Request, copied: usize) -> Option<Outcome> {
    let from = memory.resolve(request.target, request.at, request.len, 1)?;
    let n = usize::try_from(request.len).ok()?;
    if n > copied {
        return Some(Outcome::Lent(from, n));
    }
    let mut bytes = vec![0; n];
    // SAFETY: FAR-X1, FAR-X4: readable for its length, and the vector is as long.
    unsafe { copy::get(bytes.as_mut_ptr(), from, n) };
    Some(Outcome::Copied(bytes))
}

fn get_blocks(memory: &dyn Memory, request: &Request, copied: usize) -> Option<Outcome> {
    let from = span(memory, request)?;
    let ([stride, _], len) = (request.words, usize::try_from(request.len).ok()?);
    // Whoever asks for blocks asks for no more than can be copied: what is kept for an answer is bounded.
    let n = usize::try_from(request.packed()?).ok().filter(|&n| n <= copied)?;
    let mut bytes = vec![0; n];
    for (i, block) in bytes.chunks_exact_mut(len).enumerate() {
        let from = from.wrapping_add(i * stride as usize);
        // SAFETY: FAR-X1, FAR-X4: block i of the span; the vector is ours.
        unsafe { copy::get(block.as_mut_ptr(), from, len) }
    }
    Some(Outcome::Copied(bytes))
}

fn signal(memory: &dyn Memory, request: &Request) -> Option<Outcome> {
    // The data is seen before the signal.
    fences::store_fence();
    amo(memory, request, request.words[0]).map(|_| Outcome::Done)
}

/// FAR-X2.
pub(super) fn amo(memory: &dyn Memory, request: &Request, at: u64) -> Option<u64> {
    let (width, op) = (u64::from(request.width), request.amo());
    let word = memory.resolve(request.target, at, width, width)?;
    match width {
        // SAFETY: COPY-A1 by FAR-X1 and FAR-X4: mapped, a multiple of 4, and changed atomically by everybody.
        4 => Some(unsafe { copy::amo::<u32>(word.cast(), op.map(|bits| bits as u32)) }.into()),
        // SAFETY: as above, of 8.
        8 => Some(unsafe { copy::amo::<u64>(word.cast(), op) }),
        _ => None,
    }
}
