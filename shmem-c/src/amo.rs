//! Atomics (OpenSHMEM 1.6, 9.8), and the same by their names of before 1.4, for all types of today's.

use std::ffi::c_int;

use shmem_api::raw::ops;
use shmem_api::type_table;

type_table!(amo_std => typed_on_ctx, {
    atomic_compare_swap(call, dest: *mut T, cond: T, value: T, pe: c_int) -> T
        = ops::atomic_compare_swap(call, dest, cond, value, pe);
    atomic_fetch_inc(call, dest: *mut T, pe: c_int) -> T = ops::atomic_fetch_inc(call, dest, pe);
    atomic_inc(call, dest: *mut T, pe: c_int) = ops::atomic_inc(call, dest, pe);
    atomic_fetch_add(call, dest: *mut T, value: T, pe: c_int) -> T = ops::atomic_fetch_add(call, dest, value, pe);
    atomic_add(call, dest: *mut T, value: T, pe: c_int) = ops::atomic_add(call, dest, value, pe);
    atomic_compare_swap_nbi(call, fetch: *mut T, dest: *mut T, cond: T, value: T, pe: c_int)
        = ops::atomic_compare_swap_nbi(call, fetch, dest, cond, value, pe);
    atomic_fetch_inc_nbi(call, fetch: *mut T, dest: *mut T, pe: c_int)
        = ops::atomic_fetch_inc_nbi(call, fetch, dest, pe);
    atomic_fetch_add_nbi(call, fetch: *mut T, dest: *mut T, value: T, pe: c_int)
        = ops::atomic_fetch_add_nbi(call, fetch, dest, value, pe);
});

type_table!(amo_ext => typed_on_ctx, {
    atomic_fetch(call, source: *const T, pe: c_int) -> T = ops::atomic_fetch(call, source, pe);
    atomic_set(call, dest: *mut T, value: T, pe: c_int) = ops::atomic_set(call, dest, value, pe);
    atomic_swap(call, dest: *mut T, value: T, pe: c_int) -> T = ops::atomic_swap(call, dest, value, pe);
    atomic_fetch_nbi(call, fetch: *mut T, source: *const T, pe: c_int)
        = ops::atomic_fetch_nbi(call, fetch, source, pe);
    atomic_swap_nbi(call, fetch: *mut T, dest: *mut T, value: T, pe: c_int)
        = ops::atomic_swap_nbi(call, fetch, dest, value, pe);
});

type_table!(amo_bit => typed_on_ctx, {
    atomic_and(call, dest: *mut T, value: T, pe: c_int) = ops::atomic_and(call, dest, value, pe);
    atomic_or(call, dest: *mut T, value: T, pe: c_int) = ops::atomic_or(call, dest, value, pe);
    atomic_xor(call, dest: *mut T, value: T, pe: c_int) = ops::atomic_xor(call, dest, value, pe);
    atomic_fetch_and(call, dest: *mut T, value: T, pe: c_int) -> T = ops::atomic_fetch_and(call, dest, value, pe);
    atomic_fetch_or(call, dest: *mut T, value: T, pe: c_int) -> T = ops::atomic_fetch_or(call, dest, value, pe);
    atomic_fetch_xor(call, dest: *mut T, value: T, pe: c_int) -> T = ops::atomic_fetch_xor(call, dest, value, pe);
    atomic_fetch_and_nbi(call, fetch: *mut T, dest: *mut T, value: T, pe: c_int)
        = ops::atomic_fetch_and_nbi(call, fetch, dest, value, pe);
    atomic_fetch_or_nbi(call, fetch: *mut T, dest: *mut T, value: T, pe: c_int)
        = ops::atomic_fetch_or_nbi(call, fetch, dest, value, pe);
    atomic_fetch_xor_nbi(call, fetch: *mut T, dest: *mut T, value: T, pe: c_int)
        = ops::atomic_fetch_xor_nbi(call, fetch, dest, value, pe);
});

type_table!(amo_std => typed, {
    add(call, dest: *mut T, value: T, pe: c_int) = ops::atomic_add(call, dest, value, pe);
    cswap(call, dest: *mut T, cond: T, value: T, pe: c_int) -> T
        = ops::atomic_compare_swap(call, dest, cond, value, pe);
    fadd(call, dest: *mut T, value: T, pe: c_int) -> T = ops::atomic_fetch_add(call, dest, value, pe);
    finc(call, dest: *mut T, pe: c_int) -> T = ops::atomic_fetch_inc(call, dest, pe);
    inc(call, dest: *mut T, pe: c_int) = ops::atomic_inc(call, dest, pe);
});

type_table!(amo_ext => typed, {
    fetch(call, source: *const T, pe: c_int) -> T = ops::atomic_fetch(call, source, pe);
    set(call, dest: *mut T, value: T, pe: c_int) = ops::atomic_set(call, dest, value, pe);
    swap(call, dest: *mut T, value: T, pe: c_int) -> T = ops::atomic_swap(call, dest, value, pe);
});
