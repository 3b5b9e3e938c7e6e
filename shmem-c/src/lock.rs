//! Locks (OpenSHMEM 1.6, 9.14).

use std::ffi::{c_int, c_long};

use shmem_api::raw::ops;

plain! {
    set_lock(call, lock: *mut c_long) = ops::set_lock(call, lock);
    test_lock(call, lock: *mut c_long) -> c_int = ops::test_lock(call, lock);
    clear_lock(call, lock: *mut c_long) = ops::clear_lock(call, lock);
}
