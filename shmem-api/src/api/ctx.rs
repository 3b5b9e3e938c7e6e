//! Contexts: streams of operations that are ordered and completed apart from each other (OpenSHMEM 1.6, 9.5).
//!
//! ```text
//!   let ctx = world.ctx(Serialized)?;          a thread's own stream, of one team
//!   world.share(&mut a, |_, a| {
//!       let a = a.via(&ctx);                   the same object by way of that stream
//!       a.put(pe, 0, &data);
//!       ctx.quiet();                           waits for this stream only
//!   });
//! ```
//!
//! The standard's options are types here. A context is never `Sync`, so every one is *serialized*: one
//! thread uses it at a time. One that is made [`Private`] is not `Send` either. And there is no access to a
//! peer's memory but through handles, so *nostore* holds for all.
//!
//! Between PEs of one host a put is done by the PE itself before the call returns, so there is nothing to keep
//! per context: quiet and fence are the processor's fences, and a context never waits for another.

use std::cell::Cell;
use std::marker::PhantomData;

use crate::api::team::Team;
use crate::engine::Handle;
use crate::error::Error;
use crate::transport::{self, Stream};
use crate::types::pe_set::PeSet;
use crate::types::thread_level::{Level, Single};

/// A context of a team. Handles go by way of it with [`Remote::via`](crate::Remote::via).
///
/// Dropping it completes what was done through it; it is local, as making one is. A context that is never
/// dropped does no harm: the end of a phase completes what was done in it through any context.
pub struct Ctx<'t, L: Level> {
    engine: Handle,
    members: PeSet,
    of: PhantomData<(&'t (), L, Cell<()>)>,
}

mod sealed {
    pub trait Sealed {}
}

/// How a context is used: [`Serialized`] or [`Private`].
pub trait CtxOptions: sealed::Sealed {
    /// The thread level of the context of a team of level `L`.
    type Level<L: Level>: Level;
}

/// One thread at a time uses the context; it may be handed to another where the thread level is
/// [`Multiple`](crate::Multiple) (`SHMEM_CTX_SERIALIZED`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Serialized;

/// The thread that makes the context is the one that uses it (`SHMEM_CTX_PRIVATE`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Private;

impl sealed::Sealed for Serialized {}
impl sealed::Sealed for Private {}

impl CtxOptions for Serialized {
    type Level<L: Level> = L;
}

impl CtxOptions for Private {
    type Level<L: Level> = Single;
}

impl<L: Level> Team<'_, L> {
    /// Local: a context of this team (`shmem_team_create_ctx`).
    ///
    /// # Errors
    /// If the transport has no room for another; between PEs of one host it always has.
    pub fn ctx<O: CtxOptions>(&self, _options: O) -> Result<Ctx<'_, O::Level<L>>, Error> {
        Ok(Ctx { engine: self.engine, members: self.members(), of: PhantomData })
    }
}

impl<L: Level> Ctx<'_, L> {
    /// What was done through this context is complete and visible to every PE (`shmem_ctx_quiet`).
    pub fn quiet(&self) {
        self.engine.quiet();
    }

    /// What is done to a PE through this context after the fence arrives there after what was done to it
    /// before (`shmem_ctx_fence`).
    pub fn fence(&self) {
        transport::fence(Stream::ALL);
    }

    /// This PE's number in the context's team.
    pub fn pe(&self) -> usize {
        self.members.rank(self.engine.me).unwrap_or_default() as usize
    }

    /// How many PEs the context's team has.
    pub fn n_pes(&self) -> usize {
        self.members.size as usize
    }

    /// The end of a `call` that goes by way of this context with the handle of another team's object.
    #[inline]
    pub(crate) fn check_team(&self, call: &str, of: PeSet) {
        if self.members != of {
            let me = self.engine.me;
            panic!("PE {me}: {call}: the context's team is {}, the object's {of}", self.members);
        }
    }
}

impl<L: Level> Drop for Ctx<'_, L> {
    fn drop(&mut self) {
        self.quiet();
    }
}
