//! Waits and tests (OpenSHMEM 1.6, 9.12), for the types of the standard and, as it had it before 1.5, for short.

use std::ffi::c_int;

use shmem_api::raw::ops;
use shmem_api::type_table;

type_table!(p2p_dep => typed, {
    wait_until(call, ivar: *mut T, cmp: c_int, value: T) = ops::wait_until(call, ivar, call.comparison(cmp), value);
    wait_until_all(call, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, value: T)
        = ops::wait_until_all(call, ivars, nelems, status, call.comparison(cmp), value);
    wait_until_any(call, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, value: T) -> usize
        = ops::wait_until_any(call, ivars, nelems, status, call.comparison(cmp), value);
    wait_until_some(
        call, ivars: *mut T, nelems: usize, indices: *mut usize, status: *const c_int, cmp: c_int, value: T
    ) -> usize
        = ops::wait_until_some(call, ivars, nelems, indices, status, call.comparison(cmp), value);
    wait_until_all_vector(call, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, values: *const T)
        = ops::wait_until_all_vector(call, ivars, nelems, status, call.comparison(cmp), values);
    wait_until_any_vector(
        call, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, values: *const T
    ) -> usize
        = ops::wait_until_any_vector(call, ivars, nelems, status, call.comparison(cmp), values);
    wait_until_some_vector(
        call, ivars: *mut T, nelems: usize, indices: *mut usize, status: *const c_int, cmp: c_int, values: *const T
    ) -> usize
        = ops::wait_until_some_vector(call, ivars, nelems, indices, status, call.comparison(cmp), values);
    test(call, ivar: *mut T, cmp: c_int, value: T) -> c_int
        = ops::test(call, ivar, call.comparison(cmp), value).into();
    test_all(call, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, value: T) -> c_int
        = ops::test_all(call, ivars, nelems, status, call.comparison(cmp), value).into();
    test_any(call, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, value: T) -> usize
        = ops::test_any(call, ivars, nelems, status, call.comparison(cmp), value);
    test_some(
        call, ivars: *mut T, nelems: usize, indices: *mut usize, status: *const c_int, cmp: c_int, value: T
    ) -> usize
        = ops::test_some(call, ivars, nelems, indices, status, call.comparison(cmp), value);
    test_all_vector(
        call, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, values: *const T
    ) -> c_int
        = ops::test_all_vector(call, ivars, nelems, status, call.comparison(cmp), values).into();
    test_any_vector(
        call, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, values: *const T
    ) -> usize
        = ops::test_any_vector(call, ivars, nelems, status, call.comparison(cmp), values);
    test_some_vector(
        call, ivars: *mut T, nelems: usize, indices: *mut usize, status: *const c_int, cmp: c_int, values: *const T
    ) -> usize
        = ops::test_some_vector(call, ivars, nelems, indices, status, call.comparison(cmp), values);
});

// Deprecated: the wait until a variable is no longer `value`.
type_table!(wait_dep => typed, {
    wait(call, ivar: *mut T, value: T) = ops::wait(call, ivar, value);
});

plain! {
    wait(call, ivar: *mut i64, value: i64) = ops::wait(call, ivar, value);
    wait_until(call, ivar: *mut i64, cmp: c_int, value: i64) = ops::wait_until(call, ivar, call.comparison(cmp), value);
    signal_wait_until(call, sig_addr: *mut u64, cmp: c_int, value: u64) -> u64
        = ops::signal_wait_until(call, sig_addr, call.comparison(cmp), value);
}
