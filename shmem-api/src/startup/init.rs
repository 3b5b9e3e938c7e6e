//! Init and finalize: the first to come brings the library up, the last to go takes it down; in between, coming is
//! local and going is a barrier.
//!
//! Its invariants are those of the counts (`init_count`): STARTUP-K1, STARTUP-K2.
#![allow(unsafe_code)]

use memheap::Component;

use crate::boot;
use crate::engine::{Engine, Handle};
use crate::error::Error;
use crate::heap::Leaks;
use crate::heap::components::BUILT_IN;
use crate::node::signature::{Kind, Signature};
use crate::process::child;
use crate::startup::hosts;
use crate::startup::init_count::{By, HOLDERS, InitCounts, Moving, set};
use crate::startup::start;
use crate::statics;
use crate::types::thread_level::{self, Asked, ThreadLevel};

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
            let engine = join_as_pe(|| Ok(start::start(asked, components)?.publish()))?;
            hosts::watch();
            engine
        }
    };
    set(&holders, holders.get().with(by).ok_or_else(too_many)?);
    Ok(engine)
}

/// STARTUP-K2; raises the thread level where more is asked for and can be had.
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
    hosts::part()?;
    set(&holders, left);
    // SAFETY: STARTUP-K1: every World has gone, and with them the objects that borrow them; a raw caller has promised to
    // stay away after its last finalize. No other handles are kept.
    unsafe { Engine::close(engine) };
    drop(moving);
    Ok(leaks)
}
