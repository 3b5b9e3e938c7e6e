//! Collectives on teams (OpenSHMEM 1.6, 9.11); reductions on bits for the signed types as well, as 1.5 had it.

use std::ffi::{c_int, c_void};

use shmem_api::raw::{TeamHandle, ops};
use shmem_api::type_table;

type_table!(rma => typed, {
    alltoall(call, team: TeamHandle, dest: *mut T, source: *const T, nelems: usize) -> c_int
        = ops::alltoall(call, team, dest, source, nelems);
    alltoalls(call, team: TeamHandle, dest: *mut T, source: *const T, dst: isize, sst: isize, nelems: usize) -> c_int
        = ops::alltoalls(call, team, dest, source, dst, sst, nelems);
    broadcast(call, team: TeamHandle, dest: *mut T, source: *const T, nelems: usize, root: c_int) -> c_int
        = ops::broadcast(call, team, dest, source, nelems, root);
    collect(call, team: TeamHandle, dest: *mut T, source: *const T, nelems: usize) -> c_int
        = ops::collect(call, team, dest, source, nelems);
    fcollect(call, team: TeamHandle, dest: *mut T, source: *const T, nelems: usize) -> c_int
        = ops::fcollect(call, team, dest, source, nelems);
});

plain! {
    alltoallmem(call, team: TeamHandle, dest: *mut c_void, source: *const c_void, nelems: usize) -> c_int
        = ops::alltoallmem(call, team, dest.cast(), source.cast(), nelems);
    alltoallsmem(
        call, team: TeamHandle, dest: *mut c_void, source: *const c_void, dst: isize, sst: isize, nelems: usize
    ) -> c_int = ops::alltoallsmem(call, team, dest.cast(), source.cast(), dst, sst, nelems);
    broadcastmem(
        call, team: TeamHandle, dest: *mut c_void, source: *const c_void, nelems: usize, root: c_int
    ) -> c_int = ops::broadcastmem(call, team, dest.cast(), source.cast(), nelems, root);
    collectmem(call, team: TeamHandle, dest: *mut c_void, source: *const c_void, nelems: usize) -> c_int
        = ops::collectmem(call, team, dest.cast(), source.cast(), nelems);
    fcollectmem(call, team: TeamHandle, dest: *mut c_void, source: *const c_void, nelems: usize) -> c_int
        = ops::fcollectmem(call, team, dest.cast(), source.cast(), nelems);
}

macro_rules! bitwise {
    ($types:tt) => {
        typed! { $types {
            and_reduce(call, team: TeamHandle, dest: *mut T, source: *const T, nreduce: usize) -> c_int
                = ops::and_reduce(call, team, dest, source, nreduce);
            or_reduce(call, team: TeamHandle, dest: *mut T, source: *const T, nreduce: usize) -> c_int
                = ops::or_reduce(call, team, dest, source, nreduce);
            xor_reduce(call, team: TeamHandle, dest: *mut T, source: *const T, nreduce: usize) -> c_int
                = ops::xor_reduce(call, team, dest, source, nreduce);
        } }
    };
}
type_table!(red_bitwise => bitwise);
type_table!(aset_bitwise => bitwise);

type_table!(red_minmax => typed, {
    max_reduce(call, team: TeamHandle, dest: *mut T, source: *const T, nreduce: usize) -> c_int
        = ops::max_reduce(call, team, dest, source, nreduce);
    min_reduce(call, team: TeamHandle, dest: *mut T, source: *const T, nreduce: usize) -> c_int
        = ops::min_reduce(call, team, dest, source, nreduce);
});

type_table!(red_arith => typed, {
    sum_reduce(call, team: TeamHandle, dest: *mut T, source: *const T, nreduce: usize) -> c_int
        = ops::sum_reduce(call, team, dest, source, nreduce);
    prod_reduce(call, team: TeamHandle, dest: *mut T, source: *const T, nreduce: usize) -> c_int
        = ops::prod_reduce(call, team, dest, source, nreduce);
    sum_inscan(call, team: TeamHandle, dest: *mut T, source: *const T, nelems: usize) -> c_int
        = ops::sum_inscan(call, team, dest, source, nelems);
    sum_exscan(call, team: TeamHandle, dest: *mut T, source: *const T, nelems: usize) -> c_int
        = ops::sum_exscan(call, team, dest, source, nelems);
});
