//! Collectives on active sets (deprecated since OpenSHMEM 1.5, and called by most programs).

use std::ffi::{c_int, c_long};

use shmem_api::raw::active_set::ops;
use shmem_api::type_table;

plain! {
    barrier(call, start: c_int, log_stride: c_int, size: c_int, psync: *mut c_long)
        = ops::barrier(call, start, log_stride, size, psync);
    sync(call, start: c_int, log_stride: c_int, size: c_int, psync: *mut c_long)
        = ops::sync(call, start, log_stride, size, psync);
}

sized! { [32 64] {
    alltoall(
        call, dest: *mut T, source: *const T, nelems: usize, start: c_int, log_stride: c_int, size: c_int,
        psync: *mut c_long
    ) = ops::alltoall(call, dest, source, nelems, start, log_stride, size, psync);
    alltoalls(
        call, dest: *mut T, source: *const T, dst: isize, sst: isize, nelems: usize, start: c_int,
        log_stride: c_int, size: c_int, psync: *mut c_long
    ) = ops::alltoalls(call, dest, source, dst, sst, nelems, start, log_stride, size, psync);
    broadcast(
        call, dest: *mut T, source: *const T, nelems: usize, root: c_int, start: c_int, log_stride: c_int,
        size: c_int, psync: *mut c_long
    ) = ops::broadcast(call, dest, source, nelems, root, start, log_stride, size, psync);
    collect(
        call, dest: *mut T, source: *const T, nelems: usize, start: c_int, log_stride: c_int, size: c_int,
        psync: *mut c_long
    ) = ops::collect(call, dest, source, nelems, start, log_stride, size, psync);
    fcollect(
        call, dest: *mut T, source: *const T, nelems: usize, start: c_int, log_stride: c_int, size: c_int,
        psync: *mut c_long
    ) = ops::fcollect(call, dest, source, nelems, start, log_stride, size, psync);
} }

/// The reductions of one table.
macro_rules! to_all {
    ($types:tt $($name:ident)*) => { typed! { $types { $(
        $name(
            call, dest: *mut T, source: *const T, nreduce: c_int, start: c_int, log_stride: c_int, size: c_int,
            work: *mut T, psync: *mut c_long
        ) = ops::$name(call, dest, source, nreduce, start, log_stride, size, work, psync);
    )* } } };
}
type_table!(aset_bitwise => to_all, and_to_all or_to_all xor_to_all);
type_table!(aset_minmax => to_all, max_to_all min_to_all);
type_table!(aset_arith => to_all, sum_to_all prod_to_all);
