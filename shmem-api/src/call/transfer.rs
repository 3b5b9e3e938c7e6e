//! What is done to the bytes of a call: copied, stored, loaded, changed.
//!
//! ```text
//!   quick, inlined   the heap of a PE that is mapped
//!   slow_*           statics; in the last place of the quick path, which so has nothing to keep for after a call
//!   slowest_*        a far PE, another static, no bytes at all, or something that is wrong
//! ```
#![allow(unsafe_code)]

use std::sync::atomic::Ordering;

use memheap::PeId;

use crate::call::place::{Spot, far_target, quick, slow_place, static_place};
use crate::call::{Call, bytes};
use crate::memory::copy;
use crate::node::control_block::Waiters;
use crate::node::hot::HOT;
use crate::sync::wait;
use crate::team::contexts::Ctx;
use crate::transport::{self, Target};
use crate::types::amo::AmoOp;
use crate::types::elem::{AmoSwap, Elem};

impl Call {
    /// Copies `n` elements to `dest` on `pe`.
    ///
    /// # Safety
    /// `src` is readable for them, and does not overlap `dest`, which lies in a live object.
    #[inline(always)]
    pub(crate) unsafe fn put<T: Elem>(self, dest: *mut T, src: *const T, n: usize, pe: i32) {
        let (own, pe) = (dest.addr(), self.pe(pe));
        match quick(own, bytes::<T>(n), pe) {
            // SAFETY: CALL-V2; the source is the caller's promise.
            Some(to) => unsafe { copy::put(to.as_ptr().cast(), src, n) },
            // SAFETY: by the same contract.
            None => unsafe { slow_put(self.routine, self.ctx, own, src, n, pe) },
        }
    }

    /// Copies `n` elements from `src` on `pe`.
    ///
    /// # Safety
    /// `dest` is writable for them, and does not overlap `src`, which lies in a live object.
    #[inline(always)]
    pub(crate) unsafe fn get<T: Elem>(self, dest: *mut T, src: *const T, n: usize, pe: i32) {
        let (own, pe) = (src.addr(), self.pe(pe));
        match quick(own, bytes::<T>(n), pe) {
            // SAFETY: CALL-V2; the target is the caller's promise.
            Some(from) => unsafe { copy::get(dest, from.as_ptr().cast(), n) },
            // SAFETY: by the same contract.
            None => unsafe { slow_get(self.routine, self.ctx, dest, own, n, pe) },
        }
    }

    /// Stores one element at `dest` on `pe`.
    ///
    /// # Safety
    /// As for [`put`](Self::put).
    #[inline(always)]
    pub(crate) unsafe fn store<T: Elem>(self, dest: *mut T, value: T, pe: i32) {
        let (own, pe) = (dest.addr(), self.pe(pe));
        match quick(own, size_of::<T>(), pe) {
            // SAFETY: CALL-V2.
            Some(to) => unsafe { copy::store(to.as_ptr().cast(), value) },
            // SAFETY: by the same contract.
            None => unsafe { slow_store(self.routine, self.ctx, own, value, pe) },
        }
    }

    /// Loads the element at `src` on `pe`.
    ///
    /// # Safety
    /// As for [`get`](Self::get).
    #[inline(always)]
    pub(crate) unsafe fn load<T: Elem>(self, src: *const T, pe: i32) -> T {
        let (own, pe) = (src.addr(), self.pe(pe));
        match quick(own, size_of::<T>(), pe) {
            // SAFETY: CALL-V2.
            Some(from) => unsafe { copy::load(from.as_ptr().cast()) },
            // SAFETY: by the same contract.
            None => unsafe { slow_load(self.routine, self.ctx, own, pe) },
        }
    }

    /// One atomic operation on the word at `at` of `pe`, and whoever sleeps there woken, unless it only reads; what was
    /// there.
    ///
    /// # Safety
    /// All that changes the word is atomic, and of its type.
    #[inline(always)]
    pub(crate) unsafe fn amo<T: AmoSwap>(self, at: *const T, pe: i32, op: AmoOp<T>) -> T {
        if !at.is_aligned() {
            self.misaligned(at.addr(), size_of::<T>());
        }
        let (own, pe) = (at.addr(), self.pe(pe));
        match quick(own, size_of::<T>(), pe) {
            // SAFETY: CALL-V2; that all changes are atomic is the caller's promise.
            Some(word) => unsafe { amo_here(word.as_ptr().cast(), pe, op) },
            // SAFETY: by the same contract.
            None => unsafe { slow_amo(self.routine, self.ctx, own, pe, op) },
        }
    }
}

impl Spot {
    /// See [`Call::amo`].
    ///
    /// # Safety
    /// A word of this type, which is aligned, and of which all changes are atomic.
    #[inline(always)]
    pub(crate) unsafe fn amo<T: AmoSwap>(self, op: AmoOp<T>) -> T {
        if self.at.is_null() {
            return far_amo(self.own, self.pe, self.ctx, op, true);
        }
        // SAFETY: by contract.
        unsafe { amo_here(self.at.cast(), self.pe, op) }
    }

    /// As [`amo`](Self::amo), of a word that nobody sleeps for.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn amo_quietly<T: AmoSwap>(self, op: AmoOp<T>) -> T {
        if self.at.is_null() {
            return far_amo(self.own, self.pe, self.ctx, op, false);
        }
        // SAFETY: by contract.
        unsafe { copy::amo(self.at.cast(), op) }
    }

    /// Copies `n` elements there.
    ///
    /// # Safety
    /// As [`Target::put`].
    #[inline(always)]
    pub(crate) unsafe fn put<T: Elem>(self, from: *const T, n: usize) {
        match self.at.is_null() {
            // SAFETY: by contract.
            false => unsafe { copy::put(self.at.cast(), from, n) },
            // SAFETY: by contract.
            true => unsafe { far_put(self.own, self.pe, self.ctx, from.cast(), bytes::<T>(n)) },
        }
    }
}

/// Wakes `pe` (of the world) if it sleeps in a wait. Call it after an atomic or a signal.
#[inline]
pub(crate) fn notify(pe: u32) {
    let entry = HOT.peers.load(Ordering::Relaxed).wrapping_add(pe as usize);
    // SAFETY: NODE-N2: the table has an entry for each PE, and `pe` comes from `Call::target`.
    let heap = unsafe { entry.read() }.heap;
    if heap.is_null() {
        return transport::wake(PeId(pe));
    }
    // SAFETY: NODE-N2: it is mapped.
    unsafe { notify_at(heap) }
}

/// # Safety
/// A segment is mapped there.
#[inline(always)]
unsafe fn notify_at(heap: *mut u8) {
    let waiters = heap.wrapping_add(HOT.waiters.load(Ordering::Relaxed));
    // SAFETY: NODE-N2: there every segment has its PE's waiters, all atomics, mapped as long as the library is up.
    let waiters = unsafe { &*waiters.cast::<Waiters>() };
    wait::notify(&waiters.event, &waiters.asleep);
}

/// One operation on a word that is mapped, and its PE woken, unless it only reads.
///
/// # Safety
/// An aligned word of this type, of `pe`, and of which all changes are atomic.
#[inline(always)]
unsafe fn amo_here<T: AmoSwap>(at: *mut T, pe: u32, op: AmoOp<T>) -> T {
    // SAFETY: by contract.
    let old = unsafe { copy::amo(at, op) };
    if !matches!(op, AmoOp::Load) {
        let entry = HOT.peers.load(Ordering::Relaxed).wrapping_add(pe as usize);
        // SAFETY: NODE-N2: the table has an entry for each PE, and `pe` is one.
        let heap = unsafe { entry.read() }.heap;
        // SAFETY: NODE-N2: a PE of which something is mapped has its segment mapped.
        unsafe { notify_at(heap) }
    }
    old
}

/// # Safety
/// As for [`Call::put`].
#[inline(never)]
unsafe fn slow_put<T: Elem>(routine: &'static str, ctx: Ctx, own: usize, src: *const T, n: usize, pe: u32) {
    let place = static_place(own, bytes::<T>(n), pe);
    if !place.is_null() {
        // SAFETY: CALL-V2; the source is the caller's promise.
        return unsafe { copy::put(place.cast(), src, n) };
    }
    // SAFETY: by the same contract.
    unsafe { slowest_put(routine, ctx, own, src, n, pe) }
}

/// # Safety
/// As for [`Call::put`].
#[cold]
#[inline(never)]
unsafe fn slowest_put<T: Elem>(
    routine: &'static str,
    ctx: Ctx,
    own: usize,
    src: *const T,
    n: usize,
    pe: u32,
) {
    let at = slow_place(routine, ctx, own, bytes::<T>(n), pe);
    // SAFETY: CALL-V2; the source is the caller's promise.
    unsafe { Spot { at, own, pe, ctx }.put(src, n) }
}

/// # Safety
/// As for [`Call::get`].
#[inline(never)]
unsafe fn slow_get<T: Elem>(routine: &'static str, ctx: Ctx, dest: *mut T, own: usize, n: usize, pe: u32) {
    let place = static_place(own, bytes::<T>(n), pe);
    if !place.is_null() {
        // SAFETY: CALL-V2; the target is the caller's promise.
        return unsafe { copy::get(dest, place.cast(), n) };
    }
    // SAFETY: by the same contract.
    unsafe { slowest_get(routine, ctx, dest, own, n, pe) }
}

/// # Safety
/// As for [`Call::get`].
#[cold]
#[inline(never)]
unsafe fn slowest_get<T: Elem>(routine: &'static str, ctx: Ctx, dest: *mut T, own: usize, n: usize, pe: u32) {
    let at = slow_place(routine, ctx, own, bytes::<T>(n), pe);
    if n > 0 {
        // SAFETY: CALL-V2; the target is the caller's promise.
        unsafe { Spot { at, own, pe, ctx }.target().get(dest, n) }
    }
}

/// # Safety
/// As for [`Call::store`].
#[inline(never)]
unsafe fn slow_store<T: Elem>(routine: &'static str, ctx: Ctx, own: usize, value: T, pe: u32) {
    let place = static_place(own, size_of::<T>(), pe);
    if !place.is_null() {
        // SAFETY: CALL-V2.
        return unsafe { copy::store(place.cast(), value) };
    }
    // SAFETY: by the same contract.
    unsafe { slowest_store(routine, ctx, own, value, pe) }
}

/// # Safety
/// As for [`Call::store`].
#[cold]
#[inline(never)]
unsafe fn slowest_store<T: Elem>(routine: &'static str, ctx: Ctx, own: usize, value: T, pe: u32) {
    let at = slow_place(routine, ctx, own, size_of::<T>(), pe);
    // SAFETY: CALL-V2.
    unsafe { Spot { at, own, pe, ctx }.target().store(value) }
}

/// # Safety
/// As for [`Call::load`].
#[inline(never)]
unsafe fn slow_load<T: Elem>(routine: &'static str, ctx: Ctx, own: usize, pe: u32) -> T {
    let place = static_place(own, size_of::<T>(), pe);
    if !place.is_null() {
        // SAFETY: CALL-V2.
        return unsafe { copy::load(place.cast()) };
    }
    // SAFETY: by the same contract.
    unsafe { slowest_load(routine, ctx, own, pe) }
}

/// # Safety
/// As for [`Call::load`].
#[cold]
#[inline(never)]
unsafe fn slowest_load<T: Elem>(routine: &'static str, ctx: Ctx, own: usize, pe: u32) -> T {
    let at = slow_place(routine, ctx, own, size_of::<T>(), pe);
    // SAFETY: CALL-V2.
    unsafe { Spot { at, own, pe, ctx }.target().load() }
}

/// # Safety
/// As for [`Call::amo`].
#[inline(never)]
unsafe fn slow_amo<T: AmoSwap>(routine: &'static str, ctx: Ctx, own: usize, pe: u32, op: AmoOp<T>) -> T {
    let place = static_place(own, size_of::<T>(), pe);
    if !place.is_null() {
        // SAFETY: CALL-V2; the rest is the caller's promise.
        return unsafe { amo_here(place.cast(), pe, op) };
    }
    // SAFETY: by the same contract.
    unsafe { slowest_amo(routine, ctx, own, pe, op) }
}

/// # Safety
/// As for [`Call::amo`].
#[cold]
#[inline(never)]
unsafe fn slowest_amo<T: AmoSwap>(routine: &'static str, ctx: Ctx, own: usize, pe: u32, op: AmoOp<T>) -> T {
    let at = slow_place(routine, ctx, own, size_of::<T>(), pe);
    // SAFETY: CALL-V2; the rest is the caller's promise.
    unsafe { Spot { at, own, pe, ctx }.amo(op) }
}

/// # Safety
/// As for [`Target::put`], of bytes.
#[cold]
#[inline(never)]
unsafe fn far_put(own: usize, pe: u32, ctx: Ctx, from: *const u8, n: usize) {
    if n > 0 {
        // SAFETY: by contract.
        unsafe { far_target(own, pe, ctx).put(from, n) }
    }
}

#[cold]
#[inline(never)]
fn far_amo<T: AmoSwap>(own: usize, pe: u32, ctx: Ctx, op: AmoOp<T>, wake: bool) -> T {
    let Target::Far(target) = far_target(own, pe, ctx) else {
        unreachable!("TRANSPORT-T1: a word that is neither mapped nor far");
    };
    let far = transport::of(target);
    let old = far.amo(target, size_of::<T>(), op.map(T::to_bits64));
    if wake && !matches!(op, AmoOp::Load) {
        far.wake(target.pe);
    }
    T::from_bits64(old)
}
