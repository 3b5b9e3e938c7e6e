//! Teams: the PEs a collective call concerns (OpenSHMEM 1.6, 9.4).
//!
//! ```text
//!   world                  0 1 2 3 4 5 6 7
//!   split_strided(1, 2, 3)   0   1   2          the others get `None`
//!   split_2d(3)            rows 0 1 2 | 0 1 2 | 0 1, columns down them
//! ```
//!
//! What the engine knows of a team it lends to the value that stands for it, which gives it back when it goes; see
//! [`crate::team`].

use std::marker::PhantomData;
use std::sync::Arc;

use crate::engine::Handle;
use crate::error::{Diverged, Error};
use crate::node::signature::{Kind, Signature};
use crate::process::child;
use crate::team::core::TeamCore;
use crate::types::pe_set::PeSet;
use crate::types::thread_level::Level;

/// A set of PEs that call collectives together; its PEs are numbered from 0. A [`World`](crate::World) derefs to the
/// team of all.
///
/// Collectives of different teams do not meet, whatever their order. A team borrows the one that it was split from.
/// Dropping it is local: what it took comes back when every member has dropped it; [`destroy`](Self::destroy) is
/// collective.
pub struct Team<'w, L: Level> {
    pub(crate) engine: Handle,
    members: PeSet,
    rank: u32,
    /// What the engine lent; `None` for the world's team, which is the engine's own.
    lent: Option<Arc<TeamCore>>,
    borrowed: PhantomData<(&'w (), L)>,
}

impl<L: Level> Team<'_, L> {
    pub(crate) fn world(engine: Handle) -> Self {
        Team::new(engine, engine.teams.world(), None)
    }

    fn made(engine: Handle, core: TeamCore) -> Self {
        let core = engine.teams.lend(core);
        Team::new(engine, &core, Some(core.clone()))
    }

    fn new(engine: Handle, core: &TeamCore, lent: Option<Arc<TeamCore>>) -> Self {
        Team { engine, members: core.members, rank: core.rank, lent, borrowed: PhantomData }
    }

    /// Its PEs.
    pub(crate) fn members(&self) -> PeSet {
        self.members
    }

    /// What the engine knows of it.
    #[inline]
    pub(crate) fn core(&self) -> &TeamCore {
        match &self.lent {
            Some(core) => core,
            None => self.engine.teams.world(),
        }
    }

    /// Collective over the team: shows `signature` to its PEs and compares it with theirs.
    pub(crate) fn meet(&self, signature: Signature) -> Result<(), Diverged> {
        self.core().meet(&self.engine, &signature)
    }

    /// This PE's number in the team, `0..n_pes` (`shmem_team_my_pe`).
    pub fn pe(&self) -> usize {
        self.rank as usize
    }

    /// How many PEs the team has (`shmem_team_n_pes`).
    pub fn n_pes(&self) -> usize {
        self.members.size as usize
    }

    /// The number in team `to` of the PE that is number `pe` here; `None` if it is not there, or there is no PE `pe`
    /// (`shmem_team_translate_pe`). Local.
    pub fn translate(&self, pe: usize, to: &Team<'_, L>) -> Option<usize> {
        let pe = self.members.pe(u32::try_from(pe).ok()?)?;
        to.members.rank(pe).map(|rank| rank as usize)
    }

    /// Collective over the team: returns when every PE of it has called it, and all their puts are visible
    /// (`shmem_barrier_all`).
    ///
    /// # Panics
    /// On every PE of the team, if another is at some other collective call.
    pub fn barrier(&self) {
        if let Err(diverged) = self.try_barrier() {
            panic!("{diverged}");
        }
    }

    /// As [`barrier`](Self::barrier), but a difference is an error on every PE.
    pub fn try_barrier(&self) -> Result<(), Diverged> {
        self.engine.quiet();
        self.core().sync(&self.engine, Kind::Barrier)
    }

    /// Collective over the team: a new one of its PEs `start`, `start + stride`, ..., `size` of them, numbered in that
    /// order; a negative stride counts backwards. `None` on PEs that are none of them (`shmem_team_split_strided`).
    ///
    /// # Errors
    /// On every PE of this team alike: the numbers do not name different PEs of it, the PEs gave different ones, or
    /// some PE is in too many teams (`SHMEM_TEAMS`).
    pub fn split_strided(
        &self,
        start: usize,
        stride: isize,
        size: usize,
    ) -> Result<Option<Team<'_, L>>, Error> {
        // More than a team can have is as wrong as the least of it.
        let shape = |n: i64| n.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
        let shape = (shape(start as i64), shape(stride as i64), shape(size as i64));
        let made = self.core().split_strided(&self.engine, &self.engine.teams, shape, Some(0))?;
        Ok(made.map(|core| Team::made(self.engine, core)))
    }

    /// Collective over the team: its PEs in rows of `width` (the last may be shorter); this PE's row and its column
    /// (`shmem_team_split_2d`). In the row this PE's number is `pe % width`, in the column `pe / width`. A width above
    /// the team's size is that size.
    ///
    /// # Errors
    /// On every PE of this team alike: the width is 0, the PEs gave different ones, or some PE is in too many teams
    /// (`SHMEM_TEAMS`).
    pub fn split_2d(&self, width: usize) -> Result<(Team<'_, L>, Team<'_, L>), Error> {
        let width = width.min(i32::MAX as usize) as i32;
        let made = self.core().split_2d(&self.engine, &self.engine.teams, width, [Some(0); 2])?;
        match made.map(|core| core.map(|core| Team::made(self.engine, core))) {
            [Some(row), Some(column)] => Ok((row, column)),
            _ => unreachable!("every PE is in a row and in a column"),
        }
    }

    /// Collective over the team: ends it, so that what it took can be used again at once (`shmem_team_destroy`).
    ///
    /// # Errors
    /// On every PE of the team, if another is at some other collective call; then the team is dropped.
    pub fn destroy(self) -> Result<(), Diverged> {
        let mut this = self;
        debug_assert!(this.lent.is_some(), "a World lends its team out only");
        this.engine.quiet();
        this.core().sync(&this.engine, Kind::Destroy)?;
        if let Some(core) = this.lent.take() {
            this.engine.teams.destroy(this.engine.teams.take_back(core));
        }
        Ok(())
    }
}

impl<L: Level> Drop for Team<'_, L> {
    /// The world's team is gone with the engine before the value is dropped.
    fn drop(&mut self) {
        if let Some(core) = self.lent.take().filter(|_| !child::is_marked()) {
            self.engine.quiet();
            self.engine.teams.drop_here(self.engine.teams.take_back(core));
        }
    }
}
