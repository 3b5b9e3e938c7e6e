//! Put and get (OpenSHMEM 1.6, 9.6 and 9.7).

use std::ffi::{c_int, c_void};

use shmem_api::raw::ops;
use shmem_api::type_table;

type_table!(rma => typed_on_ctx, {
    put(via, dest: *mut T, source: *const T, nelems: usize, pe: c_int) = ops::put(via, dest, source, nelems, pe);
    get(via, dest: *mut T, source: *const T, nelems: usize, pe: c_int) = ops::get(via, dest, source, nelems, pe);
    iput(via, dest: *mut T, source: *const T, dst: isize, sst: isize, nelems: usize, pe: c_int)
        = ops::iput(via, dest, source, dst, sst, nelems, pe);
    iget(via, dest: *mut T, source: *const T, dst: isize, sst: isize, nelems: usize, pe: c_int)
        = ops::iget(via, dest, source, dst, sst, nelems, pe);
    ibput(via, dest: *mut T, source: *const T, dst: isize, sst: isize, bsize: usize, nblocks: usize, pe: c_int)
        = ops::ibput(via, dest, source, dst, sst, bsize, nblocks, pe);
    ibget(via, dest: *mut T, source: *const T, dst: isize, sst: isize, bsize: usize, nblocks: usize, pe: c_int)
        = ops::ibget(via, dest, source, dst, sst, bsize, nblocks, pe);
    put_nbi(via, dest: *mut T, source: *const T, nelems: usize, pe: c_int)
        = ops::put_nbi(via, dest, source, nelems, pe);
    get_nbi(via, dest: *mut T, source: *const T, nelems: usize, pe: c_int)
        = ops::get_nbi(via, dest, source, nelems, pe);
});

type_table!(sizes => sized_on_ctx, {
    put(via, dest: *mut T, source: *const T, nelems: usize, pe: c_int) = ops::put(via, dest, source, nelems, pe);
    get(via, dest: *mut T, source: *const T, nelems: usize, pe: c_int) = ops::get(via, dest, source, nelems, pe);
    iput(via, dest: *mut T, source: *const T, dst: isize, sst: isize, nelems: usize, pe: c_int)
        = ops::iput(via, dest, source, dst, sst, nelems, pe);
    iget(via, dest: *mut T, source: *const T, dst: isize, sst: isize, nelems: usize, pe: c_int)
        = ops::iget(via, dest, source, dst, sst, nelems, pe);
    ibput(via, dest: *mut T, source: *const T, dst: isize, sst: isize, bsize: usize, nblocks: usize, pe: c_int)
        = ops::ibput(via, dest, source, dst, sst, bsize, nblocks, pe);
    ibget(via, dest: *mut T, source: *const T, dst: isize, sst: isize, bsize: usize, nblocks: usize, pe: c_int)
        = ops::ibget(via, dest, source, dst, sst, bsize, nblocks, pe);
    put[_nbi](via, dest: *mut T, source: *const T, nelems: usize, pe: c_int)
        = ops::put_nbi(via, dest, source, nelems, pe);
    get[_nbi](via, dest: *mut T, source: *const T, nelems: usize, pe: c_int)
        = ops::get_nbi(via, dest, source, nelems, pe);
});

plain_on_ctx! {
    putmem(via, dest: *mut c_void, source: *const c_void, nelems: usize, pe: c_int)
        = ops::putmem(via, dest.cast(), source.cast(), nelems, pe);
    getmem(via, dest: *mut c_void, source: *const c_void, nelems: usize, pe: c_int)
        = ops::getmem(via, dest.cast(), source.cast(), nelems, pe);
    putmem_nbi(via, dest: *mut c_void, source: *const c_void, nelems: usize, pe: c_int)
        = ops::putmem_nbi(via, dest.cast(), source.cast(), nelems, pe);
    getmem_nbi(via, dest: *mut c_void, source: *const c_void, nelems: usize, pe: c_int)
        = ops::getmem_nbi(via, dest.cast(), source.cast(), nelems, pe);
}

/// The routines that pass an element by value; `long double` goes another way (see `longdouble`).
macro_rules! by_value {
    ([$($t:tt)*]) => { $( by_value!(@one $t); )* };
    (@one longdouble) => {};
    (@one $t:tt) => { typed_on_ctx! { [$t] {
        p(via, dest: *mut T, value: T, pe: c_int) = ops::p(via, dest, value, pe);
        g(via, source: *const T, pe: c_int) -> T = ops::g(via, source, pe);
    } } };
}
type_table!(rma => by_value);
