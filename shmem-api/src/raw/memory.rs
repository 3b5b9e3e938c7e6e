//! The symmetric heap's calls (OpenSHMEM 1.6, 9.3).
//!
//! All of them are collective over all PEs, with equal arguments (a pointer: to the same object). PEs that ask
//! for different things all hear of it in that call; nothing has changed then. Those that give memory out are a
//! barrier before they return, those that take it are one before they do: a heap call begins with the
//! rendezvous in which the PEs agree, and one that zeroes or moves bytes also ends with one. Calls
//! that do nothing (size 0, a null pointer to [`free`]) are no barrier; those of size 0 count all the same: PEs that ask for
//! nothing where others ask for something are named at the next rendezvous.
//!
//! What fails returns null, and prints one line on standard error that names the call: on PE 0 if all PEs fail alike. With
//! `SHMEM_HEAP_QUIET=1` an allocation that only finds no room prints none.

use std::ptr;
use std::sync::atomic::Ordering;

use memheap::place::{Near, Reach};
use memheap::{Align, Bytes, FreeError, Offset};

use crate::call::Call;
use crate::engine::Engine;
use crate::error::Error;
use crate::heap::Request;
use crate::node::hot::HOT;
use crate::node::signature::Kind;
use crate::process::say::say;
use crate::types::call_site::CallSite;
use crate::types::object::ObjectType;

/// Hint of [`malloc_with_hints`]: the block is for remote atomics.
pub const MALLOC_ATOMICS_REMOTE: u64 = 1 << 0;
/// Hint of [`malloc_with_hints`]: the block is for remote signals.
pub const MALLOC_SIGNAL_REMOTE: u64 = 1 << 1;

/// Writes each call once: over a [`Call`] in `ops`, for a caller who knows where it was called, and under its own name.
macro_rules! heap_calls {
    ($(
        $(#[$doc:meta])*
        fn $name:ident = $c_name:literal ($call:ident, $site:ident $(, $arg:ident: $ty:ty)*) -> $ret:ty $body:block
    )*) => {
        /// The calls over a [`Call`](crate::raw::Call), for skins that have names of their own.
        pub mod ops {
            use super::*;
            $(
                $(#[$doc])*
                pub unsafe fn $name($call: Call, $site: CallSite $(, $arg: $ty)*) -> $ret $body
            )*
        }
        $(
            $(#[$doc])*
            #[track_caller]
            pub unsafe fn $name($($arg: $ty),*) -> $ret {
                // SAFETY: RAW-R3 and RAW-R5, which our caller has promised.
                unsafe { ops::$name(Call::new($c_name), CallSite::here() $(, $arg)*) }
            }
        )*
    };
}

heap_calls! {
    /// Collective: `size` bytes aligned for any type, on every PE; null on every PE if there is no room. Size 0: null,
    /// no barrier (`shmem_malloc`).
    ///
    /// # Safety
    /// The library stays up during the call, which keeps to the thread level in force. No other thread is in
    /// a collective of all PEs.
    fn malloc = "shmem_malloc" (call, site, size: usize) -> *mut u8 {
        call.give(site, size, Align::DEFAULT, false)
    }

    /// Collective: as [`malloc`], zeroed on every PE before it returns on any. If `count * size` is more than there
    /// can be, there is no room; if it is 0: null, no barrier (`shmem_calloc`).
    ///
    /// # Safety
    /// As for [`malloc`].
    fn calloc = "shmem_calloc" (call, site, count: usize, size: usize) -> *mut u8 {
        call.give(site, count.saturating_mul(size), Align::DEFAULT, true)
    }

    /// Collective: as [`malloc`], at a multiple of `align`: a power of two, else null on every PE (`shmem_align`). The
    /// standard leaves powers below a pointer's size open.
    ///
    /// # Safety
    /// As for [`malloc`].
    fn align = "shmem_align" (call, site, align: usize, size: usize) -> *mut u8 {
        match Align::new(align as u64) {
            Some(align) => call.give(site, size, align, false),
            None if size == 0 => call.give(site, 0, Align::DEFAULT, false),
            None => {
                let engine = call.engine();
                engine.quiet();
                call.refused(&engine, false, &engine.refuse_align(call.routine, Bytes(size as u64), align as u64))
            }
        }
    }

    /// Collective: as [`malloc`]. Hints say what the block is for; both that there are ask for memory that every PE
    /// reaches with atomics, which all of [`Reach::World`] is. Unknown bits are hints, too: ignored
    /// (`shmem_malloc_with_hints`).
    ///
    /// # Safety
    /// As for [`malloc`].
    fn malloc_with_hints = "shmem_malloc_with_hints" (call, site, size: usize, _hints: u64) -> *mut u8 {
        call.give(site, size, Align::DEFAULT, false)
    }

    /// Collective: makes `block` `size` bytes long, perhaps elsewhere; the contents are kept up to the smaller size,
    /// what is more is indeterminate. In the space the block is in, so a hint stays kept; an alignment does not. Null
    /// on every PE, and the block as it was, if there is no room or `block` is not the start of a live block.
    /// A null `block` is [`malloc`]; size 0 is [`free`] and null; both at once are [`malloc`] of 0 bytes (`shmem_realloc`).
    ///
    /// # Safety
    /// As for [`malloc`]; nobody uses the block during the call, nor its old address after it, on any PE; it was
    /// not handed out by the safe API.
    fn realloc = "shmem_realloc" (call, site, block: *mut u8, size: usize) -> *mut u8 {
        if block.is_null() {
            return call.give(site, size, Align::DEFAULT, false);
        }
        if size == 0 {
            // SAFETY: RAW-R3 and RAW-R5, which our caller has promised.
            let _ = unsafe { free(call, site, block) };
            return ptr::null_mut();
        }
        let engine = call.engine();
        let (at, local) = offset(&engine, block);
        let size = Bytes(size as u64);
        let resized = if local {
            engine.realloc_local(call.routine, at, size)
        } else {
            engine.quiet();
            engine.realloc(at, call.request(site, size, Align::DEFAULT))
        };
        match resized {
            Ok(at) => engine.address(at),
            Err(e) => call.refused(&engine, local, &by_address(e, block)),
        }
    }

    /// Collective: frees a block of this module (local for one of [`Reach::Pe`]). A barrier before it is freed. Null:
    /// nothing, and no barrier (`shmem_free`).
    ///
    /// # Errors
    /// On every PE alike, with one line on standard error: the PEs differ, or the address is not the start of a
    /// live block. Nothing has changed.
    ///
    /// # Safety
    /// As for [`malloc`]; nobody uses the block any more, on any PE, and it was not handed out by the safe API.
    fn free = "shmem_free" (call, _site, block: *mut u8) -> Result<(), Error> {
        if block.is_null() {
            return Ok(());
        }
        let engine = call.engine();
        let (at, local) = offset(&engine, block);
        let freed = if local {
            let call = call.routine;
            engine.free_local(at).map_err(|why| Error::Free { pe: engine.me, call, why })
        } else {
            engine.quiet();
            engine.free(call.routine, at)
        };
        freed.map(drop).map_err(|e| by_address(e, block)).inspect_err(|e| say_once(&engine, local, e))
    }

    /// `size` bytes at a multiple of `align_to`, from memory that `reach` can reach, near whom `near` names.
    /// Collective over the PEs that `reach` names: local for [`Reach::Pe`]. Null if it cannot be had; null for
    /// size 0, without a barrier.
    ///
    /// # Safety
    /// As for [`malloc`].
    fn alloc = "shmemx_alloc" (call, site, size: usize, align_to: Align, reach: Reach, near: Near) -> *mut u8 {
        let engine = call.engine();
        let size = Bytes(size as u64);
        let block = match reach {
            Reach::Pe if size.0 == 0 => return ptr::null_mut(),
            _ if size.0 == 0 => return call.nothing(),
            Reach::Pe => engine.alloc_local(size, align_to, near),
            _ => {
                engine.quiet();
                engine.alloc(Request { reach, near, ..call.request(site, size, align_to) })
            }
        };
        match block {
            Ok(block) => engine.address(block.at),
            Err(e) => call.refused(&engine, reach == Reach::Pe, &e),
        }
    }
}

impl Call {
    fn request(self, site: CallSite, size: Bytes, align: Align) -> Request {
        let (reach, near) = (Reach::World, Near::Any);
        Request { call: self.routine, size, align, what: ObjectType::BYTES, reach, near, zeroed: false, site }
    }

    /// A block of memory that every PE reaches.
    fn give(self, site: CallSite, size: usize, align: Align, zeroed: bool) -> *mut u8 {
        let engine = self.engine();
        if size == 0 {
            return self.nothing();
        }
        engine.quiet();
        match engine.alloc(Request { zeroed, ..self.request(site, Bytes(size as u64), align) }) {
            Ok(block) => engine.address(block.at),
            Err(e) => self.refused(&engine, false, &e),
        }
    }

    /// A collective call that does nothing, without a barrier. One that would have allocated counts: a PE that asks for no
    /// bytes where the others ask for some is found out at the next rendezvous.
    fn nothing(self) -> *mut u8 {
        let engine = self.engine();
        engine.teams.world().pass(&engine, Kind::Nothing);
        ptr::null_mut()
    }

    /// Nothing is given out on any PE, or on this one alone, and it is said once.
    #[cold]
    fn refused(self, engine: &Engine, local: bool, why: &Error) -> *mut u8 {
        let probing = engine.quiet_heap && matches!(why, Error::Alloc { .. });
        if !probing {
            say_once(engine, local, why);
        }
        ptr::null_mut()
    }
}

/// What all PEs get alike, PE 0 says for all.
fn say_once(engine: &Engine, local: bool, why: &Error) {
    if local || engine.me.0 == 0 {
        say(&why.to_string());
    }
}

/// Which offset of the segment an address is, and whether it is in this PE's own space. Outside the heap,
/// addresses of one object differ from PE to PE: all of them mean "not ours".
fn offset(engine: &Engine, block: *mut u8) -> (Offset, bool) {
    let at = block.addr().wrapping_sub(HOT.lo.load(Ordering::Relaxed)) as u64;
    let local = engine.layout.window(Reach::Pe).0.0 <= at && at < engine.layout.internals.0;
    let ours = local || at < engine.layout.symmetric.0;
    (Offset(if ours { at } else { u64::MAX }), local)
}

/// The error with addresses, as the caller gave one, in the place of offsets.
fn by_address(e: Error, block: *mut u8) -> Error {
    let Error::Free { pe, call, why } = e else { return e };
    let at = Offset(block.addr() as u64);
    let why = match why {
        FreeError::Foreign { .. } => FreeError::Foreign { at },
        FreeError::NotAllocated { .. } => FreeError::NotAllocated { at },
        FreeError::Interior { at: inside, start, len } => {
            // A zone in front of a block is inside of it, too: `start` may be the later one.
            FreeError::Interior { at, start: Offset(at.0 + start.0 - inside.0), len }
        }
    };
    Error::Free { pe, call, why }
}
