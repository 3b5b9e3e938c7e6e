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
//! object of a far PE for as many. What the caller of a transfer promises is CALL-V3 (`transfer`).

pub(crate) mod place;
pub(crate) mod transfer;

use std::sync::atomic::Ordering;

use crate::call::transfer::mapped::WorldPe;
use crate::engine::{Engine, Handle};
use crate::exit::end::{SPEAK_FIRST, end_job};
use crate::node::hot::HOT;
use crate::process::child;
use crate::process::say::say;
use crate::process::status::{PANICKED, leave_now};
use crate::startup::init_count;
use crate::team::contexts::{Ctx, TeamHandle};
use crate::team::core::TeamCore;
use crate::transport::Stream;

/// Which routine is called, and on which context.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub(crate) routine: &'static str,
    pub(crate) ctx: Ctx,
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
    pub(crate) fn pe(self, pe: i32) -> WorldPe {
        if self.ctx != Ctx::DEFAULT {
            return pe_of_team(self.routine, self.ctx, pe);
        }
        match WorldPe::new(pe as u32) {
            Some(pe) => pe,
            None => bad_pe(self.routine, self.ctx, pe),
        }
    }

    /// Checks that the context is one, or [`Ctx::INVALID`].
    #[inline(always)]
    pub(crate) fn check_ctx(self) {
        if self.ctx != Ctx::DEFAULT && self.ctx != Ctx::INVALID && self.ctx.members().is_none() {
            self.no_context();
        }
    }

    /// The stream of operations this one belongs to.
    #[inline(always)]
    pub(crate) fn stream(self) -> Stream {
        Stream(self.ctx.number())
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

    /// Checks that a result can be left at `to`: before anything is done that would be lost.
    #[inline(always)]
    pub fn can_leave<T>(self, to: *mut T) {
        self.local(RESULT, to, 1);
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

// What the quick path calls takes a Call in parts: whole, it would be in memory, and every call of a routine would
// write it there first.

#[cold]
#[inline(never)]
pub(crate) fn not_up(routine: &str) -> ! {
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
fn pe_of_team(routine: &'static str, ctx: Ctx, pe: i32) -> WorldPe {
    match ctx.members().and_then(|members| WorldPe::new(members.pe(pe as u32)?.0)) {
        Some(pe) => pe,
        None => bad_pe(routine, ctx, pe),
    }
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
