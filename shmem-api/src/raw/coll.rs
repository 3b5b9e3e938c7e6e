//! The collectives on teams (OpenSHMEM 1.6, 9.11): the ones that move data. Those that calculate are in [`reduce`].
//!
//! Every member of the team calls, in the same order, with the same counts, root and strides; PEs that differ there
//! end the job with a line that names both (but for two that both take themselves for the root of a few bytes: neither
//! waits for anybody). `dest` and `src` are symmetric: on the heap or static data. `dest` must be
//! ready on every member before any member calls; this PE's `src`, when it calls. On return this PE's `dest`
//! is complete and its `src` may be used again; others may still be inside. No context is quieted. Where nothing is
//! moved, pointers may be null.
//!
//! All return 0: what is wrong with a call ends the job with one line.

use super::TeamHandle;
use super::via::Via;
use crate::coll::broadcast::Root;
use crate::coll::group::Group;
use crate::coll::on_team::{OnTeam, on_team};
use crate::coll::slip::Kind;
use crate::coll::{alltoall, broadcast, collect, fcollect};
use crate::elem::Elem;

pub(super) mod reduce;

/// Writes each collective once: `fn name` with a body over `via` becomes `calls::name(via, ...)`, and `name(...)` under
/// its name in C.
macro_rules! collectives {
    (mod $calls:ident; $(
        $(#[$doc:meta])*
        fn $name:ident $(<$T:ident: $bound:path>)? ($via:ident $(, $arg:ident: $ty:ty)* $(,)?) $(-> $ret:ty)? $body:block
    )*) => {
        #[allow(clippy::too_many_arguments, reason = "the standard's arguments")]
        pub(in crate::raw) mod $calls {
            use super::*;
            $(
                $(#[$doc])*
                pub unsafe fn $name $(<$T: $bound>)? ($via: $crate::raw::Via $(, $arg: $ty)*) $(-> $ret)? $body
            )*
        }
        $(
            $(#[$doc])*
            #[inline]
            #[allow(clippy::too_many_arguments, reason = "the standard's arguments")]
            pub unsafe fn $name $(<$T: $bound>)? ($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: by the same contract.
                unsafe { $calls::$name($crate::raw::Via::new(concat!("shmem_", stringify!($name))) $(, $arg)*) }
            }
        )*
    };
}
pub(super) use collectives;

/// Runs a collective of elements of `T` on the team a handle stands for.
pub(super) fn on_handle<T>(
    via: Via,
    team: TeamHandle,
    (kind, n, more): (Kind, usize, u64),
    body: impl FnOnce(&mut OnTeam<'_, '_>),
) -> i32 {
    let engine = via.engine();
    let Some(core) = team.core(via, &engine) else {
        via.fail("the team is SHMEM_TEAM_INVALID");
    };
    let agreed = [n as u64, size_of::<T>() as u64, more];
    on_team(via, &engine, core, (kind, &agreed), body);
    0
}

collectives! { mod calls;
    /// Collective over the team: copies `n` elements from `src` on member `root` to `dest` on all, the root included
    /// (`shmem_broadcast`). A root of few bytes does not wait for the others.
    ///
    /// # Safety
    /// `dest` and `src` are symmetric arrays of `n` elements that do not overlap; every member's `dest` is ready before
    /// any member calls. Nobody else accesses them meanwhile, and no Rust reference to them is alive. No other thread
    /// is in a collective of this team. The World stays up during the call.
    fn broadcast<T: Elem>(via, team: TeamHandle, dest: *mut T, src: *const T, n: usize, root: i32) -> i32 {
        on_handle::<T>(via, team, (Kind::Broadcast, n, root as u64), |group| {
            let root = checked_root(group, root);
            // SAFETY: by the same contract.
            unsafe { broadcast::broadcast(group, dest, src, n, root, Root::GetsItToo) }
        })
    }

    /// As [`broadcast()`], in bytes (`shmem_broadcastmem`).
    ///
    /// # Safety
    /// As there.
    fn broadcastmem(via, team: TeamHandle, dest: *mut u8, src: *const u8, n: usize, root: i32) -> i32 {
        // SAFETY: by the same contract.
        unsafe { broadcast::<u8>(via, team, dest, src, n, root) }
    }

    /// Collective over the team: `dest` becomes the sources of all members, one after the other; `n` may differ
    /// (`shmem_collect`).
    ///
    /// # Safety
    /// As for [`broadcast()`]; `dest` has as many elements as all sources together.
    fn collect<T: Elem>(via, team: TeamHandle, dest: *mut T, src: *const T, n: usize) -> i32 {
        on_handle::<T>(via, team, (Kind::Gather, 0, 0), |group| {
            // SAFETY: by the same contract.
            unsafe { collect::collect(group, (dest, usize::MAX), src, n) };
        })
    }

    /// As [`collect()`], in bytes (`shmem_collectmem`).
    ///
    /// # Safety
    /// As there.
    fn collectmem(via, team: TeamHandle, dest: *mut u8, src: *const u8, n: usize) -> i32 {
        // SAFETY: by the same contract.
        unsafe { collect::<u8>(via, team, dest, src, n) }
    }

    /// Collective over the team: `dest` becomes the sources of all members, one after the other, `n` elements of each
    /// (`shmem_fcollect`).
    ///
    /// # Safety
    /// As for [`broadcast()`]; `dest` has `n` elements for each member.
    fn fcollect<T: Elem>(via, team: TeamHandle, dest: *mut T, src: *const T, n: usize) -> i32 {
        on_handle::<T>(via, team, (Kind::Fcollect, n, 0), |group| {
            // SAFETY: by the same contract.
            unsafe { fcollect::fcollect(group, dest, src, n) }
        })
    }

    /// As [`fcollect()`], in bytes (`shmem_fcollectmem`).
    ///
    /// # Safety
    /// As there.
    fn fcollectmem(via, team: TeamHandle, dest: *mut u8, src: *const u8, n: usize) -> i32 {
        // SAFETY: by the same contract.
        unsafe { fcollect::<u8>(via, team, dest, src, n) }
    }

    /// Collective over the team: block l of `n` elements of member k's `src` becomes block k of member l's `dest`
    /// (`shmem_alltoall`).
    ///
    /// # Safety
    /// As for [`broadcast()`]; `dest` and `src` have `n` elements for each member.
    fn alltoall<T: Elem>(via, team: TeamHandle, dest: *mut T, src: *const T, n: usize) -> i32 {
        on_handle::<T>(via, team, (Kind::Alltoall, n, 1 << 32 | 1), |group| {
            // SAFETY: by the same contract.
            unsafe { alltoall::alltoall(group, dest, src, n) }
        })
    }

    /// As [`alltoall()`], in bytes (`shmem_alltoallmem`).
    ///
    /// # Safety
    /// As there.
    fn alltoallmem(via, team: TeamHandle, dest: *mut u8, src: *const u8, n: usize) -> i32 {
        // SAFETY: by the same contract.
        unsafe { alltoall::<u8>(via, team, dest, src, n) }
    }

    /// Collective over the team: as [`alltoall()`], with elements `dst` apart in `dest` and `sst` apart
    /// in `src` (`shmem_alltoalls`). Strides are at least 1.
    ///
    /// # Safety
    /// As there, as far as the strides reach.
    fn alltoalls<T: Elem>(
        via, team: TeamHandle, dest: *mut T, src: *const T, dst: isize, sst: isize, n: usize
    ) -> i32 {
        let strides = checked_strides(via, dst, sst);
        on_handle::<T>(via, team, (Kind::Alltoall, n, (dst << 32 | sst) as u64), |group| {
            // SAFETY: by the same contract.
            unsafe { alltoall::alltoalls(group, dest, src, strides, n) }
        })
    }

    /// As [`alltoalls()`], in bytes (`shmem_alltoallsmem`).
    ///
    /// # Safety
    /// As there.
    fn alltoallsmem(
        via, team: TeamHandle, dest: *mut u8, src: *const u8, dst: isize, sst: isize, n: usize
    ) -> i32 {
        // SAFETY: by the same contract.
        unsafe { alltoalls::<u8>(via, team, dest, src, dst, sst, n) }
    }
}

/// The root, if it is a member's number.
pub(super) fn checked_root(group: &impl Group, root: i32) -> u32 {
    match u32::try_from(root) {
        Ok(root) if root < group.size() => root,
        _ => group.via().fail(&format!("PE_root is {root}: it must be 0 to {}", group.size() - 1)),
    }
}

/// The strides, if both are at least 1.
pub(super) fn checked_strides(via: Via, dst: isize, sst: isize) -> (usize, usize) {
    let check = |name: &str, stride: isize| match usize::try_from(stride) {
        Ok(stride @ 1..) => stride,
        _ => via.fail(&format!("{name} is {stride}: a stride must be at least 1")),
    };
    (check("dst", dst), check("sst", sst))
}
