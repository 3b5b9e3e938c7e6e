//! How a call reaches a PE: which routine it is, on which context, and where the bytes are.
//!
//! ```text
//!   address, PE ──► PE number of the world ──► heap[pe] + offset ──► the bytes, here: copied, changed (`quick`, inlined)
//!             │ context: rank in its team   └► statics[pe] + offset ──► here, too (one call away)
//!             │                             └► neither is mapped: PE, offset ──► the job's transport (`far_target`)
//!             └ anything odd: one line that names PE, call and argument, and the end of the job
//! ```
//!
//! Every routine is written once, over a [`Call`]; `routines!` makes of it the free function on the
//! default context and the one on a given context. The check that the PE exists is the check that the
//! library is up, too: [`HOT`] is all zero while it is down.
//!
//! Invariant **CALL-V2**: a place that this gives out is mapped for as many bytes as were asked for, or lies inside a live
//! object of a far PE for as many.
#![allow(unsafe_code)]

use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;

use memheap::{Offset, PeId};

use crate::engine::{Engine, Handle};
use crate::exit::end::SPEAK_FIRST;
use crate::exit::end::end_job;
use crate::memory::copy;
use crate::node::control_block::Waiters;
use crate::node::hot::HOT;
use crate::node::signature::Position;
use crate::node::static_data::StaticPlace;
use crate::process::child;
use crate::process::say::say;
use crate::process::status::PANICKED;
use crate::process::status::leave_now;
use crate::startup::init_count;
use crate::sync::wait;
use crate::transport::{self, FarTarget, Stream, Target};
use crate::types::amo::AmoOp;
use crate::types::elem::{AmoSwap, Elem};

use crate::team::contexts::{Ctx, TeamHandle};
use crate::team::core::TeamCore;

/// Which routine is called, and on which context.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub(crate) routine: &'static str,
    pub(crate) ctx: Ctx,
}

/// Some bytes of a PE. All of it stays in registers: what a far place is called by its transport is worked out when it is
/// asked for, out of line.
#[derive(Clone, Copy)]
pub(crate) struct Spot {
    /// Where they are mapped; null if they are not, or if there are none.
    at: *mut u8,
    /// The same bytes of this PE's.
    own: usize,
    /// In the world.
    pub(crate) pe: u32,
    ctx: Ctx,
}

impl Call {
    /// A routine, by its name in C, on the default context.
    #[inline]
    pub const fn new(routine: &'static str) -> Call {
        Call { routine, ctx: Ctx::DEFAULT }
    }

    /// A routine on a context.
    #[inline]
    pub const fn on(routine: &'static str, ctx: Ctx) -> Call {
        Call { routine, ctx }
    }

    /// Which PE of the world `pe` of this context's team is.
    #[inline(always)]
    pub(crate) fn pe(self, pe: i32) -> u32 {
        if self.ctx != Ctx::DEFAULT {
            return pe_of_team(self.routine, self.ctx, pe);
        }
        if pe as u32 >= HOT.n_pes.load(Ordering::Relaxed) {
            bad_pe(self.routine, self.ctx, pe);
        }
        pe as u32
    }

    /// Checks that the context is one, or [`Ctx::INVALID`].
    #[inline(always)]
    pub(crate) fn check_ctx(self) {
        if self.ctx != Ctx::DEFAULT && self.ctx != Ctx::INVALID && self.ctx.members().is_none() {
            self.no_context();
        }
    }

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
    fn mapped(self, at: usize, n: usize, pe: u32) -> *mut u8 {
        match quick(at, n, pe) {
            Some(place) => place.as_ptr(),
            None => any_place(self.routine, self.ctx, at, n, pe),
        }
    }

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

    /// The stream of operations this one belongs to.
    #[inline(always)]
    pub(crate) fn stream(self) -> Stream {
        Stream(self.ctx.number())
    }

    /// As [`target`](Self::target), of this PE's own memory.
    #[inline(always)]
    pub(crate) fn own_target(self, at: *const u8, n: usize) -> *mut u8 {
        self.mapped(at.addr(), n, HOT.me.load(Ordering::Relaxed))
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
    fn slow_place(self, at: usize, n: usize, pe: PeId) -> *mut u8 {
        if n == 0 {
            return ptr::null_mut();
        }
        let engine = self.engine();
        let lo = HOT.lo.load(Ordering::Relaxed);
        let (offset, heap) = (at.wrapping_sub(lo) as u64, engine.layout.symmetric);
        if offset <= heap.0 && heap.0 - offset >= n as u64 {
            if let Err(what) = engine.guards.check_access(Offset(offset), n as u64) {
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

    /// The team a handle stands for; `None` for [`TeamHandle::INVALID`]. Any other handle that names no team ends
    /// the job.
    pub(crate) fn team(self, handle: TeamHandle, engine: &Handle) -> Option<&TeamCore> {
        if handle == TeamHandle::INVALID {
            return None;
        }
        match engine.teams.find(handle.number()) {
            None => self.fail(&format!("{:#x} is no team; it may have been destroyed", handle.number())),
            team => team,
        }
    }

    /// The engine, or the end of a process that calls without one.
    #[inline(always)]
    pub(crate) fn engine(self) -> Handle {
        match Engine::current() {
            Some(engine) => engine,
            None => not_up(self.routine),
        }
    }

    /// Checks that `n` elements of this PE's own, of which nothing else is known, are not at null: the least a
    /// private buffer can be asked for. `what` says what is there.
    #[inline(always)]
    pub(crate) fn local<T>(self, what: &'static str, at: *const T, n: usize) {
        if at.is_null() && n > 0 {
            nowhere(self.routine, what);
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

    /// Checks that a result can be left at `to`: before anything is done that would be lost.
    #[inline(always)]
    pub fn can_leave<T>(self, to: *mut T) {
        self.local(RESULT, to, 1);
    }

    /// Leaves a result where the caller wants it; ends the job if that is nowhere.
    ///
    /// # Safety
    /// `to` is writable, or null. It may be misaligned.
    pub unsafe fn leave<T>(self, to: *mut T, result: T) {
        self.can_leave(to);
        // SAFETY: not null, so writable by contract.
        unsafe { to.write_unaligned(result) }
    }

    /// One line on standard error, in one write: which PE, which call, and `what`.
    #[cold]
    pub fn say(self, what: &str) {
        let _up = self.engine();
        say(&format!("PE {}: {}: {what}", HOT.me.load(Ordering::Relaxed), self.routine));
    }

    /// Ends the job: this call was given something that cannot be.
    #[inline(always)]
    pub fn fail(self, what: &str) -> ! {
        fail(self.routine, what)
    }

    /// Ends the job: the context is none.
    #[inline(always)]
    pub(crate) fn no_context(self) -> ! {
        no_context(self.routine, self.ctx)
    }

    /// Ends the job: what is changed atomically must be aligned.
    #[inline(always)]
    pub(crate) fn misaligned(self, at: usize, size: usize) -> ! {
        misaligned(self.routine, self.ctx, at, size)
    }
}

/// Whether `n` bytes at `offset` lie within `len`. Nothing in it can wrap.
#[inline(always)]
fn fits(offset: usize, n: usize, len: usize) -> bool {
    n <= len && offset <= len - n
}

// What the quick path calls takes a Call in parts: whole, it would be in memory, and every call of a routine would
// write it there first.

#[cold]
#[inline(never)]
fn not_up(routine: &str) -> ! {
    child::refuse(routine);
    say(&format!("{routine}: the library is not up: it was called before init or after finalize"));
    leave_now(PANICKED)
}

/// What a result's address is the address of.
const RESULT: &str = "what it gives back";

/// Some calls may be made while the library is down.
#[cold]
#[inline(never)]
fn nowhere(routine: &'static str, what: &str) -> ! {
    let what = format!("the address for {what} is NULL");
    if HOT.n_pes.load(Ordering::Relaxed) > 0 {
        fail(routine, &what);
    }
    say(&format!("{routine}: {what}"));
    leave_now(PANICKED)
}

/// Variables of this PE's that are not on the heap, or none at all; or the library is down.
#[cold]
#[inline(never)]
fn slow_own(routine: &'static str, at: usize, n: usize) {
    let call = Call::new(routine);
    let me = call.engine().me;
    if n > 0 && static_place(at, n, me.0).is_null() {
        call.slow_place(at, n, me);
    }
}

#[cold]
#[inline(never)]
fn fail(routine: &'static str, what: &str) -> ! {
    let _up = Call::new(routine).engine();
    let line = format!("PE {}: {routine}: {what}", HOT.me.load(Ordering::Relaxed));
    // Some of this is in reach of safe code, on any thread: nobody takes the engine down from here on. If somebody is
    // at it in another thread, leaving badly ends the job as well.
    let held = init_count::freeze(SPEAK_FIRST);
    if let (Some(_), Some(engine)) = (&held, Engine::current()) {
        end_job(&engine, PANICKED, &line)
    }
    say(&line);
    leave_now(PANICKED)
}

#[inline(never)]
fn pe_of_team(routine: &'static str, ctx: Ctx, pe: i32) -> u32 {
    match ctx.members().and_then(|members| members.pe(pe as u32)) {
        Some(pe) => pe.0,
        None => bad_pe(routine, ctx, pe),
    }
}

/// In the static data that most statics are in; null if it is not there.
#[inline(always)]
fn static_place(at: usize, n: usize, pe: u32) -> *mut u8 {
    let offset = at.wrapping_sub(HOT.static_lo.load(Ordering::Relaxed));
    if !fits(offset, n, HOT.static_len.load(Ordering::Relaxed)) {
        return ptr::null_mut();
    }
    let entry = HOT.static_peers.load(Ordering::Relaxed).wrapping_add(pe as usize);
    // SAFETY: as in `place`.
    let peer = unsafe { entry.read() };
    if peer.heap.is_null() {
        return ptr::null_mut();
    }
    peer.heap.wrapping_add(HOT.static_at.load(Ordering::Relaxed).wrapping_add(offset))
}

#[cold]
#[inline(never)]
fn slow_place(routine: &'static str, ctx: Ctx, at: usize, n: usize, pe: u32) -> *mut u8 {
    Call { routine, ctx }.slow_place(at, n, PeId(pe))
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

impl Spot {
    /// Whether it is not mapped here; or there are no bytes.
    #[inline(always)]
    pub(crate) fn is_far(self) -> bool {
        self.at.is_null()
    }

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
        unsafe { T::amo(self.at.cast(), op) }
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

/// Where `n` bytes of the heap at this PE's `at` are mapped for `pe`; `None` if that takes a longer look.
#[inline(always)]
fn quick(at: usize, n: usize, pe: u32) -> Option<NonNull<u8>> {
    let offset = at.wrapping_sub(HOT.lo.load(Ordering::Relaxed));
    if !fits(offset, n, HOT.len.load(Ordering::Relaxed)) {
        return None;
    }
    let entry = HOT.peers.load(Ordering::Relaxed).wrapping_add(pe as usize);
    // SAFETY: NODE-N2: the table has an entry for each of the PEs, which `pe` is one of.
    let base = NonNull::new(unsafe { entry.read() }.heap)?;
    // SAFETY: CALL-V2: the offset lies in the segment that is mapped there.
    Some(unsafe { base.add(offset) })
}

/// One operation on a word that is mapped, and its PE woken, unless it only reads.
///
/// # Safety
/// An aligned word of this type, of `pe`, and of which all changes are atomic.
#[inline(always)]
unsafe fn amo_here<T: AmoSwap>(at: *mut T, pe: u32, op: AmoOp<T>) -> T {
    // SAFETY: by contract.
    let old = unsafe { T::amo(at, op) };
    if !matches!(op, AmoOp::Load) {
        let entry = HOT.peers.load(Ordering::Relaxed).wrapping_add(pe as usize);
        // SAFETY: NODE-N2: the table has an entry for each PE, and `pe` is one.
        let heap = unsafe { entry.read() }.heap;
        // SAFETY: NODE-N2: a PE of which something is mapped has its segment mapped.
        unsafe { notify_at(heap) }
    }
    old
}

// What the quick path leaves to others, whole: so that it has nothing to keep for after a call.

/// Wherever the bytes are: mapped, or null.
#[inline(never)]
fn any_place(routine: &'static str, ctx: Ctx, at: usize, n: usize, pe: u32) -> *mut u8 {
    let place = static_place(at, n, pe);
    if place.is_null() { slow_place(routine, ctx, at, n, pe) } else { place }
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

/// What a transport calls it. The bytes have been checked.
#[cold]
#[inline(never)]
fn far_target(own: usize, pe: u32, ctx: Ctx) -> Target {
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
    Target::Far(FarTarget { pe: PeId(pe), at, stream: Stream(ctx.number()) })
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

#[cold]
#[inline(never)]
fn bad_pe(routine: &'static str, ctx: Ctx, pe: i32) -> ! {
    let call = Call { routine, ctx };
    let (of, size) = match (ctx, ctx.members()) {
        (Ctx::DEFAULT, _) => ("job", call.engine().n_pes),
        (_, Some(members)) => ("context's team", members.size),
        (_, None) => call.no_context(),
    };
    call.fail(&format!("there is no PE {pe}; the {of} has PEs 0 to {}", i64::from(size) - 1))
}

#[cold]
#[inline(never)]
fn no_context(routine: &'static str, ctx: Ctx) -> ! {
    Call { routine, ctx }.fail(match ctx {
        Ctx::INVALID => "the context is SHMEM_CTX_INVALID",
        _ => {
            "this is no context: it was destroyed, by itself, with its team or by finalize, or never created"
        }
    })
}

#[cold]
#[inline(never)]
fn misaligned(routine: &'static str, ctx: Ctx, at: usize, size: usize) -> ! {
    let what = format!("{at:#x} is not a multiple of {size}: an atomic must be aligned to its size");
    Call { routine, ctx }.fail(&what)
}

/// Bytes of `n` elements; more than there can be if they are too many, which no place has.
#[inline]
pub(crate) fn bytes<T>(n: usize) -> usize {
    n.saturating_mul(size_of::<T>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against numbers that cannot overflow.
    #[test]
    fn what_fits_is_inside() {
        let numbers =
            [0, 1, 2, 7, 8, 9, 4096, isize::MAX as usize, usize::MAX - 7, usize::MAX - 1, usize::MAX];
        for i in 0..numbers.len().pow(3) {
            let [offset, n, len] = [i, i / 11, i / 121].map(|digit| numbers[digit % 11]);
            assert_eq!(fits(offset, n, len), offset as u128 + n as u128 <= len as u128, "{offset} {n} {len}");
        }
    }
}
