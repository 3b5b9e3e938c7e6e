//! Who holds the library up: Worlds, and inits of the raw API, counted apart. How they come and go is in `init`.
//!
//! ```text
//!   World::init ─► worlds + 1 ─┐                      ┌─ worlds - 1 ◄─ World::finalize, its drop
//!                              ├─► up while any is ───┤
//!   raw::init   ─► inits  + 1 ─┘   left               └─ inits  - 1 ◄─ raw::finalize, process exit
//! ```
//!
//! Invariants: **STARTUP-K1** the engine is up exactly while somebody holds it, so a stray finalize of the raw API
//! never takes memory from under a World. **STARTUP-K2** whoever comes from another thread than the one that brought
//! the library up finds every call under a lock (level `Multiple`), or has promised to take turns (raw API).

use std::cell::Cell;
use std::time::Duration;

use parking_lot::{ReentrantMutex, ReentrantMutexGuard};

use crate::error::Error;
use crate::process::others;

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
    pub(super) moving: bool,
    /// Process exit has taken it down.
    pub(crate) exited: bool,
}

/// Held while somebody comes or goes. Reentrant, so that a call from within a start, or process exit in the
/// middle of one, finds `moving` and no deadlock.
pub(super) static HOLDERS: ReentrantMutex<Cell<InitCounts>> = ReentrantMutex::new(Cell::new(InitCounts {
    worlds: 0,
    leaked: 0,
    inits: 0,
    start_pes: false,
    moving: false,
    exited: false,
}));

/// Sets `moving` for as long as it lives.
pub(super) struct Moving<'h>(&'h Cell<InitCounts>);

impl<'h> Moving<'h> {
    pub(super) fn new(holders: &'h Cell<InitCounts>) -> Result<Moving<'h>, Error> {
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

/// Writes the counts, and tells the rooms below whether the program is one of the safe API alone.
pub(super) fn set(counts: &Cell<InitCounts>, now: InitCounts) {
    counts.set(now);
    others::set_safe_only(now.only_worlds());
}

impl InitCounts {
    /// With one more; `None` if the count would start over, and the library come down under who still holds it (STARTUP-K1).
    pub(super) fn with(self, by: By) -> Option<InitCounts> {
        Some(match by {
            By::World => InitCounts { worlds: self.worlds.checked_add(1)?, ..self },
            By::Init => InitCounts { inits: self.inits.checked_add(1)?, ..self },
        })
    }

    pub(super) fn without(self, by: By) -> InitCounts {
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
