//! The collectives on teams (OpenSHMEM 1.6, 9.11): the ones that move data. Those that calculate are in [`reduce`].
//!
//! Every member of the team calls, in the same order, with the same types, counts, root, strides and `dest`; PEs that
//! differ there end the job with a line that names both, at the latest at their next rendezvous.
//! `dest` and `src` are symmetric: on the heap or static data. `dest` must be
//! ready on every member before any member calls; this PE's `src`, when it calls. On return this PE's `dest`
//! is complete and its `src` may be used again; others may still be inside. No context is quieted. Where nothing is
//! moved, pointers may be null.
//!
//! All return 0: what is wrong with a call ends the job with one line.

pub(crate) mod reduce;

use crate::call::Call;
use crate::coll::active_set::active_set;
use crate::coll::broadcast::Root;
use crate::coll::group::{Group, collective};
use crate::coll::object::{Dest, Source};
use crate::coll::ops::{Arith, Fold, Operator, fold};
use crate::coll::pieces::extent;
use crate::coll::reduce::reduce as reduction;
use crate::coll::scan::Own;
use crate::coll::{alltoall, broadcast, collect, fcollect, scan};
use crate::engine::{Engine, Handle};
use crate::node::signature::{Kind, Position};
use crate::team::contexts::TeamHandle;
use crate::team::core::TeamCore;
use crate::types::elem::Elem;
use crate::types::word::word;

/// Writes each collective once: `fn name` with a body over `call` becomes `calls::name(call, ...)`, and `name(...)` under
/// its name in C.
macro_rules! collectives {
    (mod $calls:ident; $(
        $(#[$doc:meta])*
        fn $name:ident $(<$T:ident: $bound:path>)? ($call:ident $(, $arg:ident: $ty:ty)* $(,)?) $(-> $ret:ty)? $body:block
    )*) => {
        #[allow(clippy::too_many_arguments, reason = "the standard's arguments")]
        pub(in crate::raw) mod $calls {
            use super::*;
            $(
                $(#[$doc])*
                pub unsafe fn $name $(<$T: $bound>)? ($call: $crate::call::Call $(, $arg: $ty)*) $(-> $ret)? $body
            )*
        }
        $(
            $(#[$doc])*
            #[inline]
            #[allow(clippy::too_many_arguments, reason = "the standard's arguments")]
            pub unsafe fn $name $(<$T: $bound>)? ($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
                unsafe { $calls::$name($crate::call::Call::new(concat!("shmem_", stringify!($name))) $(, $arg)*) }
            }
        )*
    };
}
pub(super) use collectives;

/// The PEs that call together: a team, or an active set. What they must agree on is decided here, once for both.
#[derive(Clone, Copy)]
pub(super) struct On<'e> {
    call: Call,
    engine: &'e Engine,
    core: &'e TeamCore,
}

impl<'e> On<'e> {
    /// The members of the team that a handle stands for.
    pub(super) fn team(call: Call, engine: &'e Handle, team: TeamHandle) -> On<'e> {
        match call.team(team, engine) {
            Some(core) => On { call, engine, core },
            None => call.fail("the team is SHMEM_TEAM_INVALID"),
        }
    }

    /// The PEs of an active set.
    pub(super) fn set(call: Call, engine: &'e Engine, set: (i32, i32, i32), psync: *mut i64) -> On<'e> {
        On { call, engine, core: active_set(call, engine, set, psync) }
    }

    /// The objects of a call on `n` elements, with how long they are. `dest` must be the same object on all members, and so
    /// must `src` if others `read` it; where nothing is moved, addresses are not looked at.
    ///
    /// # Safety
    /// As for [`broadcast()`], of objects as long as that.
    unsafe fn objects<'o, T: Elem>(
        self,
        n: usize,
        (dest, dest_len): (*mut T, usize),
        (src, src_len): (*const T, usize),
        read: bool,
    ) -> (Dest<'o, T>, Source<'o, T>) {
        let position = |object: *const T| if n == 0 { Position::NONE } else { self.call.position(object, n) };
        let dest_at = position(dest);
        let src_at = if read { position(src) } else { Position::NONE };
        // SAFETY: COLL-K5 and COLL-K1, by the same contract.
        let dest = unsafe { Dest::new(dest, dest_len, dest_at, true) };
        // SAFETY: COLL-K5, by the same contract.
        (dest, unsafe { Source::new(src, src_len, src_at) })
    }

    /// How many elements `n` for each member are.
    fn for_all(self, n: usize) -> usize {
        n.saturating_mul(self.core.members.size as usize)
    }

    /// Runs a collective of `n` elements of `T`, with what else it has for an argument.
    fn run<T: Elem>(
        self,
        (kind, n, more): (Kind, usize, u64),
        objects: (Dest<'_, T>, Source<'_, T>),
        body: impl FnOnce(&mut Group<'_, '_, T>),
    ) {
        collective(self.call, self.engine, self.core, (kind, n, more), objects, body);
    }

    /// All have arrived.
    pub(super) fn sync(self, kind: Kind) {
        self.core.sync_or_end(self.engine, kind);
    }

    /// # Safety
    /// As for [`broadcast()`].
    pub(super) unsafe fn broadcast<T: Elem>(
        self,
        dest: *mut T,
        src: *const T,
        n: usize,
        root: i32,
        gets_it: bool,
    ) {
        // SAFETY: COLL-K1 and COLL-K5 of both objects, by the same contract.
        let objects = unsafe { self.objects(n, (dest, n), (src, n), false) };
        self.run((Kind::Broadcast, n, root as u64), objects, |group| {
            let root = Root { rank: checked_root(group, root), gets_it, goes_on: true };
            broadcast::broadcast(group, n, root)
        });
    }

    /// # Safety
    /// As for [`collect()`].
    pub(super) unsafe fn collect<T: Elem>(self, dest: *mut T, src: *const T, n: usize) {
        let at = if dest.is_null() { Position::NONE } else { self.call.position(dest, n.max(1)) };
        // SAFETY: COLL-K5 and COLL-K1, by the same contract.
        let dest = unsafe { Dest::new(dest, usize::MAX, at, true) };
        // SAFETY: COLL-K5, by the same contract.
        let src = unsafe { Source::new(src, n, Position::NONE) };
        // Counts may differ.
        self.run((Kind::Gather, 0, 0), (dest, src), |group| {
            collect::collect(group);
        });
    }

    /// # Safety
    /// As for [`fcollect()`].
    pub(super) unsafe fn fcollect<T: Elem>(self, dest: *mut T, src: *const T, n: usize) {
        // SAFETY: COLL-K1 and COLL-K5 of both objects, by the same contract.
        let objects = unsafe { self.objects(n, (dest, self.for_all(n)), (src, n), false) };
        self.run((Kind::Fcollect, n, 0), objects, |group| fcollect::fcollect(group, n));
    }

    /// # Safety
    /// As for [`alltoall()`].
    pub(super) unsafe fn alltoall<T: Elem>(self, dest: *mut T, src: *const T, n: usize) {
        let all = self.for_all(n);
        // SAFETY: COLL-K1 and COLL-K5 of both objects, by the same contract.
        let objects = unsafe { self.objects(n, (dest, all), (src, all), false) };
        self.run((Kind::Alltoall, n, 1 << 32 | 1), objects, |group| alltoall::alltoall(group, n));
    }

    /// # Safety
    /// As for [`alltoalls()`].
    pub(super) unsafe fn alltoalls<T: Elem>(
        self,
        (dest, dst): (*mut T, isize),
        (src, sst): (*const T, isize),
        n: usize,
    ) {
        let strides = checked_strides(self.call, dst, sst);
        let reach = |stride| extent(self.for_all(n), stride);
        // SAFETY: COLL-K1 and COLL-K5 of both objects, by the same contract.
        let objects = unsafe { self.objects(n, (dest, reach(strides.0)), (src, reach(strides.1)), false) };
        let agreed = (Kind::Alltoall, n, (dst << 32 | sst) as u64);
        self.run(agreed, objects, |group| alltoall::alltoalls(group, strides, n));
    }

    /// # Safety
    /// As for [`sum_reduce`](crate::raw::sum_reduce).
    pub(super) unsafe fn reduce<T: Elem, O: Operator<T>>(self, dest: *mut T, src: *const T, n: usize) {
        // SAFETY: the same contract.
        unsafe { self.reduce_by(dest, src, n, O::NAME, fold::<T, O>) }
    }

    /// # Safety
    /// As for [`sum_reduce`](crate::raw::sum_reduce).
    unsafe fn reduce_by<T: Elem>(self, dest: *mut T, src: *const T, n: usize, operator: u64, fold: Fold<T>) {
        // SAFETY: COLL-K1 and COLL-K5 of both objects, by the same contract.
        let objects = unsafe { self.objects(n, (dest, n), (src, n), true) };
        self.run((Kind::Reduce, n, operator), objects, |group| reduction(group, n, fold));
    }

    /// # Safety
    /// As for [`sum_inscan`](crate::raw::sum_inscan).
    pub(super) unsafe fn scan<T: Arith>(self, dest: *mut T, src: *const T, n: usize, own: Own) {
        let name = if own == Own::In { const { word("inscan") } } else { const { word("exscan") } };
        // SAFETY: COLL-K1 and COLL-K5 of both objects, by the same contract.
        let objects = unsafe { self.objects(n, (dest, n), (src, n), true) };
        self.run((Kind::Scan, n, name), objects, |group| scan::scan(group, n, own));
    }
}

collectives! { mod calls;
    /// Collective over the team: copies `n` elements from `src` on member `root` to `dest` on all, the root included
    /// (`shmem_broadcast`). A root of few bytes does not wait for the others.
    ///
    /// # Safety
    /// `dest` and `src` are symmetric arrays of `n` elements that do not overlap; every member's `dest` is ready before
    /// any member calls. Nobody else accesses them meanwhile, and no Rust reference to them is alive. No other thread
    /// is in a collective of this team. The World stays up during the call.
    fn broadcast<T: Elem>(call, team: TeamHandle, dest: *mut T, src: *const T, n: usize, root: i32) -> i32 {
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { On::team(call, &call.engine(), team).broadcast(dest, src, n, root, true) };
        0
    }

    /// As [`broadcast()`], in bytes (`shmem_broadcastmem`).
    ///
    /// # Safety
    /// As there.
    fn broadcastmem(call, team: TeamHandle, dest: *mut u8, src: *const u8, n: usize, root: i32) -> i32 {
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { broadcast::<u8>(call, team, dest, src, n, root) }
    }

    /// Collective over the team: `dest` becomes the sources of all members, one after the other; `n` may differ
    /// (`shmem_collect`).
    ///
    /// # Safety
    /// As for [`broadcast()`]; `dest` has as many elements as all sources together.
    fn collect<T: Elem>(call, team: TeamHandle, dest: *mut T, src: *const T, n: usize) -> i32 {
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { On::team(call, &call.engine(), team).collect(dest, src, n) };
        0
    }

    /// As [`collect()`], in bytes (`shmem_collectmem`).
    ///
    /// # Safety
    /// As there.
    fn collectmem(call, team: TeamHandle, dest: *mut u8, src: *const u8, n: usize) -> i32 {
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { collect::<u8>(call, team, dest, src, n) }
    }

    /// Collective over the team: `dest` becomes the sources of all members, one after the other, `n` elements of each
    /// (`shmem_fcollect`).
    ///
    /// # Safety
    /// As for [`broadcast()`]; `dest` has `n` elements for each member.
    fn fcollect<T: Elem>(call, team: TeamHandle, dest: *mut T, src: *const T, n: usize) -> i32 {
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { On::team(call, &call.engine(), team).fcollect(dest, src, n) };
        0
    }

    /// As [`fcollect()`], in bytes (`shmem_fcollectmem`).
    ///
    /// # Safety
    /// As there.
    fn fcollectmem(call, team: TeamHandle, dest: *mut u8, src: *const u8, n: usize) -> i32 {
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { fcollect::<u8>(call, team, dest, src, n) }
    }

    /// Collective over the team: block l of `n` elements of member k's `src` becomes block k of member l's `dest`
    /// (`shmem_alltoall`).
    ///
    /// # Safety
    /// As for [`broadcast()`]; `dest` and `src` have `n` elements for each member.
    fn alltoall<T: Elem>(call, team: TeamHandle, dest: *mut T, src: *const T, n: usize) -> i32 {
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { On::team(call, &call.engine(), team).alltoall(dest, src, n) };
        0
    }

    /// As [`alltoall()`], in bytes (`shmem_alltoallmem`).
    ///
    /// # Safety
    /// As there.
    fn alltoallmem(call, team: TeamHandle, dest: *mut u8, src: *const u8, n: usize) -> i32 {
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { alltoall::<u8>(call, team, dest, src, n) }
    }

    /// Collective over the team: as [`alltoall()`], with elements `dst` apart in `dest` and `sst` apart
    /// in `src` (`shmem_alltoalls`). Strides are at least 1.
    ///
    /// # Safety
    /// As there, as far as the strides reach.
    fn alltoalls<T: Elem>(
        call, team: TeamHandle, dest: *mut T, src: *const T, dst: isize, sst: isize, n: usize
    ) -> i32 {
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { On::team(call, &call.engine(), team).alltoalls((dest, dst), (src, sst), n) };
        0
    }

    /// As [`alltoalls()`], in bytes (`shmem_alltoallsmem`).
    ///
    /// # Safety
    /// As there.
    fn alltoallsmem(
        call, team: TeamHandle, dest: *mut u8, src: *const u8, dst: isize, sst: isize, n: usize
    ) -> i32 {
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { alltoalls::<u8>(call, team, dest, src, dst, sst, n) }
    }
}

/// The root, if it is a member's number.
fn checked_root<T>(group: &Group<'_, '_, T>, root: i32) -> u32 {
    match u32::try_from(root) {
        Ok(root) if root < group.size() => root,
        _ => group.call().fail(&format!("PE_root is {root}: it must be 0 to {}", group.size() - 1)),
    }
}

/// The strides, if both are at least 1.
fn checked_strides(call: Call, dst: isize, sst: isize) -> (usize, usize) {
    let check = |name: &str, stride: isize| match usize::try_from(stride) {
        Ok(stride @ 1..) => stride,
        _ => call.fail(&format!("{name} is {stride}: a stride must be at least 1")),
    };
    (check("dst", dst), check("sst", sst))
}
