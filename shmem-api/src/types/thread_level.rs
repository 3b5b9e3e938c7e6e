//! Thread levels: as values for the launcher, as types for the safe API.
#![allow(clippy::disallowed_types)]

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU8, Ordering};

/// The four levels of the standard, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ThreadLevel {
    /// One thread.
    Single,
    /// Several, of which only the one that initialised calls the library.
    Funneled,
    /// Several, one at a time.
    Serialized,
    /// Several at once.
    Multiple,
}

/// The level the library keeps to now.
static IN_FORCE: AtomicU8 = AtomicU8::new(ThreadLevel::Single as u8);

impl ThreadLevel {
    const ALL: [ThreadLevel; 4] =
        [ThreadLevel::Single, ThreadLevel::Funneled, ThreadLevel::Serialized, ThreadLevel::Multiple];

    /// The level C knows by this number (`SHMEM_THREAD_SINGLE` is 0, `SHMEM_THREAD_MULTIPLE` 3).
    pub fn from_c(number: i32) -> Option<ThreadLevel> {
        usize::try_from(number).ok().and_then(|n| ThreadLevel::ALL.get(n).copied())
    }
}

/// The level the library keeps to now.
pub(crate) fn in_force() -> ThreadLevel {
    ThreadLevel::ALL[IN_FORCE.load(Ordering::Relaxed) as usize & 3]
}

/// Whether several threads may be in the library at once.
#[inline]
pub(crate) fn multiple() -> bool {
    IN_FORCE.load(Ordering::Relaxed) == ThreadLevel::Multiple as u8
}

/// From now on the library keeps to `level`. No other thread is in it meanwhile.
pub(crate) fn put_in_force(level: ThreadLevel) {
    IN_FORCE.store(level as u8, Ordering::Relaxed);
}

mod sealed {
    pub trait Sealed {}
}

/// A thread level as a type: [`Single`] or [`Multiple`]. Values that carry it are `Send` and `Sync`
/// exactly as it is.
pub trait Level: sealed::Sealed + 'static {
    /// The level asked of the launcher.
    const ASKED: ThreadLevel;
}

/// The library is called by the thread that initialised it: neither `Send` nor `Sync`.
#[derive(Clone, Copy, Debug)]
pub struct Single(PhantomData<*const ()>);

/// Any thread may call the library at any time.
#[derive(Clone, Copy, Debug)]
pub struct Multiple(());

impl sealed::Sealed for Single {}
impl sealed::Sealed for Multiple {}

impl Level for Single {
    const ASKED: ThreadLevel = ThreadLevel::Funneled;
}

impl Level for Multiple {
    const ASKED: ThreadLevel = ThreadLevel::Multiple;
}

/// The thread level somebody asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Asked {
    pub(crate) level: ThreadLevel,
    /// Less will not do: it is an error.
    pub(crate) needed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Ctx, Phase, Remote, RemoteRead, Signal, Signals, SymBox, SymLock, SymSignal, SymSignals, SymSlice,
        Team, World,
    };

    /// At `Multiple` everything may be used from all threads; objects may at any level. (That nothing
    /// may at `Single` is for the compiler to refuse: see `tests/ui`.)
    #[test]
    fn what_may_go_to_other_threads() {
        fn any_thread<T: Send + Sync>() {}
        any_thread::<World<Multiple>>();
        any_thread::<Team<'static, Multiple>>();
        any_thread::<Phase<'static, Multiple>>();
        any_thread::<Remote<'static, u64, Multiple>>();
        any_thread::<RemoteRead<'static, u64, Multiple>>();
        any_thread::<SymSlice<'static, u64>>();
        any_thread::<SymBox<'static, u64>>();
        any_thread::<Signal<'static, Multiple>>();
        any_thread::<Signals<'static, Multiple>>();
        any_thread::<SymSignal<'static>>();
        any_thread::<SymSignals<'static>>();
        any_thread::<SymLock<'static, Multiple>>();
        // One thread at a time.
        fn another_thread<T: Send>() {}
        another_thread::<Ctx<'static, Multiple>>();
    }
}
