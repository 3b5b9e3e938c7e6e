//! Locks (OpenSHMEM 1.6, 9.14).

use std::ffi::{c_int, c_long};

use shmem_api::raw::ops;

plain! {
    set_lock(via, lock: *mut c_long) = ops::set_lock(via, lock);
    test_lock(via, lock: *mut c_long) -> c_int = ops::test_lock(via, lock);
    clear_lock(via, lock: *mut c_long) = ops::clear_lock(via, lock);
}
