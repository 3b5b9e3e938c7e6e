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
//! than until that PE leaves the call. A [`Group`] sees to it, since these objects are not ready
//! before (COLL-K1), and are the call's while they are borrowed for it (COLL-K5).

use crate::api::sym::{SymBox, SymPart, SymSlice};
use crate::api::team::Team;
use crate::coll::broadcast::Root;
use crate::coll::group;
use crate::coll::group::Group;
use crate::coll::object::{Dest, Source};
use crate::coll::ops::{Arith, Fold, Operator, Sum, fold};
use crate::coll::pieces::extent;
use crate::coll::scan::Own;
use crate::coll::{alltoall, broadcast, collect, fcollect, reduce, scan};
use crate::node::signature::Kind;
use crate::raw::Call;
use crate::types::elem::{Elem, check_layout};
use crate::types::thread_level::Level;
use crate::types::word::word;

mod sealed {
    use crate::coll::object::{Dest, Source};

    /// Of one type of elements: without it, a program could implement [`Symmetric`](super::Symmetric) of a type of its
    /// own for an object of other elements.
    pub trait Sealed<T> {
        #[doc(hidden)]
        fn dest(&mut self) -> Dest<'_, T>;
        #[doc(hidden)]
        fn source(&self) -> Source<'_, T>;
    }
}

/// A symmetric object of elements of `T`, or a part of one: what collectives are called with.
pub trait Symmetric<T: Elem>: sealed::Sealed<T> {}

macro_rules! symmetric {
    ($($name:ident: |$object:ident| $slice:expr;)*) => {$(
        impl<T: Elem> sealed::Sealed<T> for $name<'_, T> {
            fn dest(&mut self) -> Dest<'_, T> {
                let $object = self;
                $slice.as_dest()
            }
            fn source(&self) -> Source<'_, T> {
                let $object = self;
                $slice.as_source()
            }
        }
        impl<T: Elem> Symmetric<T> for $name<'_, T> {}
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
        let dest = object.dest();
        let (src, n) = (dest.in_place(), dest.len());
        let root = self.root("broadcast", root);
        self.collective("Team::broadcast", (Kind::Broadcast, n, root.into()), (dest, src), |group| {
            broadcast::broadcast(group, n, Root { rank: root, gets_it: false, goes_on: false })
        });
    }

    /// Copies the elements of `src` of all PEs to `dest` on every PE, one PE's after the other's (`shmem_fcollect`):
    /// `dest` is as long as all of them.
    pub fn fcollect<T: Elem>(&self, dest: &mut impl Symmetric<T>, src: &impl Symmetric<T>) {
        let (dest, src) = (dest.dest(), src.source());
        let n = src.len();
        self.fits("fcollect", "dest", dest.len(), n.saturating_mul(self.n_pes()));
        self.collective("Team::fcollect", (Kind::Fcollect, n, 0), (dest, src), |group| {
            fcollect::fcollect(group, n)
        });
    }

    /// As [`fcollect`](Self::fcollect), of sources that may have different lengths; how many elements they are
    /// together (`shmem_collect`). Neither need `src` be the same object on all PEs. What `dest` has beyond is left
    /// as it is.
    pub fn collect<T: Elem>(&self, dest: &mut impl Symmetric<T>, src: &impl Symmetric<T>) -> usize {
        let (dest, src) = (dest.dest(), src.source().of_this_pe());
        let room = dest.len();
        self.collective("Team::collect", (Kind::Gather, room, 0), (dest, src), |group| {
            collect::collect(group)
        })
    }

    /// Block `l` of PE `k`'s `src` becomes block `k` of PE `l`'s `dest` (`shmem_alltoall`): both are as many blocks of
    /// equal length as the team has PEs.
    pub fn alltoall<T: Elem>(&self, dest: &mut impl Symmetric<T>, src: &impl Symmetric<T>) {
        let (len, room) = (src.source().len(), dest.dest().len());
        let n = len / self.n_pes();
        self.fits("alltoall", "src", len, n * self.n_pes());
        self.fits("alltoall", "dest", room, n * self.n_pes());
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
        let (dest, src) = (dest.dest(), src.source());
        let all = n.saturating_mul(self.n_pes());
        for (name, stride, len) in [("dest", dst, dest.len()), ("src", sst, src.len())] {
            if stride == 0 || extent(all, stride) > len || stride > u32::MAX as usize {
                let me = self.engine.me;
                panic!(
                    "PE {me}: Team::alltoall: {all} elements, {stride} apart, in a {name} of {len} elements"
                );
            }
        }
        let (dest, strides) = (dest.first(extent(all, dst)), (dst << 32 | sst) as u64);
        self.collective("Team::alltoall", (Kind::Alltoall, n, strides), (dest, src), |group| {
            match (dst, sst) {
                (1, 1) => alltoall::alltoall(group, n),
                strides => alltoall::alltoalls(group, strides, n),
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
        self.reduction(op, dest.dest(), src.source());
    }

    /// As [`reduce`](Self::reduce), of an object in place.
    pub fn reduce_in_place<T: Elem, O: Operator<T>>(&self, op: O, object: &mut impl Symmetric<T>) {
        let dest = object.dest();
        let src = dest.in_place();
        self.reduction(op, dest, src);
    }

    /// `dest` becomes, element by element, the sum of the sources of the PEs up to and with this one
    /// (`shmem_sum_inscan`).
    pub fn inscan<T: Arith>(&self, dest: &mut impl Symmetric<T>, src: &impl Symmetric<T>) {
        self.scan("inscan", Own::In, dest.dest(), src.source());
    }

    /// `dest` becomes, element by element, the sum of the sources of the PEs before this one, 0 on the first
    /// (`shmem_sum_exscan`).
    pub fn exscan<T: Arith>(&self, dest: &mut impl Symmetric<T>, src: &impl Symmetric<T>) {
        self.scan("exscan", Own::Out, dest.dest(), src.source());
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

    fn reduction<T: Elem, O: Operator<T>>(&self, _op: O, dest: Dest<'_, T>, src: Source<'_, T>) {
        self.reduction_by(dest, src, O::NAME, fold::<T, O>);
    }

    fn reduction_by<T: Elem>(&self, dest: Dest<'_, T>, src: Source<'_, T>, operator: u64, fold: Fold<T>) {
        let n = src.len();
        self.fits("reduce", "dest", dest.len(), n);
        self.collective("Team::reduce", (Kind::Reduce, n, operator), (dest, src), |group| {
            reduce::reduce(group, n, fold)
        });
    }

    fn scan<T: Arith>(&self, name: &str, own: Own, dest: Dest<'_, T>, src: Source<'_, T>) {
        let n = src.len();
        self.fits(name, "dest", dest.len(), n);
        self.collective("Team::scan", (Kind::Scan, n, word(name)), (dest, src), |group| {
            scan::scan(group, n, own)
        });
    }

    /// Runs a collective of `n` elements of `T`, on objects at the same offsets on all members.
    fn collective<T: Elem, R>(
        &self,
        call: &'static str,
        agreed: (Kind, usize, u64),
        objects: (Dest<'_, T>, Source<'_, T>),
        body: impl FnOnce(&mut Group<'_, '_, T>) -> R,
    ) -> R {
        group::collective(Call::new(call), &self.engine, self.core(), agreed, objects, body)
    }

    /// Shows a value, and reads those of the others, by rank. No PE touches another's memory.
    fn values<T: Elem, R>(
        &self,
        call: &'static str,
        agreed: (Kind, u64),
        value: T,
        read: impl FnOnce(&mut dyn FnMut(u32) -> T) -> R,
    ) -> R {
        const { check_layout::<T>() };
        const { assert!(size_of::<T>() <= VALUE, "a value has 256 bytes at most; put it into an object") };
        group::values(Call::new(call), &self.engine, self.core(), agreed, value, read)
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
