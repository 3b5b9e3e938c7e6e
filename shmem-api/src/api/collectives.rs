//! Collectives on symmetric objects and on values (OpenSHMEM 1.6, 9.11), without `unsafe`.
//!
//! ```text
//!   world.reduce(Sum, &mut totals, &counts)      objects: local before and after, element by element
//!   world.reduce_one(Max, here)                  a value of each PE, the result on every PE
//! ```
//!
//! The objects of a collective are local: borrowed for the length of the call, by which PEs read and write each
//! other's parts of them. So nobody may touch another's before it is in the call, too, with the same objects.
//!
//! Invariant **API-R1**: a byte of another PE's object is touched only after a meeting in which all members showed the same
//! collective, of as many elements, on objects at the same offsets (compared exactly: rule S1 of RUST-API); and no longer
//! than until that PE leaves the call (COLL-K3 of [`crate::coll::group`]).
#![allow(unsafe_code)]

use crate::api::sym::{SymBox, SymPart, SymSlice};
use crate::api::team::Team;
use crate::coll::alltoall;
use crate::coll::broadcast;
use crate::coll::broadcast::Root;
use crate::coll::collect;
use crate::coll::fcollect;
use crate::coll::group;
use crate::coll::group::{Agreed, Chunk, Group, show, shown};
use crate::coll::ops::{Arith, Operator, Sum};
use crate::coll::reduce;
use crate::coll::scan;
use crate::coll::scan::Own;
use crate::node::signature::Kind;
use crate::raw::Call;
use crate::types::elem::{Elem, check_layout};
use crate::types::thread_level::Level;
use crate::types::word::word;

mod sealed {
    /// Of one type of elements: without it, a program could implement [`Symmetric`](super::Symmetric) of a type of its
    /// own for an object of other elements, and say where it is.
    pub trait Sealed<T> {}
}

/// A symmetric object of elements of `T`, or a part of one: what collectives are called with.
pub trait Symmetric<T: Elem>: sealed::Sealed<T> {
    /// Its offset and its length.
    #[doc(hidden)]
    fn extent(&self) -> (u64, usize);
}

macro_rules! symmetric {
    ($($name:ident: |$object:ident| $slice:expr;)*) => {$(
        impl<T: Elem> sealed::Sealed<T> for $name<'_, T> {}
        impl<T: Elem> Symmetric<T> for $name<'_, T> {
            fn extent(&self) -> (u64, usize) {
                let $object = self;
                ($slice.at.0, $slice.len)
            }
        }
    )*};
}

symmetric! {
    SymSlice: |object| object;
    SymPart: |object| object;
    SymBox: |object| object.0;
}

/// Bytes of the largest value that the calls on values take.
const VALUE: usize = 256;

/// Collective over the team: every PE of it calls, with the same arguments, on the same objects or the same parts of
/// them. PEs that differ in that end the job with a line that names both; so does a `dest` of the wrong length.
impl<L: Level> Team<'_, L> {
    /// Copies PE `root`'s elements of `object` to those of all others (`shmem_broadcast`).
    ///
    /// # Panics
    /// If there is no PE `root` in the team.
    pub fn broadcast<T: Elem>(&self, object: &mut impl Symmetric<T>, root: usize) {
        let (at, n) = object.extent();
        let root = self.root("broadcast", root);
        self.collective::<T, _>("Team::broadcast", (Kind::Broadcast, n, root.into()), [at, at], |group| {
            let object = self.own(at);
            let root = Root { rank: root, gets_it: false, goes_on: false };
            // SAFETY: API-R1, by its first meeting; source and target of every copy are parts of different PEs, since the
            // root keeps its own.
            unsafe { broadcast::broadcast::<T>(group, object, object, n, root) }
        });
    }

    /// Copies the elements of `src` of all PEs to `dest` on every PE, one PE's after the other's (`shmem_fcollect`):
    /// `dest` is as long as all of them.
    pub fn fcollect<T: Elem>(&self, dest: &mut impl Symmetric<T>, src: &impl Symmetric<T>) {
        let ((to, room), (from, n)) = (dest.extent(), src.extent());
        self.fits("fcollect", "dest", room, n.saturating_mul(self.n_pes()));
        self.collective::<T, _>("Team::fcollect", (Kind::Fcollect, n, 0), [to, from], |group| {
            if n > 0 && !fcollect::shows::<T>(group, n) {
                group.sync();
            }
            // SAFETY: API-R1, by the meeting; `dest` is long enough, and another object than `src`, by their borrows.
            unsafe { fcollect::fcollect::<T>(group, self.own(to), self.own(from), n) }
        });
    }

    /// As [`fcollect`](Self::fcollect), of sources that may have different lengths; how many elements they are
    /// together (`shmem_collect`). Neither need `src` be the same object on all PEs. What `dest` has beyond is left
    /// as it is.
    pub fn collect<T: Elem>(&self, dest: &mut impl Symmetric<T>, src: &impl Symmetric<T>) -> usize {
        let ((to, room), (from, n)) = (dest.extent(), src.extent());
        self.collective::<T, _>("Team::collect", (Kind::Gather, room, 0), [to, to], |group| {
            // SAFETY: API-R1, by its first meeting: nobody reads another's source; `dest` has that room, and is another
            // object than `src`, by their borrows.
            unsafe { collect::collect::<T>(group, (self.own(to), room), self.own(from), n) }
        })
    }

    /// Block `l` of PE `k`'s `src` becomes block `k` of PE `l`'s `dest` (`shmem_alltoall`): both are as many blocks of
    /// equal length as the team has PEs.
    pub fn alltoall<T: Elem>(&self, dest: &mut impl Symmetric<T>, src: &impl Symmetric<T>) {
        let n = src.extent().1 / self.n_pes();
        self.fits("alltoall", "src", src.extent().1, n * self.n_pes());
        self.fits("alltoall", "dest", dest.extent().1, n * self.n_pes());
        self.alltoalls(dest, 1, src, 1, n);
    }

    /// As [`alltoall`](Self::alltoall), of `n` elements between every two PEs, `dst` apart in `dest` and `sst` apart in
    /// `src` (`shmem_alltoalls`). What lies between is left as it is.
    ///
    /// # Panics
    /// If a stride is 0, or the elements do not lie in the objects.
    pub fn alltoalls<T: Elem>(
        &self,
        dest: &mut impl Symmetric<T>,
        dst: usize,
        src: &impl Symmetric<T>,
        sst: usize,
        n: usize,
    ) {
        let ((to, room), (from, len)) = (dest.extent(), src.extent());
        let all = n.saturating_mul(self.n_pes());
        for (name, stride, len) in [("dest", dst, room), ("src", sst, len)] {
            let extent = all.saturating_sub(1).saturating_mul(stride).saturating_add(all.min(1));
            if stride == 0 || extent > len || stride > u32::MAX as usize {
                let me = self.engine.me;
                panic!(
                    "PE {me}: Team::alltoall: {all} elements, {stride} apart, in a {name} of {len} elements"
                );
            }
        }
        let strides = (dst << 32 | sst) as u64;
        self.collective::<T, _>("Team::alltoall", (Kind::Alltoall, n, strides), [to, from], |group| {
            if n > 0 {
                group.sync();
            }
            let (to, from) = (self.own(to), self.own(from));
            if (dst, sst) == (1, 1) {
                // SAFETY: API-R1, by the meeting; all elements lie in the objects, which are different, by their borrows.
                unsafe { alltoall::alltoall::<T>(group, to, from, n) }
            } else {
                // SAFETY: as above.
                unsafe { alltoall::alltoalls::<T>(group, to, from, (dst, sst), n) }
            }
        });
    }

    /// `dest` becomes, element by element, what `op` makes of the sources of all PEs: [`Sum`],
    /// [`Prod`](crate::Prod), [`Min`](crate::Min), [`Max`](crate::Max), [`And`](crate::And), [`Or`](crate::Or) or
    /// [`Xor`](crate::Xor) (`shmem_sum_reduce` and so on). All PEs get the same bits; integers wrap.
    pub fn reduce<T: Elem, O: Operator<T>>(
        &self,
        op: O,
        dest: &mut impl Symmetric<T>,
        src: &impl Symmetric<T>,
    ) {
        self.reduction(op, dest.extent(), src.extent());
    }

    /// As [`reduce`](Self::reduce), of an object in place.
    pub fn reduce_in_place<T: Elem, O: Operator<T>>(&self, op: O, object: &mut impl Symmetric<T>) {
        self.reduction::<T, O>(op, object.extent(), object.extent());
    }

    /// `dest` becomes, element by element, the sum of the sources of the PEs up to and with this one
    /// (`shmem_sum_inscan`).
    pub fn inscan<T: Arith>(&self, dest: &mut impl Symmetric<T>, src: &impl Symmetric<T>) {
        self.scan::<T>("inscan", Own::In, dest.extent(), src.extent());
    }

    /// `dest` becomes, element by element, the sum of the sources of the PEs before this one, 0 on the first
    /// (`shmem_sum_exscan`).
    pub fn exscan<T: Arith>(&self, dest: &mut impl Symmetric<T>, src: &impl Symmetric<T>) {
        self.scan::<T>("exscan", Own::Out, dest.extent(), src.extent());
    }

    /// PE `root`'s value, on every PE. Of at most 256 bytes, as all values here.
    ///
    /// # Panics
    /// If there is no PE `root` in the team.
    pub fn broadcast_one<T: Elem>(&self, value: T, root: usize) -> T {
        let root = self.root("broadcast_one", root);
        self.values("Team::broadcast_one", (Kind::Broadcast, root.into()), value, |value| value(root))
    }

    /// The values of all PEs, by their numbers in the team.
    pub fn collect_one<T: Elem>(&self, value: T) -> Vec<T> {
        self.values("Team::collect_one", (Kind::Fcollect, 0), value, |value| {
            (0..self.members().size).map(value).collect()
        })
    }

    /// What `op` makes of the values of all PEs, in the order of their numbers: the same bits on every PE.
    pub fn reduce_one<T: Elem, O: Operator<T>>(&self, _op: O, value: T) -> T {
        self.values("Team::reduce_one", (Kind::Reduce, O::NAME), value, |value| {
            let first = value(0);
            (1..self.members().size).map(value).fold(first, O::apply)
        })
    }

    /// The sum of the values of the PEs up to and with this one.
    pub fn inscan_one<T: Arith>(&self, value: T) -> T {
        self.values("Team::inscan_one", (Kind::Scan, word("inscan")), value, |value| {
            let first = value(0);
            (1..=self.pe() as u32).map(value).fold(first, Sum::apply)
        })
    }

    /// The sum of the values of the PEs before this one, 0 on the first: where this PE's part begins, say.
    pub fn exscan_one<T: Arith>(&self, value: T) -> T {
        self.values("Team::exscan_one", (Kind::Scan, word("exscan")), value, |value| {
            (0..self.pe() as u32).map(value).reduce(Sum::apply).unwrap_or(T::ZERO)
        })
    }

    fn reduction<T: Elem, O: Operator<T>>(&self, _op: O, (to, room): (u64, usize), (from, n): (u64, usize)) {
        self.fits("reduce", "dest", room, n);
        self.collective::<T, _>("Team::reduce", (Kind::Reduce, n, O::NAME), [to, from], |group| {
            // SAFETY: API-R1, by its first meeting, before which it touches no other PE's object; the objects are as long,
            // and the same or different.
            unsafe { reduce::reduce::<T, O>(group, self.own(to), self.own(from), n) }
        });
    }

    fn scan<T: Arith>(&self, name: &str, own: Own, (to, room): (u64, usize), (from, n): (u64, usize)) {
        self.fits(name, "dest", room, n);
        self.collective::<T, _>("Team::scan", (Kind::Scan, n, word(name)), [to, from], |group| {
            // SAFETY: as in `reduction`.
            unsafe { scan::scan::<T>(group, self.own(to), self.own(from), n, own) }
        });
    }

    /// Runs a collective of `n` elements of `T`, on objects at the same offsets on all members.
    fn collective<T: Elem, R>(
        &self,
        call: &'static str,
        (kind, n, more): (Kind, usize, u64),
        objects: [u64; 2],
        body: impl FnOnce(&mut Group<'_, '_>) -> R,
    ) -> R {
        let agreed = Agreed::elements::<T>(n, more).at(objects);
        group::collective(Call::new(call), &self.engine, self.core(), (kind, &agreed), body)
    }

    /// Shows a value, and reads those of the others, by rank. No PE touches another's memory.
    fn values<T: Elem, R>(
        &self,
        call: &'static str,
        (kind, more): (Kind, u64),
        value: T,
        read: impl FnOnce(&mut dyn FnMut(u32) -> T) -> R,
    ) -> R {
        const { check_layout::<T>() };
        const { assert!(size_of::<T>() <= VALUE, "a value has 256 bytes at most; put it into an object") };
        let agreed = Agreed::elements::<T>(1, more);
        group::collective(Call::new(call), &self.engine, self.core(), (kind, &agreed), |group| {
            // SAFETY: a value of ours; the room is larger than any.
            unsafe { show(group, &raw const value, 1) };
            group.sync();
            let mut chunk = Chunk::new();
            read(&mut |rank| shown::<T>(group, rank, 1, &mut chunk)[0])
        })
    }

    /// Where an object is in this PE's heap.
    fn own<T>(&self, at: u64) -> *mut T {
        self.engine.address(memheap::Offset(at)).cast()
    }

    fn root(&self, call: &str, root: usize) -> u32 {
        if root >= self.n_pes() {
            let (me, last) = (self.engine.me, self.n_pes() - 1);
            panic!("PE {me}: Team::{call}: there is no PE {root}; the team has PEs 0 to {last}");
        }
        root as u32
    }

    fn fits(&self, call: &str, name: &str, len: usize, n: usize) {
        if len != n {
            let me = self.engine.me;
            panic!("PE {me}: Team::{call}: {name} has {len} elements; it must have {n}");
        }
    }
}
