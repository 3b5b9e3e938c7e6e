//! What is done to the bytes of a call: copied, stored, loaded, changed.
//!
//! ```text
//!   quick, inlined   the heap of a PE that is mapped
//!   slow_*           statics; in the last place of the quick path, which so has nothing to keep for after a call
//!   slowest_*        a far PE, another static, no bytes at all, or something that is wrong
//! ```
//!
//! Invariant **CALL-V3**: what whoever calls for a transfer sees to: the private side is readable, or writable, for as many
//! elements as are moved, and does not overlap the other, which lies in a live object; of a word that is changed atomically
//! all changes are (COPY-A1).
#![allow(unsafe_code)]

pub(crate) mod mapped;

use crate::call::place::{Spot, far_target, slow_place};
use crate::call::transfer::mapped::{WorldPe, amo_here, quick, static_place};
use crate::call::{Call, bytes};
use crate::memory::copy;
use crate::team::contexts::Ctx;
use crate::transport::{self, Target};
use crate::types::amo::{AmoKind, AmoOp};
use crate::types::elem::{AmoSwap, Elem};

impl Call {
    /// Copies `n` elements to `dest` on `pe`.
    ///
    /// # Safety
    /// CALL-V3: `src` is readable for them, and does not overlap `dest`, which lies in a live object.
    #[inline(always)]
    pub(crate) unsafe fn put<T: Elem>(self, dest: *mut T, src: *const T, n: usize, pe: i32) {
        let (own, pe) = (dest.addr(), self.pe(pe));
        match quick(own, bytes::<T>(n), pe) {
            // SAFETY: CALL-V2; CALL-V3 for the source.
            Some(to) => unsafe { copy::put(to.as_ptr().cast(), src, n) },
            // SAFETY: CALL-V3, of which the caller made sure.
            None => unsafe { slow_put(self.routine, self.ctx, own, src, n, pe) },
        }
    }

    /// Copies `n` elements from `src` on `pe`.
    ///
    /// # Safety
    /// CALL-V3: `dest` is writable for them, and does not overlap `src`, which lies in a live object.
    #[inline(always)]
    pub(crate) unsafe fn get<T: Elem>(self, dest: *mut T, src: *const T, n: usize, pe: i32) {
        let (own, pe) = (src.addr(), self.pe(pe));
        match quick(own, bytes::<T>(n), pe) {
            // SAFETY: CALL-V2; CALL-V3 for the target.
            Some(from) => unsafe { copy::get(dest, from.as_ptr().cast(), n) },
            // SAFETY: CALL-V3, of which the caller made sure.
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
            // SAFETY: CALL-V3, of which the caller made sure.
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
            // SAFETY: CALL-V3, of which the caller made sure.
            None => unsafe { slow_load(self.routine, self.ctx, own, pe) },
        }
    }

    /// One atomic operation on the word at `at` of `pe`, and whoever sleeps there woken, unless it only reads; what was
    /// there.
    ///
    /// # Safety
    /// CALL-V3: all that changes the word is atomic, and of its type.
    #[inline(always)]
    pub(crate) unsafe fn amo<T: AmoSwap>(self, at: *const T, pe: i32, op: AmoOp<T>) -> T {
        // SAFETY: CALL-V3, of which the caller made sure.
        unsafe { self.change::<T, true>(at, pe, op) }
    }

    /// As [`amo`](Self::amo), where nobody wants to know what was there: a far word changes later, as by a put.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn amo_post<T: AmoSwap>(self, at: *const T, pe: i32, op: AmoOp<T>) {
        // SAFETY: CALL-V3, of which the caller made sure.
        unsafe { self.change::<T, false>(at, pe, op) };
    }

    /// What was there, if `FETCH`.
    ///
    /// # Safety
    /// CALL-V3, as for [`amo`](Self::amo).
    #[inline(always)]
    unsafe fn change<T: AmoSwap, const FETCH: bool>(self, at: *const T, pe: i32, op: AmoOp<T>) -> T {
        if !at.is_aligned() {
            self.misaligned(at.addr(), size_of::<T>());
        }
        let (own, pe) = (at.addr(), self.pe(pe));
        match quick(own, size_of::<T>(), pe) {
            // SAFETY: CALL-V2; CALL-V3: all changes are atomic.
            Some(word) => unsafe { amo_here(word.as_ptr().cast(), pe, op) },
            None => {
                let (kind, first, second) = op.map(T::to_bits64).parts();
                // SAFETY: CALL-V3, of which the caller made sure.
                unsafe { slow_amo::<T, FETCH>(self.routine, self.ctx, own, pe, kind, first, second) }
            }
        }
    }

    /// Leaves a result where the caller wants it; ends the job if that is nowhere.
    ///
    /// # Safety
    /// CALL-V3: `to` is writable, or null. It may be misaligned.
    pub unsafe fn leave<T>(self, to: *mut T, result: T) {
        self.can_leave(to);
        // SAFETY: CALL-V3; it is not null.
        unsafe { to.write_unaligned(result) }
    }
}

impl Spot {
    /// See [`Call::amo`].
    ///
    /// # Safety
    /// CALL-V3: a word of this type, which is aligned, and of which all changes are atomic.
    #[inline(always)]
    pub(crate) unsafe fn amo<T: AmoSwap>(self, op: AmoOp<T>) -> T {
        if self.at.is_null() {
            let (kind, first, second) = op.map(T::to_bits64).parts();
            return far_amo::<T, true>(self.own, self.pe, self.ctx, kind, first, second, true);
        }
        // SAFETY: CALL-V3, of which the caller made sure.
        unsafe { amo_here(self.at.cast(), self.pe, op) }
    }

    /// See [`Call::amo_post`].
    ///
    /// # Safety
    /// As for [`amo`](Self::amo).
    #[inline(always)]
    pub(crate) unsafe fn amo_post<T: AmoSwap>(self, op: AmoOp<T>) {
        if self.at.is_null() {
            let (kind, first, second) = op.map(T::to_bits64).parts();
            far_amo::<T, false>(self.own, self.pe, self.ctx, kind, first, second, true);
            return;
        }
        // SAFETY: CALL-V3, of which the caller made sure.
        unsafe { amo_here(self.at.cast(), self.pe, op) };
    }

    /// As [`amo`](Self::amo), of a word that nobody sleeps for.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn amo_quietly<T: AmoSwap>(self, op: AmoOp<T>) -> T {
        if self.at.is_null() {
            let (kind, first, second) = op.map(T::to_bits64).parts();
            return far_amo::<T, true>(self.own, self.pe, self.ctx, kind, first, second, false);
        }
        // SAFETY: CALL-V3, of which the caller made sure.
        unsafe { copy::amo(self.at.cast(), op) }
    }

    /// Copies `n` elements there, then changes `word`, of the same PE, and wakes who may wait for it.
    ///
    /// # Safety
    /// As [`put`](Self::put), and for the word as [`amo`](Self::amo).
    #[inline(always)]
    pub(crate) unsafe fn put_signal<T: Elem>(self, from: *const T, n: usize, word: Spot, op: AmoOp<u64>) {
        if self.at.is_null() && word.at.is_null() {
            let (kind, value, _) = op.parts();
            let (from, n) = (from.cast(), bytes::<T>(n));
            // SAFETY: CALL-V3, of which the caller made sure.
            return unsafe { far_put_signal(self.own, word.own, self.pe, self.ctx, from, n, kind, value) };
        }
        // SAFETY: CALL-V3, of which the caller made sure.
        unsafe { self.put(from, n) };
        // SAFETY: CALL-V3, of which the caller made sure.
        unsafe { word.amo_post(op) };
    }

    /// Copies `n` elements there.
    ///
    /// # Safety
    /// As [`Target::put`].
    #[inline(always)]
    pub(crate) unsafe fn put<T: Elem>(self, from: *const T, n: usize) {
        match self.at.is_null() {
            // SAFETY: CALL-V3, of which the caller made sure.
            false => unsafe { copy::put(self.at.cast(), from, n) },
            // SAFETY: CALL-V3, of which the caller made sure.
            true => unsafe { far_put(self.own, self.pe, self.ctx, from.cast(), bytes::<T>(n)) },
        }
    }
}

/// # Safety
/// As for [`Call::put`].
#[inline(never)]
unsafe fn slow_put<T: Elem>(
    routine: &'static str,
    ctx: Ctx,
    own: usize,
    src: *const T,
    n: usize,
    pe: WorldPe,
) {
    let place = static_place(own, bytes::<T>(n), pe);
    if !place.is_null() {
        // SAFETY: CALL-V2; CALL-V3 for the source.
        return unsafe { copy::put(place.cast(), src, n) };
    }
    // SAFETY: CALL-V3, of which the caller made sure.
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
    pe: WorldPe,
) {
    let at = slow_place(routine, ctx, own, bytes::<T>(n), pe);
    // SAFETY: CALL-V2; CALL-V3 for the source.
    unsafe { Spot { at, own, pe, ctx }.put(src, n) }
}

/// # Safety
/// As for [`Call::get`].
#[inline(never)]
unsafe fn slow_get<T: Elem>(
    routine: &'static str,
    ctx: Ctx,
    dest: *mut T,
    own: usize,
    n: usize,
    pe: WorldPe,
) {
    let place = static_place(own, bytes::<T>(n), pe);
    if !place.is_null() {
        // SAFETY: CALL-V2; CALL-V3 for the target.
        return unsafe { copy::get(dest, place.cast(), n) };
    }
    // SAFETY: CALL-V3, of which the caller made sure.
    unsafe { slowest_get(routine, ctx, dest, own, n, pe) }
}

/// # Safety
/// As for [`Call::get`].
#[cold]
#[inline(never)]
unsafe fn slowest_get<T: Elem>(
    routine: &'static str,
    ctx: Ctx,
    dest: *mut T,
    own: usize,
    n: usize,
    pe: WorldPe,
) {
    let at = slow_place(routine, ctx, own, bytes::<T>(n), pe);
    if n > 0 {
        // SAFETY: CALL-V2; CALL-V3 for the target.
        unsafe { Spot { at, own, pe, ctx }.target().get(dest, n) }
    }
}

/// # Safety
/// As for [`Call::store`].
#[inline(never)]
unsafe fn slow_store<T: Elem>(routine: &'static str, ctx: Ctx, own: usize, value: T, pe: WorldPe) {
    let place = static_place(own, size_of::<T>(), pe);
    if !place.is_null() {
        // SAFETY: CALL-V2.
        return unsafe { copy::store(place.cast(), value) };
    }
    // SAFETY: CALL-V3, of which the caller made sure.
    unsafe { slowest_store(routine, ctx, own, value, pe) }
}

/// # Safety
/// As for [`Call::store`].
#[cold]
#[inline(never)]
unsafe fn slowest_store<T: Elem>(routine: &'static str, ctx: Ctx, own: usize, value: T, pe: WorldPe) {
    let at = slow_place(routine, ctx, own, size_of::<T>(), pe);
    // SAFETY: CALL-V2.
    unsafe { Spot { at, own, pe, ctx }.target().store(value) }
}

/// # Safety
/// As for [`Call::load`].
#[inline(never)]
unsafe fn slow_load<T: Elem>(routine: &'static str, ctx: Ctx, own: usize, pe: WorldPe) -> T {
    let place = static_place(own, size_of::<T>(), pe);
    if !place.is_null() {
        // SAFETY: CALL-V2.
        return unsafe { copy::load(place.cast()) };
    }
    // SAFETY: CALL-V3, of which the caller made sure.
    unsafe { slowest_load(routine, ctx, own, pe) }
}

/// # Safety
/// As for [`Call::load`].
#[cold]
#[inline(never)]
unsafe fn slowest_load<T: Elem>(routine: &'static str, ctx: Ctx, own: usize, pe: WorldPe) -> T {
    let at = slow_place(routine, ctx, own, size_of::<T>(), pe);
    // SAFETY: CALL-V2.
    unsafe { Spot { at, own, pe, ctx }.target().load() }
}

/// # Safety
/// As for [`Call::amo`].
#[inline(never)]
unsafe fn slow_amo<T: AmoSwap, const FETCH: bool>(
    routine: &'static str,
    ctx: Ctx,
    own: usize,
    pe: WorldPe,
    kind: AmoKind,
    first: u64,
    second: u64,
) -> T {
    let place = static_place(own, size_of::<T>(), pe);
    let op = AmoOp::of_parts(kind, first, second).map(T::from_bits64);
    if !place.is_null() {
        // SAFETY: CALL-V2; CALL-V3: aligned, and all changes are atomic.
        return unsafe { amo_here(place.cast(), pe, op) };
    }
    // SAFETY: CALL-V3, of which the caller made sure.
    unsafe { slowest_amo::<T, FETCH>(routine, ctx, own, pe, op) }
}

/// # Safety
/// As for [`Call::amo`].
#[cold]
#[inline(never)]
unsafe fn slowest_amo<T: AmoSwap, const FETCH: bool>(
    routine: &'static str,
    ctx: Ctx,
    own: usize,
    pe: WorldPe,
    op: AmoOp<T>,
) -> T {
    let at = slow_place(routine, ctx, own, size_of::<T>(), pe);
    let word = Spot { at, own, pe, ctx };
    if FETCH {
        // SAFETY: CALL-V2; CALL-V3: aligned, and all changes are atomic.
        return unsafe { word.amo(op) };
    }
    // SAFETY: CALL-V2; CALL-V3: aligned, and all changes are atomic.
    unsafe { word.amo_post(op) };
    T::from_bits64(0)
}

/// # Safety
/// As for [`Target::put`], of bytes.
#[cold]
#[inline(never)]
unsafe fn far_put(own: usize, pe: WorldPe, ctx: Ctx, from: *const u8, n: usize) {
    if n > 0 {
        // SAFETY: CALL-V3, of which the caller made sure.
        unsafe { far_target(own, pe, ctx).put(from, n) }
    }
}

/// # Safety
/// As for [`Spot::put_signal`].
#[cold]
#[inline(never)]
#[allow(clippy::too_many_arguments, reason = "in registers, as far as they go")]
unsafe fn far_put_signal(
    own: usize,
    word: usize,
    pe: WorldPe,
    ctx: Ctx,
    from: *const u8,
    n: usize,
    kind: AmoKind,
    value: u64,
) {
    let op = AmoOp::of_parts(kind, value, 0);
    let Target::Far(signal) = far_target(word, pe, ctx) else {
        unreachable!("TRANSPORT-T1: a word that is neither mapped nor far");
    };
    let far = transport::of(signal);
    match n {
        0 => far.amo_post(signal, size_of::<u64>(), op),
        _ => {
            let Target::Far(to) = far_target(own, pe, ctx) else {
                unreachable!("TRANSPORT-T1: data that is neither mapped nor far");
            };
            // SAFETY: TRANSPORT-T1, and TRANSPORT-T3 for the source, by CALL-V3.
            unsafe { far.put_signal(to, from, n, signal, op) }
        }
    }
    far.wake(signal.pe);
}

#[cold]
#[inline(never)]
fn far_amo<T: AmoSwap, const FETCH: bool>(
    own: usize,
    pe: WorldPe,
    ctx: Ctx,
    kind: AmoKind,
    first: u64,
    second: u64,
    wake: bool,
) -> T {
    let Target::Far(target) = far_target(own, pe, ctx) else {
        unreachable!("TRANSPORT-T1: a word that is neither mapped nor far");
    };
    let far = transport::of(target);
    let op = AmoOp::of_parts(kind, first, second);
    let old = match FETCH {
        true => far.amo(target, size_of::<T>(), op),
        false => {
            far.amo_post(target, size_of::<T>(), op);
            0
        }
    };
    if wake && kind != AmoKind::Load {
        far.wake(target.pe);
    }
    T::from_bits64(old)
}
