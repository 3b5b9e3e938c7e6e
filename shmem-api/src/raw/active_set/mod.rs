//! The collectives on active sets (OpenSHMEM 1.6, deprecated since 1.5, and still used by most programs).
//!
//! An active set is `size` PEs of the world from `start`, `2^log_stride` apart; every one of them calls, with the
//! same arguments. `psync` is a symmetric array of [`SYNC_SIZE`] longs. It names the set's calls, so that those of two
//! threads are told apart; what lies in it does not matter, and stays as it is. No other call uses it meanwhile. A
//! `pWrk` array is not used.
//!
//! The PEs meet, compare and wait as those of a team do; a root of few bytes is never more than one call ahead of the
//! others, and a `dest` is written while its PE is in the call.
//!
//! The sized routines of C are `broadcast::<u32>` and `<u64>`, and so on; reductions are in `to_all`. All end the job with one line
//! where the set cannot be, this PE is not in it, or an argument names no symmetric memory.

pub(crate) mod to_all;

pub use crate::coll::active_set::{SYNC_SIZE, SYNC_VALUE};
use crate::node::signature::Kind;
use crate::types::elem::Elem;

pub use crate::raw::active_set::to_all::{
    and_to_all, max_to_all, min_to_all, or_to_all, prod_to_all, sum_to_all, xor_to_all,
};
use crate::raw::coll::{On, collectives};

/// The routines over a [`Call`](crate::raw::Call), for skins that have names of their own, such as the C library.
pub mod ops {
    pub use super::calls::*;
    pub use super::to_all::calls::*;
}

collectives! { mod calls;
    /// Collective over the set: completes this PE's earlier operations on the default context, then meets the others
    /// (`shmem_barrier`).
    ///
    /// # Safety
    /// `psync` as said above. The World stays up during the call.
    fn barrier(call, start: i32, log_stride: i32, size: i32, psync: *mut i64) {
        let engine = call.engine();
        engine.quiet();
        On::set(call, &engine, (start, log_stride, size), psync).sync(Kind::Barrier);
    }

    /// Collective over the set: meets the others; their earlier stores are then visible (`shmem_sync` on a set).
    ///
    /// # Safety
    /// As for [`barrier`].
    fn sync(call, start: i32, log_stride: i32, size: i32, psync: *mut i64) {
        On::set(call, &call.engine(), (start, log_stride, size), psync).sync(Kind::Sync);
    }

    /// Collective over the set: copies `n` elements from `src` on member `root` (its number in the set) to `dest` on
    /// the others; the root's `dest` is not written (`shmem_broadcast32`, `64`).
    ///
    /// # Safety
    /// `dest` and `src` are symmetric arrays of `n` elements that do not overlap; every member's `dest` is ready before
    /// any member calls. Nobody else accesses them meanwhile, and no Rust reference to them is alive. `psync` as for
    /// [`barrier`].
    fn broadcast<T: Elem>(
        call, dest: *mut T, src: *const T, n: usize, root: i32, start: i32, log_stride: i32, size: i32,
        psync: *mut i64
    ) {
        let engine = call.engine();
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { On::set(call, &engine, (start, log_stride, size), psync).broadcast(dest, src, n, root, false) }
    }

    /// Collective over the set: `dest` becomes the sources of all members, one after the other; `n` may differ
    /// (`shmem_collect32`, `64`).
    ///
    /// # Safety
    /// As for [`broadcast`]; `dest` has as many elements as all sources together.
    fn collect<T: Elem>(
        call, dest: *mut T, src: *const T, n: usize, start: i32, log_stride: i32, size: i32, psync: *mut i64
    ) {
        let engine = call.engine();
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { On::set(call, &engine, (start, log_stride, size), psync).collect(dest, src, n) }
    }

    /// Collective over the set: `dest` becomes the sources of all members, one after the other, `n` elements of each
    /// (`shmem_fcollect32`, `64`).
    ///
    /// # Safety
    /// As for [`broadcast`]; `dest` has `n` elements for each member.
    fn fcollect<T: Elem>(
        call, dest: *mut T, src: *const T, n: usize, start: i32, log_stride: i32, size: i32, psync: *mut i64
    ) {
        let engine = call.engine();
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { On::set(call, &engine, (start, log_stride, size), psync).fcollect(dest, src, n) }
    }

    /// Collective over the set: block l of `n` elements of member k's `src` becomes block k of member l's `dest`
    /// (`shmem_alltoall32`, `64`).
    ///
    /// # Safety
    /// As for [`broadcast`]; `dest` and `src` have `n` elements for each member.
    fn alltoall<T: Elem>(
        call, dest: *mut T, src: *const T, n: usize, start: i32, log_stride: i32, size: i32, psync: *mut i64
    ) {
        let engine = call.engine();
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { On::set(call, &engine, (start, log_stride, size), psync).alltoall(dest, src, n) }
    }

    /// Collective over the set: as [`alltoall`], with elements `dst` apart in `dest` and `sst` apart in `src`
    /// (`shmem_alltoalls32`, `64`). Strides are at least 1.
    ///
    /// # Safety
    /// As there, as far as the strides reach.
    fn alltoalls<T: Elem>(
        call, dest: *mut T, src: *const T, dst: isize, sst: isize, n: usize, start: i32, log_stride: i32,
        size: i32, psync: *mut i64
    ) {
        let engine = call.engine();
        let on = On::set(call, &engine, (start, log_stride, size), psync);
        // SAFETY: RAW-R3 to RAW-R6, which our caller has promised.
        unsafe { on.alltoalls((dest, dst), (src, sst), n) }
    }
}
