//! Put and get (OpenSHMEM 1.6, 9.6 and 9.7).

use std::ffi::{c_int, c_void};

use shmem_api::raw::ops;
use shmem_api::type_table;

type_table!(rma => typed_on_ctx, {
    put(call, dest: *mut T, source: *const T, nelems: usize, pe: c_int) = ops::put(call, dest, source, nelems, pe);
    get(call, dest: *mut T, source: *const T, nelems: usize, pe: c_int) = ops::get(call, dest, source, nelems, pe);
    iput(call, dest: *mut T, source: *const T, dst: isize, sst: isize, nelems: usize, pe: c_int)
        = ops::iput(call, dest, source, dst, sst, nelems, pe);
    iget(call, dest: *mut T, source: *const T, dst: isize, sst: isize, nelems: usize, pe: c_int)
        = ops::iget(call, dest, source, dst, sst, nelems, pe);
    ibput(call, dest: *mut T, source: *const T, dst: isize, sst: isize, bsize: usize, nblocks: usize, pe: c_int)
        = ops::ibput(call, dest, source, dst, sst, bsize, nblocks, pe);
    ibget(call, dest: *mut T, source: *const T, dst: isize, sst: isize, bsize: usize, nblocks: usize, pe: c_int)
        = ops::ibget(call, dest, source, dst, sst, bsize, nblocks, pe);
    put_nbi(call, dest: *mut T, source: *const T, nelems: usize, pe: c_int)
        = ops::put_nbi(call, dest, source, nelems, pe);
    get_nbi(call, dest: *mut T, source: *const T, nelems: usize, pe: c_int)
        = ops::get_nbi(call, dest, source, nelems, pe);
});

type_table!(sizes => sized_on_ctx, {
    put(call, dest: *mut T, source: *const T, nelems: usize, pe: c_int) = ops::put(call, dest, source, nelems, pe);
    get(call, dest: *mut T, source: *const T, nelems: usize, pe: c_int) = ops::get(call, dest, source, nelems, pe);
    iput(call, dest: *mut T, source: *const T, dst: isize, sst: isize, nelems: usize, pe: c_int)
        = ops::iput(call, dest, source, dst, sst, nelems, pe);
    iget(call, dest: *mut T, source: *const T, dst: isize, sst: isize, nelems: usize, pe: c_int)
        = ops::iget(call, dest, source, dst, sst, nelems, pe);
    ibput(call, dest: *mut T, source: *const T, dst: isize, sst: isize, bsize: usize, nblocks: usize, pe: c_int)
        = ops::ibput(call, dest, source, dst, sst, bsize, nblocks, pe);
    ibget(call, dest: *mut T, source: *const T, dst: isize, sst: isize, bsize: usize, nblocks: usize, pe: c_int)
        = ops::ibget(call, dest, source, dst, sst, bsize, nblocks, pe);
    put[_nbi](call, dest: *mut T, source: *const T, nelems: usize, pe: c_int)
        = ops::put_nbi(call, dest, source, nelems, pe);
    get[_nbi](call, dest: *mut T, source: *const T, nelems: usize, pe: c_int)
        = ops::get_nbi(call, dest, source, nelems, pe);
});

plain_on_ctx! {
    putmem(call, dest: *mut c_void, source: *const c_void, nelems: usize, pe: c_int)
        = ops::putmem(call, dest.cast(), source.cast(), nelems, pe);
    getmem(call, dest: *mut c_void, source: *const c_void, nelems: usize, pe: c_int)
        = ops::getmem(call, dest.cast(), source.cast(), nelems, pe);
    putmem_nbi(call, dest: *mut c_void, source: *const c_void, nelems: usize, pe: c_int)
        = ops::putmem_nbi(call, dest.cast(), source.cast(), nelems, pe);
    getmem_nbi(call, dest: *mut c_void, source: *const c_void, nelems: usize, pe: c_int)
        = ops::getmem_nbi(call, dest.cast(), source.cast(), nelems, pe);
}

/// The routines that pass an element by value; `long double` goes another way (see `longdouble`).
macro_rules! by_value {
    ([$($t:tt)*]) => { $( by_value!(@one $t); )* };
    (@one longdouble) => {};
    (@one $t:tt) => { typed_on_ctx! { [$t] {
        p(call, dest: *mut T, value: T, pe: c_int) = ops::p(call, dest, value, pe);
        g(call, source: *const T, pe: c_int) -> T = ops::g(call, source, pe);
    } } };
}
type_table!(rma => by_value);
