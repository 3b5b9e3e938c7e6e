//! Waits and tests (OpenSHMEM 1.6, 9.12), for the types of the standard and, as it had it before 1.5, for short.

use std::ffi::c_int;

use shmem_api::raw::ops;
use shmem_api::type_table;

type_table!(p2p_dep => typed, {
    wait_until(via, ivar: *mut T, cmp: c_int, value: T) = ops::wait_until(via, ivar, via.comparison(cmp), value);
    wait_until_all(via, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, value: T)
        = ops::wait_until_all(via, ivars, nelems, status, via.comparison(cmp), value);
    wait_until_any(via, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, value: T) -> usize
        = ops::wait_until_any(via, ivars, nelems, status, via.comparison(cmp), value);
    wait_until_some(
        via, ivars: *mut T, nelems: usize, indices: *mut usize, status: *const c_int, cmp: c_int, value: T
    ) -> usize
        = ops::wait_until_some(via, ivars, nelems, indices, status, via.comparison(cmp), value);
    wait_until_all_vector(via, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, values: *const T)
        = ops::wait_until_all_vector(via, ivars, nelems, status, via.comparison(cmp), values);
    wait_until_any_vector(
        via, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, values: *const T
    ) -> usize
        = ops::wait_until_any_vector(via, ivars, nelems, status, via.comparison(cmp), values);
    wait_until_some_vector(
        via, ivars: *mut T, nelems: usize, indices: *mut usize, status: *const c_int, cmp: c_int, values: *const T
    ) -> usize
        = ops::wait_until_some_vector(via, ivars, nelems, indices, status, via.comparison(cmp), values);
    test(via, ivar: *mut T, cmp: c_int, value: T) -> c_int
        = ops::test(via, ivar, via.comparison(cmp), value).into();
    test_all(via, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, value: T) -> c_int
        = ops::test_all(via, ivars, nelems, status, via.comparison(cmp), value).into();
    test_any(via, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, value: T) -> usize
        = ops::test_any(via, ivars, nelems, status, via.comparison(cmp), value);
    test_some(
        via, ivars: *mut T, nelems: usize, indices: *mut usize, status: *const c_int, cmp: c_int, value: T
    ) -> usize
        = ops::test_some(via, ivars, nelems, indices, status, via.comparison(cmp), value);
    test_all_vector(
        via, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, values: *const T
    ) -> c_int
        = ops::test_all_vector(via, ivars, nelems, status, via.comparison(cmp), values).into();
    test_any_vector(
        via, ivars: *mut T, nelems: usize, status: *const c_int, cmp: c_int, values: *const T
    ) -> usize
        = ops::test_any_vector(via, ivars, nelems, status, via.comparison(cmp), values);
    test_some_vector(
        via, ivars: *mut T, nelems: usize, indices: *mut usize, status: *const c_int, cmp: c_int, values: *const T
    ) -> usize
        = ops::test_some_vector(via, ivars, nelems, indices, status, via.comparison(cmp), values);
});

// Deprecated: the wait until a variable is no longer `value`.
type_table!(wait_dep => typed, {
    wait(via, ivar: *mut T, value: T) = ops::wait(via, ivar, value);
});

plain! {
    wait(via, ivar: *mut i64, value: i64) = ops::wait(via, ivar, value);
    wait_until(via, ivar: *mut i64, cmp: c_int, value: i64) = ops::wait_until(via, ivar, via.comparison(cmp), value);
    signal_wait_until(via, sig_addr: *mut u64, cmp: c_int, value: u64) -> u64
        = ops::signal_wait_until(via, sig_addr, via.comparison(cmp), value);
}
