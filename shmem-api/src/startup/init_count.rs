//! Who holds the library up: Worlds, and inits of the raw API. The first to come brings it up, the last to go
//! takes it down; in between, coming is local and going is a barrier.
//!
//! ```text
//!   World::init ─► worlds + 1 ─┐                      ┌─ worlds - 1 ◄─ World::finalize, its drop
//!                              ├─► up while any is ───┤
//!   raw::init   ─► inits  + 1 ─┘   left               └─ inits  - 1 ◄─ raw::finalize, process exit
//! ```
//!
//! Invariants: **K1** the engine is up exactly while somebody holds it, so a stray finalize of the raw API
//! never takes memory from under a World. **K2** whoever comes from another thread than the one that brought
//! the library up finds every call under a lock (level `Multiple`), or has promised to take turns (raw API).
#![allow(unsafe_code)]

use std::cell::Cell;
use std::time::Duration;

use memheap::Component;
use parking_lot::{ReentrantMutex, ReentrantMutexGuard};

use crate::boot;
use crate::engine::{Engine, Handle};
use crate::error::Error;
use crate::heap::Leaks;
use crate::heap::components::BUILT_IN;
use crate::node::signature::{Kind, Signature};
use crate::process::child;
use crate::process::others;
use crate::startup::start;
use crate::statics;
use crate::types::thread_level;
use crate::types::thread_level::Asked;
use crate::types::thread_level::ThreadLevel;

/// One way to hold the library up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    /// A World.
    World,
    /// An init of the raw API.
    Init,
}

/// Who there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct InitCounts {
    pub(crate) worlds: u32,
    /// Of the Worlds, those that were leaked on purpose: they go at process exit.
    pub(crate) leaked: u32,
    pub(crate) inits: u32,
    /// One of the inits is `start_pes`, which goes at process exit by itself.
    pub(crate) start_pes: bool,
    /// The library is just being brought up or taken down.
    moving: bool,
    /// Process exit has taken it down.
    pub(crate) exited: bool,
}

/// Held while somebody comes or goes. Reentrant, so that a call from within a start, or process exit in the
/// middle of one, finds `moving` and no deadlock.
static HOLDERS: ReentrantMutex<Cell<InitCounts>> = ReentrantMutex::new(Cell::new(InitCounts {
    worlds: 0,
    leaked: 0,
    inits: 0,
    start_pes: false,
    moving: false,
    exited: false,
}));

/// Sets `moving` for as long as it lives.
struct Moving<'h>(&'h Cell<InitCounts>);

impl<'h> Moving<'h> {
    fn new(holders: &'h Cell<InitCounts>) -> Result<Moving<'h>, Error> {
        let now = holders.get();
        if now.moving {
            return Err(Error::Busy);
        }
        holders.set(InitCounts { moving: true, ..now });
        Ok(Moving(holders))
    }
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        self.0.set(InitCounts { moving: false, ..self.0.get() });
    }
}

fn set(counts: &Cell<InitCounts>, now: InitCounts) {
    counts.set(now);
    others::set_safe_only(now.only_worlds());
}

/// `start` has this process join the job, or come again; it may ([`child::may_join`]). If it fails before anything
/// has changed, the process is no PE, and its children may join. Calls are one inside the other, or in turns.
///
/// # Errors
/// What `start` returns.
fn join_as_pe<R>(start: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    let first = child::claim_pe();
    let started = start();
    if first && started.is_err() && !statics::is_moved() && !boot::is_joined() {
        child::disclaim_pe();
    }
    started
}

/// Collective over the job if the library is down: comes to hold it up. Else local.
pub(crate) fn come(by: By, asked: Asked, components: &[&dyn Component]) -> Result<Handle, Error> {
    // A child may find the lock held for ever.
    child::may_join()?;
    let holders = HOLDERS.lock();
    // Before anything is brought up: a program can forget Worlds without end.
    let too_many = || Error::Boot("more Worlds or inits are alive than can be counted; finalize them".into());
    holders.get().with(by).ok_or_else(too_many)?;
    let engine = match Engine::current() {
        Some(engine) => {
            join(&engine, by, asked)?;
            engine
        }
        None => {
            let _moving = Moving::new(&holders)?;
            join_as_pe(|| Ok(start::start(asked, components)?.publish()))?
        }
    };
    set(&holders, holders.get().with(by).ok_or_else(too_many)?);
    Ok(engine)
}

/// K2; raises the thread level where more is asked for and can be had.
fn join(engine: &Engine, by: By, asked: Asked) -> Result<(), Error> {
    let have = thread_level::in_force();
    if by == By::World && engine.thread != rustix::thread::gettid() && have < ThreadLevel::Multiple {
        return Err(Error::OtherThread { have });
    }
    let got = asked.level.min(engine.most);
    if asked.needed && got < asked.level {
        return Err(Error::ThreadLevel { asked: asked.level, got });
    }
    if got > have {
        // From a thread that is inside a heap call: a component of the program's own may be.
        if engine.heap.is_in_use() || engine.local.is_in_use() {
            return Err(Error::Busy);
        }
        thread_level::put_in_force(got);
    }
    Ok(())
}

/// `start_pes`: holds the library up until process exit, unless it is up already.
pub(crate) fn start_pes() -> Result<(), Error> {
    child::may_join()?;
    let holders = HOLDERS.lock();
    if Engine::current().is_none() {
        come(By::Init, Asked { level: ThreadLevel::Single, needed: false }, BUILT_IN)?;
        set(&holders, InitCounts { start_pes: true, ..holders.get() });
    }
    Ok(())
}

/// Collective: one that held the library up goes. The last one takes it down, and hears what was left in the
/// heap. If the PEs are not all at this, it has not gone, and process exit ends the job.
pub(crate) fn go(by: By, engine: Handle) -> Result<Leaks, Error> {
    child::refuse("finalize");
    let holders = HOLDERS.lock();
    let moving = Moving::new(&holders)?;
    let left = holders.get().without(by);
    if left.worlds > 0 || left.inits > 0 {
        engine.quiet();
        engine.meet(Signature::new(Kind::Barrier))?;
        set(&holders, left);
        return Ok(Leaks::default());
    }
    let leaks = engine.last_meeting()?;
    set(&holders, left);
    // SAFETY: K1: every World has gone, and with them the objects that borrow them; a raw caller has promised to
    // stay away after its last finalize. No other handles are kept.
    unsafe { Engine::close(engine) };
    drop(moving);
    Ok(leaks)
}

impl InitCounts {
    /// With one more; `None` if the count would start over, and the library come down under who still holds it (K1).
    fn with(self, by: By) -> Option<InitCounts> {
        Some(match by {
            By::World => InitCounts { worlds: self.worlds.checked_add(1)?, ..self },
            By::Init => InitCounts { inits: self.inits.checked_add(1)?, ..self },
        })
    }

    fn without(self, by: By) -> InitCounts {
        match by {
            By::World => InitCounts { worlds: self.worlds - 1, ..self },
            By::Init => {
                let inits = self.inits - 1;
                InitCounts { inits, start_pes: self.start_pes && inits > 0, ..self }
            }
        }
    }

    /// Whether nobody is left who would have to go by itself: process exit may take the library down.
    pub(crate) fn may_exit(&self) -> bool {
        self.worlds == self.leaked && !self.moving
    }

    /// Whether the program is one of the safe API alone.
    pub(crate) fn only_worlds(&self) -> bool {
        self.worlds > 0 && self.inits == 0
    }

    /// Inits that should have had a finalize.
    pub(crate) fn forgotten(&self) -> u32 {
        self.inits - u32::from(self.start_pes)
    }
}

/// A World is leaked: process exit finalizes it.
pub(crate) fn leak() {
    let holders = HOLDERS.lock();
    let now = holders.get();
    set(&holders, InitCounts { leaked: now.leaked + 1, ..now });
}

/// Who there is now.
pub(crate) fn now() -> InitCounts {
    HOLDERS.lock().get()
}

/// For process exit: keeps everybody from coming and going. `None` if another thread has been at it for that long.
pub(crate) fn freeze(at_most: Duration) -> Option<Frozen> {
    HOLDERS.try_lock_for(at_most).map(Frozen)
}

/// Nobody comes or goes as long as it lives.
pub(crate) struct Frozen(ReentrantMutexGuard<'static, Cell<InitCounts>>);

impl Frozen {
    pub(crate) fn now(&self) -> InitCounts {
        self.0.get()
    }

    /// Process exit has taken the library down.
    pub(crate) fn exited(&self) {
        set(&self.0, InitCounts { exited: true, ..InitCounts::default() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_never_starts_over() {
        let full = InitCounts { worlds: u32::MAX, inits: u32::MAX, ..InitCounts::default() };
        assert_eq!((full.with(By::World), full.with(By::Init)), (None, None));
        for by in [By::World, By::Init] {
            assert_eq!(full.without(by).with(by), Some(full));
        }
    }
}
