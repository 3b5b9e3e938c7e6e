//! Collectives on teams (OpenSHMEM 1.6, 9.11); reductions on bits for the signed types as well, as 1.5 had it.

use std::ffi::{c_int, c_void};

use shmem_api::raw::{TeamHandle, ops};
use shmem_api::type_table;

type_table!(rma => typed, {
    alltoall(via, team: TeamHandle, dest: *mut T, source: *const T, nelems: usize) -> c_int
        = ops::alltoall(via, team, dest, source, nelems);
    alltoalls(via, team: TeamHandle, dest: *mut T, source: *const T, dst: isize, sst: isize, nelems: usize) -> c_int
        = ops::alltoalls(via, team, dest, source, dst, sst, nelems);
    broadcast(via, team: TeamHandle, dest: *mut T, source: *const T, nelems: usize, root: c_int) -> c_int
        = ops::broadcast(via, team, dest, source, nelems, root);
    collect(via, team: TeamHandle, dest: *mut T, source: *const T, nelems: usize) -> c_int
        = ops::collect(via, team, dest, source, nelems);
    fcollect(via, team: TeamHandle, dest: *mut T, source: *const T, nelems: usize) -> c_int
        = ops::fcollect(via, team, dest, source, nelems);
});

plain! {
    alltoallmem(via, team: TeamHandle, dest: *mut c_void, source: *const c_void, nelems: usize) -> c_int
        = ops::alltoallmem(via, team, dest.cast(), source.cast(), nelems);
    alltoallsmem(
        via, team: TeamHandle, dest: *mut c_void, source: *const c_void, dst: isize, sst: isize, nelems: usize
    ) -> c_int = ops::alltoallsmem(via, team, dest.cast(), source.cast(), dst, sst, nelems);
    broadcastmem(
        via, team: TeamHandle, dest: *mut c_void, source: *const c_void, nelems: usize, root: c_int
    ) -> c_int = ops::broadcastmem(via, team, dest.cast(), source.cast(), nelems, root);
    collectmem(via, team: TeamHandle, dest: *mut c_void, source: *const c_void, nelems: usize) -> c_int
        = ops::collectmem(via, team, dest.cast(), source.cast(), nelems);
    fcollectmem(via, team: TeamHandle, dest: *mut c_void, source: *const c_void, nelems: usize) -> c_int
        = ops::fcollectmem(via, team, dest.cast(), source.cast(), nelems);
}

macro_rules! bitwise {
    ($types:tt) => {
        typed! { $types {
            and_reduce(via, team: TeamHandle, dest: *mut T, source: *const T, nreduce: usize) -> c_int
                = ops::and_reduce(via, team, dest, source, nreduce);
            or_reduce(via, team: TeamHandle, dest: *mut T, source: *const T, nreduce: usize) -> c_int
                = ops::or_reduce(via, team, dest, source, nreduce);
            xor_reduce(via, team: TeamHandle, dest: *mut T, source: *const T, nreduce: usize) -> c_int
                = ops::xor_reduce(via, team, dest, source, nreduce);
        } }
    };
}
type_table!(red_bitwise => bitwise);
type_table!(aset_bitwise => bitwise);

type_table!(red_minmax => typed, {
    max_reduce(via, team: TeamHandle, dest: *mut T, source: *const T, nreduce: usize) -> c_int
        = ops::max_reduce(via, team, dest, source, nreduce);
    min_reduce(via, team: TeamHandle, dest: *mut T, source: *const T, nreduce: usize) -> c_int
        = ops::min_reduce(via, team, dest, source, nreduce);
});

type_table!(red_arith => typed, {
    sum_reduce(via, team: TeamHandle, dest: *mut T, source: *const T, nreduce: usize) -> c_int
        = ops::sum_reduce(via, team, dest, source, nreduce);
    prod_reduce(via, team: TeamHandle, dest: *mut T, source: *const T, nreduce: usize) -> c_int
        = ops::prod_reduce(via, team, dest, source, nreduce);
    sum_inscan(via, team: TeamHandle, dest: *mut T, source: *const T, nelems: usize) -> c_int
        = ops::sum_inscan(via, team, dest, source, nelems);
    sum_exscan(via, team: TeamHandle, dest: *mut T, source: *const T, nelems: usize) -> c_int
        = ops::sum_exscan(via, team, dest, source, nelems);
});
