//! A transport for tests: PEs of this host whose memory this process has mapped, but does as if it had not.
//!
//! `SHMEM_TEST_FAR` says which PEs are far: `all`, or `odd`: those whose number differs from this PE's in its lowest bit.
//! So every program of the tests can be run through every far arm. It is as late as a network may be: what is put lies in a
//! queue of this process until something orders or completes it, or the process asks or waits for others: so whoever forgets
//! to is found out.
#![allow(unsafe_code)]

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use memheap::PeId;
use memheap::region::Region;
use memheap::region::memfd::PeerRegion;

use super::{FarTarget, Stream, Transport};
use crate::memory::copy;
use crate::types::amo::AmoOp;

/// The memory of one far PE.
struct Memory {
    segment: PeerRegion,
    statics: Option<&'static PeerRegion>,
    /// From the beginning of its segment to the event and the count of sleepers of its waits.
    waiters: [usize; 2],
}

/// What is not done yet.
enum Pending {
    Put(FarTarget, Vec<u8>),
    Amo(FarTarget, usize, AmoOp<u64>),
    Wake(PeId),
}

/// By PE.
static MEMORY: RwLock<Vec<Option<Memory>>> = RwLock::new(Vec::new());
static PENDING: Mutex<Vec<Pending>> = Mutex::new(Vec::new());

struct Loopback;

/// Whether `pe` is far for `me`.
pub(crate) fn is_far(me: PeId, pe: PeId) -> bool {
    match std::env::var("SHMEM_TEST_FAR").as_deref() {
        Ok("all") => pe != me,
        Ok("odd") => (pe.0 ^ me.0) & 1 == 1,
        _ => false,
    }
}

/// In a start: the memory of the far PEs, by PE. `waiters` as in [`Memory`].
pub(crate) fn install(
    segments: Vec<Option<PeerRegion>>,
    statics: &[Option<&'static PeerRegion>],
    waiters: [usize; 2],
) {
    if segments.iter().all(Option::is_none) {
        return;
    }
    let memory = segments.into_iter().enumerate().map(|(pe, segment)| {
        Some(Memory { segment: segment?, statics: statics.get(pe).copied().flatten(), waiters })
    });
    *MEMORY.write().unwrap_or_else(PoisonError::into_inner) = memory.collect();
    super::set(&Loopback);
}

fn pending() -> MutexGuard<'static, Vec<Pending>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where it is, after all. What is past its end fails the test: TRANSPORT-T1.
fn address(target: FarTarget, n: usize) -> *mut u8 {
    let memory = MEMORY.read().unwrap_or_else(PoisonError::into_inner);
    let Some(memory) = memory.get(target.pe.0 as usize).and_then(Option::as_ref) else {
        panic!("TRANSPORT-T1: {target:?} is no far PE's")
    };
    let (region, at) = match target.at & FarTarget::STATIC {
        0 => (Some(&memory.segment), target.at as usize),
        _ => (memory.statics, (target.at & !FarTarget::STATIC) as usize),
    };
    let region = region.unwrap_or_else(|| panic!("TRANSPORT-T1: {target:?}: that PE shares no statics"));
    let len = region.len().0 as usize;
    assert!(at <= len && n <= len - at, "TRANSPORT-T1: {n} bytes at {target:?} of {len}");
    region.base().as_ptr().wrapping_add(at)
}

/// Everything is done, in the order in which it was asked for.
fn flush(pending: &mut Vec<Pending>) {
    for pending in pending.drain(..) {
        match pending {
            Pending::Put(to, bytes) => {
                // SAFETY: TRANSPORT-T1, which `address` has looked at again.
                unsafe { copy::put(address(to, bytes.len()), bytes.as_ptr(), bytes.len()) }
            }
            Pending::Amo(at, width, op) => _ = amo(at, width, op),
            Pending::Wake(pe) => wake(pe),
        }
    }
}

fn amo(at: FarTarget, width: usize, op: AmoOp<u64>) -> u64 {
    let word = address(at, width);
    assert!(word.addr().is_multiple_of(width), "{at:?} is not aligned to {width}");
    match width {
        // SAFETY: aligned, inside the region, and changed atomically by everybody, as just asserted and TRANSPORT-T1 says.
        4 => unsafe { copy::amo::<u32>(word.cast(), op.map(|v| v as u32)) }.into(),
        // SAFETY: as above.
        8 => unsafe { copy::amo::<u64>(word.cast(), op) },
        _ => panic!("a word of {width} bytes"),
    }
}

fn wake(pe: PeId) {
    let memory = MEMORY.read().unwrap_or_else(PoisonError::into_inner);
    let waiters = memory
        .get(pe.0 as usize)
        .and_then(Option::as_ref)
        .map(|memory| memory.waiters.map(|at| memory.segment.base().as_ptr().wrapping_add(at)));
    if let Some([event, asleep]) = waiters {
        // SAFETY: there every segment has these two words, atomics, as long as it is mapped.
        let [event, asleep] = [event, asleep].map(|at| unsafe { &*at.cast() });
        crate::sync::wait::notify(event, asleep);
    }
}

impl Transport for Loopback {
    unsafe fn put(&self, to: FarTarget, from: *const u8, n: usize) {
        let mut bytes = vec![0; n];
        // SAFETY: TRANSPORT-T3; the vector is as long.
        unsafe { copy::get(bytes.as_mut_ptr(), from, n) };
        pending().push(Pending::Put(to, bytes));
    }

    unsafe fn get(&self, to: *mut u8, from: FarTarget, n: usize) {
        flush(&mut pending());
        // SAFETY: TRANSPORT-T3; TRANSPORT-T1, which `address` has looked at again.
        unsafe { copy::get(to, address(from, n), n) }
    }

    fn amo(&self, at: FarTarget, width: usize, op: AmoOp<u64>) -> u64 {
        // It releases.
        flush(&mut pending());
        amo(at, width, op)
    }

    fn amo_post(&self, at: FarTarget, width: usize, op: AmoOp<u64>) {
        pending().push(Pending::Amo(at, width, op));
    }

    unsafe fn put_signal(&self, to: FarTarget, from: *const u8, n: usize, signal: FarTarget, op: AmoOp<u64>) {
        // SAFETY: TRANSPORT-T1 and TRANSPORT-T3.
        unsafe { self.put(to, from, n) };
        self.amo(signal, 8, op);
    }

    fn fence(&self, _: Stream) {
        flush(&mut pending());
    }

    fn quiet(&self, _: Stream) {
        flush(&mut pending());
    }

    fn progress(&self) {
        flush(&mut pending());
    }

    fn is_idle(&self) -> bool {
        pending().is_empty()
    }

    fn close(&self) {
        flush(&mut pending());
        MEMORY.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn wake(&self, pe: PeId) {
        let mut pending = pending();
        match pending.is_empty() {
            true => wake(pe),
            false => pending.push(Pending::Wake(pe)),
        }
    }
}
