//! Atomics (OpenSHMEM 1.6, 9.8), and the same by their names of before 1.4, for all types of today's.

use std::ffi::c_int;

use shmem_api::raw::ops;
use shmem_api::type_table;

type_table!(amo_std => typed_on_ctx, {
    atomic_compare_swap(via, dest: *mut T, cond: T, value: T, pe: c_int) -> T
        = ops::atomic_compare_swap(via, dest, cond, value, pe);
    atomic_fetch_inc(via, dest: *mut T, pe: c_int) -> T = ops::atomic_fetch_inc(via, dest, pe);
    atomic_inc(via, dest: *mut T, pe: c_int) = ops::atomic_inc(via, dest, pe);
    atomic_fetch_add(via, dest: *mut T, value: T, pe: c_int) -> T = ops::atomic_fetch_add(via, dest, value, pe);
    atomic_add(via, dest: *mut T, value: T, pe: c_int) = ops::atomic_add(via, dest, value, pe);
    atomic_compare_swap_nbi(via, fetch: *mut T, dest: *mut T, cond: T, value: T, pe: c_int)
        = ops::atomic_compare_swap_nbi(via, fetch, dest, cond, value, pe);
    atomic_fetch_inc_nbi(via, fetch: *mut T, dest: *mut T, pe: c_int)
        = ops::atomic_fetch_inc_nbi(via, fetch, dest, pe);
    atomic_fetch_add_nbi(via, fetch: *mut T, dest: *mut T, value: T, pe: c_int)
        = ops::atomic_fetch_add_nbi(via, fetch, dest, value, pe);
});

type_table!(amo_ext => typed_on_ctx, {
    atomic_fetch(via, source: *const T, pe: c_int) -> T = ops::atomic_fetch(via, source, pe);
    atomic_set(via, dest: *mut T, value: T, pe: c_int) = ops::atomic_set(via, dest, value, pe);
    atomic_swap(via, dest: *mut T, value: T, pe: c_int) -> T = ops::atomic_swap(via, dest, value, pe);
    atomic_fetch_nbi(via, fetch: *mut T, source: *const T, pe: c_int)
        = ops::atomic_fetch_nbi(via, fetch, source, pe);
    atomic_swap_nbi(via, fetch: *mut T, dest: *mut T, value: T, pe: c_int)
        = ops::atomic_swap_nbi(via, fetch, dest, value, pe);
});

type_table!(amo_bit => typed_on_ctx, {
    atomic_and(via, dest: *mut T, value: T, pe: c_int) = ops::atomic_and(via, dest, value, pe);
    atomic_or(via, dest: *mut T, value: T, pe: c_int) = ops::atomic_or(via, dest, value, pe);
    atomic_xor(via, dest: *mut T, value: T, pe: c_int) = ops::atomic_xor(via, dest, value, pe);
    atomic_fetch_and(via, dest: *mut T, value: T, pe: c_int) -> T = ops::atomic_fetch_and(via, dest, value, pe);
    atomic_fetch_or(via, dest: *mut T, value: T, pe: c_int) -> T = ops::atomic_fetch_or(via, dest, value, pe);
    atomic_fetch_xor(via, dest: *mut T, value: T, pe: c_int) -> T = ops::atomic_fetch_xor(via, dest, value, pe);
    atomic_fetch_and_nbi(via, fetch: *mut T, dest: *mut T, value: T, pe: c_int)
        = ops::atomic_fetch_and_nbi(via, fetch, dest, value, pe);
    atomic_fetch_or_nbi(via, fetch: *mut T, dest: *mut T, value: T, pe: c_int)
        = ops::atomic_fetch_or_nbi(via, fetch, dest, value, pe);
    atomic_fetch_xor_nbi(via, fetch: *mut T, dest: *mut T, value: T, pe: c_int)
        = ops::atomic_fetch_xor_nbi(via, fetch, dest, value, pe);
});

type_table!(amo_std => typed, {
    add(via, dest: *mut T, value: T, pe: c_int) = ops::atomic_add(via, dest, value, pe);
    cswap(via, dest: *mut T, cond: T, value: T, pe: c_int) -> T
        = ops::atomic_compare_swap(via, dest, cond, value, pe);
    fadd(via, dest: *mut T, value: T, pe: c_int) -> T = ops::atomic_fetch_add(via, dest, value, pe);
    finc(via, dest: *mut T, pe: c_int) -> T = ops::atomic_fetch_inc(via, dest, pe);
    inc(via, dest: *mut T, pe: c_int) = ops::atomic_inc(via, dest, pe);
});

type_table!(amo_ext => typed, {
    fetch(via, source: *const T, pe: c_int) -> T = ops::atomic_fetch(via, source, pe);
    set(via, dest: *mut T, value: T, pe: c_int) = ops::atomic_set(via, dest, value, pe);
    swap(via, dest: *mut T, value: T, pe: c_int) -> T = ops::atomic_swap(via, dest, value, pe);
});
