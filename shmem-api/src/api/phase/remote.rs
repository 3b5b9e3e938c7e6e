//! The handle of a shared object: which object it is, and from a PE and a range of it to where that is.
//!
//! Every call checks the PE and the range here, then goes straight to the peer's memory (`access`): one load of the
//! peer's base from the table the handle carries, and the copy. No lock, no allocation, no virtual call.

use std::marker::PhantomData;

use memheap::{Bytes, Offset, PeId};

use crate::api::ctx::Ctx;
use crate::api::phase::key::PhaseKey;
use crate::engine::Engine;
use crate::node::Node;
use crate::node::segment::Peer;
use crate::node::signature::Mode;
use crate::node::static_data::Static;
use crate::transport::{FarTarget, Stream, Target};
use crate::types::elem::Elem;
use crate::types::pe_set::PeSet;
use crate::types::thread_level::{Level, Single};

/// An object open to every PE, for the length of a phase.
///
/// All calls may be made by any PE on any PE, itself included, without others taking part. What several
/// PEs do to the same element at once is unordered; only the atomics are atomic towards each other.
pub struct Remote<'s, T, L: Level> {
    engine: &'s Engine,
    /// Where the object's memory is for each PE of the world: its segment, or its statics.
    peers: &'s [Peer],
    /// The PEs that entered the phase: PE numbers are ranks in their team.
    members: PeSet,
    at: Offset,
    len: usize,
    what: PhantomData<(&'s T, L)>,
}

impl<T, L: Level> Clone for Remote<'_, T, L> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, L: Level> Copy for Remote<'_, T, L> {}

impl<'s, T: Elem, L: Level> Remote<'s, T, L> {
    /// The object of `len` elements at `at`, which all PEs of the team have entered the phase with.
    pub(in crate::api) fn new(key: &PhaseKey<'s>, at: Offset, len: usize) -> Self {
        Remote::of_phase(key, at, len, Mode::ReadWrite)
    }

    /// As [`new`](Self::new), of an object that takes part in this mode. That it does is checked (PHASE-P1).
    pub(super) fn of_phase(key: &PhaseKey<'s>, at: Offset, len: usize, mode: Mode) -> Self {
        let (engine, members) = key.of(at, Bytes((len * size_of::<T>()) as u64), mode);
        Remote { engine, peers: &engine.peers, members, at, len, what: PhantomData }
    }

    /// A static of one element that every PE of the team has (NODE-C1).
    pub(crate) fn of_static(engine: &'s Engine, members: PeSet, found: Static<'s>) -> Self {
        Remote { engine, peers: found.table, members, at: found.at, len: 1, what: PhantomData }
    }

    /// The same object by way of `ctx`: what is done through that handle is ordered and completed by
    /// [`Ctx::fence`] and [`Ctx::quiet`] (and by the phase's, which see to all). It stays on its thread.
    ///
    /// # Panics
    /// If the context is of another team than the phase: a PE number would mean another PE.
    pub fn via<'c, C: Level>(&self, ctx: &'c Ctx<'_, C>) -> Remote<'c, T, Single>
    where
        's: 'c,
    {
        ctx.check_team("via", self.members);
        let Remote { engine, peers, members, at, len, .. } = *self;
        Remote { engine, peers, members, at, len, what: PhantomData }
    }

    /// The same object as elements of a type of the same layout: any bytes are an [`Elem`].
    #[inline]
    pub(crate) fn cast<U: Elem>(&self) -> Remote<'s, U, L> {
        const { assert!(size_of::<T>() == size_of::<U>() && align_of::<T>() == align_of::<U>()) };
        let Remote { engine, peers, members, at, len, .. } = *self;
        Remote { engine, peers, members, at, len, what: PhantomData }
    }

    /// Elements of the object, on each PE.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn engine(&self) -> &'s Engine {
        self.engine
    }

    /// Where the object lies, for messages.
    pub(super) fn offset(&self) -> Offset {
        self.at
    }

    /// The PEs that a PE number is the rank of.
    #[inline]
    pub(crate) fn members(&self) -> PeSet {
        self.members
    }

    /// The end of a `call` with the handle of another team's object.
    #[inline]
    pub(crate) fn check_team(&self, call: &str, of: PeSet) {
        if self.members != of {
            let me = self.engine.me;
            panic!("PE {me}: {call}: the object is open to {}, the signal to {of}", self.members);
        }
    }

    /// Who asks, and where in the heap the object lies; for a static, past every heap.
    #[inline]
    pub(crate) fn whereabouts(&self) -> (PeId, Offset) {
        (self.engine.me, if self.is_in_heap() { self.at } else { Offset(u64::MAX >> 1) })
    }

    /// Where elements `at .. at + n` of the object on `pe` are: inside the object, and so, by PHASE-P1, or NODE-C1 for a
    /// static, inside that PE's memory, where they are aligned.
    #[inline]
    pub(crate) fn target(&self, call: &'static str, pe: usize, at: usize, n: usize) -> Target {
        if pe >= self.members.size as usize {
            self.no_such_pe(call, pe);
        }
        self.target_at(call, self.members.at(pe as u32), at, n)
    }

    /// As [`target`](Self::target), of this PE's own part.
    #[inline]
    pub(crate) fn own_place(&self, call: &'static str, at: usize, n: usize) -> *mut T {
        match self.target_at(call, self.engine.me, at, n) {
            Target::Mapped(at) => at.cast(),
            Target::Far(far) => unreachable!("this PE's own memory is mapped, and not {far:?}"),
        }
    }

    #[inline]
    fn target_at(&self, call: &'static str, pe: PeId, at: usize, n: usize) -> Target {
        if at > self.len || self.len - at < n {
            self.out_of_range(call, pe, at, n);
        }
        let offset = self.at.0 as usize + at * size_of::<T>();
        let base = self.peers[pe.0 as usize].heap;
        if base.is_null() {
            return self.far(pe, offset);
        }
        Target::Mapped(base.wrapping_add(offset))
    }

    /// On a PE whose memory is not mapped here.
    #[inline(always)]
    fn far(&self, pe: PeId, offset: usize) -> Target {
        let space = if self.is_in_heap() { 0 } else { FarTarget::STATIC };
        Target::Far(FarTarget { pe, at: space | offset as u64, stream: Stream::DEFAULT })
    }

    #[inline]
    fn is_in_heap(&self) -> bool {
        std::ptr::eq(self.peers.as_ptr(), self.engine.peers.as_ptr())
    }

    #[cold]
    #[inline(never)]
    fn no_such_pe(&self, call: &str, pe: usize) -> ! {
        let (Node { me, n_pes, .. }, size) = (&self.engine.node, self.members.size);
        let who = if size == *n_pes { "job" } else { "team" };
        panic!("PE {me}: {call}: there is no PE {pe}; the {who} has PEs 0 to {}", size - 1)
    }

    #[cold]
    #[inline(never)]
    fn out_of_range(&self, call: &str, pe: PeId, at: usize, n: usize) -> ! {
        let (me, len) = (self.engine.me, self.len);
        let pe = self.members.rank(pe).unwrap_or_default();
        panic!("PE {me}: {call}: elements {at}..{} of an object of {len} on PE {pe}", at.saturating_add(n))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn too_close(&self, call: &str, stride: usize, block: usize) -> ! {
        let me = self.engine.me;
        panic!("PE {me}: {call}: a stride of {stride} is less than a block of {}", block.max(1))
    }
}
