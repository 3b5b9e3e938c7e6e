//! Where the bytes of a call are: of the heap, of the statics, or of a far PE.

use std::ptr;
use std::sync::atomic::Ordering;

use memheap::{Offset, PeId};

use crate::call::transfer::mapped::{WorldPe, fits, quick, static_place};
use crate::call::{Call, bytes, not_up};
use crate::node::hot::HOT;
use crate::node::signature::Position;
use crate::node::static_data::StaticPlace;
use crate::team::contexts::Ctx;
use crate::transport::{FarTarget, Stream, Target};

/// Some bytes of a PE. All of it stays in registers: what a far place is called by its transport is worked out when it is
/// asked for, out of line.
#[derive(Clone, Copy)]
pub(crate) struct Spot {
    /// Where they are mapped; null if they are not, or if there are none.
    pub(super) at: *mut u8,
    /// The same bytes of this PE's.
    pub(super) own: usize,
    /// In the world.
    pub(super) pe: WorldPe,
    pub(super) ctx: Ctx,
}

impl Call {
    /// Where `n` bytes at this PE's symmetric address `at` are for `pe`. If there are no bytes, it may be null.
    ///
    /// Always inlined, and all but the heap is behind calls: then a call's name costs nothing where all is well, and
    /// what is known of `n` and the context where the routine is called is made use of.
    #[inline(always)]
    pub(crate) fn target(self, at: *const u8, n: usize, pe: i32) -> Spot {
        let (own, pe) = (at.addr(), self.pe(pe));
        Spot { at: self.mapped(own, n, pe), own, pe, ctx: self.ctx }
    }

    /// Where they are mapped, or null.
    #[inline(always)]
    fn mapped(self, at: usize, n: usize, pe: WorldPe) -> *mut u8 {
        match quick(at, n, pe) {
            Some(place) => place.as_ptr(),
            None => any_place(self.routine, self.ctx, at, n, pe),
        }
    }

    /// As [`target`](Self::target), of this PE's own memory.
    #[inline(always)]
    pub(crate) fn own_target(self, at: *const u8, n: usize) -> *mut u8 {
        match WorldPe::new(HOT.me.load(Ordering::Relaxed)) {
            Some(me) => self.mapped(at.addr(), n, me),
            None => not_up(self.routine),
        }
    }

    /// Where this PE's symmetric address `at`, of at least `n` elements, is, in words that are the same on every PE (see
    /// `Position`). Ends the job if it is none.
    #[inline]
    pub(crate) fn position<T>(self, at: *const T, n: usize) -> u64 {
        let offset = at.addr().wrapping_sub(HOT.lo.load(Ordering::Relaxed));
        if offset < HOT.len.load(Ordering::Relaxed) {
            offset as u64
        } else {
            self.slow_position(at.addr(), offset as u64, bytes::<T>(n))
        }
    }

    #[cold]
    #[inline(never)]
    fn slow_position(self, at: usize, offset: u64, n: usize) -> u64 {
        let engine = self.engine();
        if offset < engine.layout.symmetric.0 {
            return offset;
        }
        match engine.statics.find(at, 1) {
            Ok(found) => Position::STATIC | found.at.0,
            Err(_) => {
                self.own_target(std::ptr::without_provenance(at), n);
                Position::NONE
            }
        }
    }

    /// The address of a [`position`](Self::position) on this PE; null if there is none.
    pub(crate) fn own_address(self, position: u64) -> *const u8 {
        let engine = self.engine();
        match position {
            Position::NONE => ptr::null(),
            at if at & Position::STATIC != 0 => {
                let address = engine.statics.address(Offset(at & !Position::STATIC));
                address.map_or(ptr::null(), ptr::without_provenance)
            }
            at => engine.address(Offset(at)),
        }
    }

    /// As [`target`](Self::target) for one `T` that is changed atomically: it must be aligned.
    #[inline(always)]
    pub(crate) fn amo_target<T>(self, at: *const T, pe: i32) -> Spot {
        if !at.is_aligned() {
            self.misaligned(at.addr(), size_of::<T>());
        }
        self.target(at.cast(), size_of::<T>(), pe)
    }

    /// An address that the quick checks did not pass: another static, nothing at all, or a bad one. While the
    /// heap is checked, the quick check passes no heap address, and this one asks the book of live blocks.
    #[cold]
    #[inline(never)]
    fn slow_place(self, at: usize, n: usize, pe: WorldPe) -> *mut u8 {
        if n == 0 {
            return ptr::null_mut();
        }
        let (engine, pe) = (self.engine(), PeId(pe.number()));
        let lo = HOT.lo.load(Ordering::Relaxed);
        let (offset, heap) = (at.wrapping_sub(lo) as u64, engine.layout.symmetric);
        if offset <= heap.0 && heap.0 - offset >= n as u64 {
            // Where the heap is not checked, it is here because that PE is far.
            if engine.guards.on()
                && let Err(what) = engine.guards.check_access(Offset(offset), n as u64)
            {
                self.fail(&what);
            }
            let base = engine.peers[pe.0 as usize].heap;
            return if base.is_null() { base } else { base.wrapping_add(offset as usize) };
        }
        match engine.statics.find(at, n).map(|found| found.place(pe)) {
            Ok(StaticPlace::Mapped(place)) => place,
            Ok(StaticPlace::Far) => ptr::null_mut(),
            Ok(StaticPlace::Absent) => {
                self.fail(&format!("PE {pe} {} and has no static at {at:#x}", engine.statics.why_absent(pe)))
            }
            Err(why) => {
                let why = if offset < heap.0 { "they run past the end of the symmetric heap" } else { &why };
                // See `bytes`.
                let n = if n == usize::MAX { "more than 2^64".to_owned() } else { n.to_string() };
                self.fail(&format!("{n} bytes at {at:#x}: {why} (the heap is {heap} at {lo:#x})"))
            }
        }
    }

    /// Checks that `n` symmetric variables of this PE's at `at` can be read atomically.
    #[inline(always)]
    pub(crate) fn own<T>(self, at: *const T, n: usize) {
        if !at.is_aligned() {
            self.misaligned(at.addr(), size_of::<T>());
        }
        let offset = at.addr().wrapping_sub(HOT.lo.load(Ordering::Relaxed));
        if !fits(offset, bytes::<T>(n), HOT.len.load(Ordering::Relaxed)) || n == 0 {
            slow_own(self.routine, at.addr(), bytes::<T>(n));
        }
    }
}

impl Spot {
    /// As a target: here, or for a transport.
    #[inline(always)]
    pub(crate) fn target(self) -> Target {
        if self.at.is_null() { far_target(self.own, self.pe, self.ctx) } else { Target::Mapped(self.at) }
    }

    /// So many bytes further on, within what was checked.
    #[inline(always)]
    pub(crate) fn plus(self, bytes: usize) -> Spot {
        let at = if self.at.is_null() { self.at } else { self.at.wrapping_add(bytes) };
        Spot { at, own: self.own.wrapping_add(bytes), ..self }
    }
}

/// Variables of this PE's that are not on the heap, or none at all; or the library is down.
#[cold]
#[inline(never)]
pub(crate) fn slow_own(routine: &'static str, at: usize, n: usize) {
    let call = Call::new(routine);
    let Some(me) = WorldPe::new(call.engine().me.0) else { not_up(routine) };
    if n > 0 && static_place(at, n, me).is_null() {
        call.slow_place(at, n, me);
    }
}

#[cold]
#[inline(never)]
pub(crate) fn slow_place(routine: &'static str, ctx: Ctx, at: usize, n: usize, pe: WorldPe) -> *mut u8 {
    Call { routine, ctx }.slow_place(at, n, pe)
}

/// Wherever the bytes are: mapped, or null.
#[inline(never)]
pub(crate) fn any_place(routine: &'static str, ctx: Ctx, at: usize, n: usize, pe: WorldPe) -> *mut u8 {
    let place = static_place(at, n, pe);
    if place.is_null() { slow_place(routine, ctx, at, n, pe) } else { place }
}

/// What a transport calls it. The bytes have been checked.
#[cold]
#[inline(never)]
pub(crate) fn far_target(own: usize, pe: WorldPe, ctx: Ctx) -> Target {
    let engine = Call::new("a transfer").engine();
    let offset = own.wrapping_sub(HOT.lo.load(Ordering::Relaxed)) as u64;
    let at = match offset < engine.layout.symmetric.0 {
        true => offset,
        false => match engine.statics.find(own, 1) {
            Ok(found) => FarTarget::STATIC | found.at.0,
            // No bytes, anywhere.
            Err(_) => return Target::Mapped(ptr::null_mut()),
        },
    };
    Target::Far(FarTarget { pe: PeId(pe.number()), at, stream: Stream(ctx.number()) })
}
