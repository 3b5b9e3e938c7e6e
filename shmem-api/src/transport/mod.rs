//! The seam: how bytes reach a PE whose memory is not mapped here.
//!
//! ```text
//!   Target::Mapped(address)   the peer's memory is in this process: a load, a store, a copy, an instruction (`memory`)
//!   Target::Far(FarTarget)    it is not: PE, offset ──► the job's Transport (`far`), out of line
//! ```
//!
//! What names a place to a transport is a PE and an offset, never an address: into that PE's segment, or into its file of
//! static data. The runtime's own words in a segment (control blocks, mailboxes) are named so, too ([`part`]): so whatever
//! PEs of one host do by loads and stores, PEs of several can do by this trait alone.
//!
//! Invariants: **TRANSPORT-T1** a target lies inside a live object, or the runtime's part, of that PE: whoever makes one has
//! checked it against this PE's own, which is the same. **TRANSPORT-T2** a job has one transport or none, which stays until
//! the process ends. **TRANSPORT-T3** the other end of a copy is this process's own: whoever asks for the copy vouches
//! that it is readable, or writable, for as many bytes, and lies apart from the target.
#![allow(unsafe_code)]

mod bell;
#[cfg(all(test, not(miri)))]
mod conformance;
mod data;
pub(crate) mod engines;
pub(crate) mod far;
#[cfg(feature = "testing")]
pub(crate) mod loopback;
mod mpi;
pub(crate) mod part;
pub(crate) mod served;
#[cfg(test)]
pub(crate) mod sim;
mod ucx;
pub(crate) mod wire;

use crate::process::private::{AtomicBool, Ordering};
use std::sync::OnceLock;

use memheap::PeId;

use crate::sync::fences;
use crate::types::amo::AmoOp;

/// Where some bytes of a PE are for this process.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// Mapped here.
    Mapped(*mut u8),
    /// Reached by the job's transport.
    Far(FarTarget),
}

/// Bytes of a PE that are not mapped here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FarTarget {
    pub(crate) pe: PeId,
    /// Where in the PE's segment, or, with [`FarTarget::STATIC`], in its file of static data.
    pub(crate) at: u64,
    /// The stream of operations that it belongs to.
    pub(crate) stream: Stream,
}

/// Operations that are ordered and completed together: those on one context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stream(pub(crate) usize);

impl Stream {
    /// That of the default context, and of the runtime itself.
    pub(crate) const DEFAULT: Stream = Stream(1);
    /// That of what PEs show each other in meetings: what is put on it and then posted is seen in this order; no quiet waits for it, since
    /// a meeting ends when all of it is there.
    pub(crate) const MEETINGS: Stream = Stream(usize::MAX);
    /// Those of all contexts, for fences and quiets that see to all.
    pub(crate) const ALL: Stream = Stream(0);
}

impl FarTarget {
    /// In [`FarTarget::at`]: static data.
    pub(crate) const STATIC: u64 = 1 << 63;

    /// So many bytes further on.
    pub(crate) fn plus(self, bytes: usize) -> FarTarget {
        FarTarget { at: self.at + bytes as u64, ..self }
    }
}

impl Target {
    /// So many bytes further on, within what was checked.
    #[inline(always)]
    pub(crate) fn plus(self, bytes: usize) -> Target {
        match self {
            Target::Mapped(at) => Target::Mapped(at.wrapping_add(bytes)),
            Target::Far(far) => Target::Far(far.plus(bytes)),
        }
    }
}

/// Blocks of bytes a stride apart: the strides of target and source, the length of a block, and how many there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FarBlocks {
    pub(crate) strides: [usize; 2],
    pub(crate) len: usize,
    pub(crate) n: usize,
}

/// How bytes reach a PE whose memory is not mapped here. Any thread may call. A put or an atomic is done for others after
/// [`quiet`](Transport::quiet) at the latest; what gives a result returns when it is there.
pub(crate) trait Transport: Send + Sync {
    /// Copies `n` bytes to `to`. Returns when `from` may be used again.
    ///
    /// # Safety
    /// `from` is readable for `n` bytes; `to` keeps TRANSPORT-T1 for as many.
    unsafe fn put(&self, to: FarTarget, from: *const u8, n: usize);

    /// Copies `n` bytes from `from`, and returns when they are there.
    ///
    /// # Safety
    /// `to` is writable for `n` bytes; `from` keeps TRANSPORT-T1 for as many.
    unsafe fn get(&self, to: *mut u8, from: FarTarget, n: usize);

    /// As [`put`](Transport::put), of blocks.
    ///
    /// # Safety
    /// As there, for each of them.
    unsafe fn put_blocks(&self, to: FarTarget, from: *const u8, blocks: FarBlocks) {
        let [there, here] = blocks.strides;
        for i in 0..blocks.n {
            // SAFETY: TRANSPORT-T1 and TRANSPORT-T3 hold for each block, since they hold for all.
            unsafe { self.put(to.plus(i * there), from.wrapping_add(i * here), blocks.len) };
        }
    }

    /// As [`get`](Transport::get), of blocks.
    ///
    /// # Safety
    /// As there, for each of them.
    unsafe fn get_blocks(&self, to: *mut u8, from: FarTarget, blocks: FarBlocks) {
        let [here, there] = blocks.strides;
        for i in 0..blocks.n {
            // SAFETY: TRANSPORT-T1 and TRANSPORT-T3 hold for each block, since they hold for all.
            unsafe { self.get(to.wrapping_add(i * here), from.plus(i * there), blocks.len) };
        }
    }

    /// One operation on the word of `width` bytes (4 or 8) at `at`, which is aligned, by its bits; what was there. It
    /// acquires and releases: what was put to that PE before is there when its effect is.
    fn amo(&self, at: FarTarget, width: usize, op: AmoOp<u64>) -> u64;

    /// The same, where nobody wants to know what was there. It need not be there when this returns: it is ordered and completed as a put.
    fn amo_post(&self, at: FarTarget, width: usize, op: AmoOp<u64>) {
        self.amo(at, width, op);
    }

    /// A put and then an operation on a signal, whose effect is not seen before the data.
    ///
    /// # Safety
    /// As for [`put`](Transport::put).
    unsafe fn put_signal(&self, to: FarTarget, from: *const u8, n: usize, signal: FarTarget, op: AmoOp<u64>);

    /// What was put on the stream is there, at each PE, before what is put after this.
    fn fence(&self, stream: Stream);

    /// What was done on the stream is there when this returns.
    fn quiet(&self, stream: Stream);

    /// Moves things along, for whoever waits.
    fn progress(&self);

    /// Whether all that was asked of other PEs is known to be done.
    fn is_idle(&self) -> bool;

    /// Wakes that PE if it sleeps in a wait on its own memory.
    fn wake(&self, pe: PeId);

    /// The library has gone down, and no call is under way: the memory of all PEs goes. A later start tells of other.
    fn close(&self);
}

/// TRANSPORT-T2.
static FAR: OnceLock<&'static dyn Transport> = OnceLock::new();
/// Whether it is there: one look, for those who ask often.
static IS_THERE: AtomicBool = AtomicBool::new(false);

/// The job's transport, if it has PEs whose memory is not mapped here.
#[inline]
pub(crate) fn far() -> Option<&'static dyn Transport> {
    if IS_THERE.load(Ordering::Relaxed) { given() } else { None }
}

#[cold]
#[inline(never)]
fn given() -> Option<&'static dyn Transport> {
    #[cfg(test)]
    if let Some(here) = HERE.get() {
        return Some(here);
    }
    FAR.get().copied()
}

#[cfg(test)]
thread_local! {
    static HERE: std::cell::Cell<Option<&'static dyn Transport>> = const { std::cell::Cell::new(None) };
}

/// That of this thread, which stands for a PE.
#[cfg(test)]
pub(crate) fn set_here(transport: &'static dyn Transport) {
    HERE.set(Some(transport));
    IS_THERE.store(true, Ordering::Release);
}

/// In the start of a job that has such PEs: its transport from now on.
pub(crate) fn set(transport: &'static dyn Transport) {
    FAR.get_or_init(|| transport);
    IS_THERE.store(true, Ordering::Release);
}

/// The transport that a far target asks for.
#[cold]
#[inline(never)]
pub(crate) fn of(target: FarTarget) -> &'static dyn Transport {
    match far() {
        Some(far) => far,
        None => unreachable!("TRANSPORT-T1: {target:?} is far in a job without a transport"),
    }
}

/// Wakes a far PE that sleeps in a wait on its own memory.
#[cold]
#[inline(never)]
pub(crate) fn wake(pe: PeId) {
    if let Some(far) = far() {
        far.wake(pe);
    }
}

/// Whether all that this PE has asked of far PEs is known to be done.
pub(crate) fn is_idle() -> bool {
    far().is_none_or(|far| far.is_idle())
}

/// The library has gone down.
pub(crate) fn close() {
    if let Some(far) = far() {
        far.close();
    }
}

/// Moves things along, for whoever waits.
#[inline]
pub(crate) fn progress() {
    if IS_THERE.load(Ordering::Relaxed) {
        with_far(|far| far.progress());
    }
}

/// Stores before this are seen before stores after it, by each PE. The one door for fences.
#[inline]
pub(crate) fn fence(stream: Stream) {
    fences::store_fence();
    if IS_THERE.load(Ordering::Relaxed) {
        far_fence(stream);
    }
}

/// What this PE has done is there for far PEs when it returns; for the others it is when this PE meets them.
#[inline]
pub(crate) fn quiet_far() {
    if IS_THERE.load(Ordering::Relaxed) {
        far_quiet(Stream::ALL);
    }
}

/// What this PE has done is there for all PEs when it returns. The one door for quiets.
#[inline]
pub(crate) fn quiet(stream: Stream) {
    fences::full_fence();
    if IS_THERE.load(Ordering::Relaxed) {
        far_quiet(stream);
    }
}

#[cold]
#[inline(never)]
fn far_fence(stream: Stream) {
    with_far(|far| far.fence(stream));
}

#[cold]
#[inline(never)]
fn far_quiet(stream: Stream) {
    with_far(|far| far.quiet(stream));
}

#[cold]
fn with_far(f: impl FnOnce(&dyn Transport)) {
    if let Some(far) = far() {
        f(far);
    }
}
