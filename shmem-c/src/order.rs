//! Fence and quiet (OpenSHMEM 1.6, 9.13).

use std::ffi::c_int;

use shmem_api::raw::ops;

plain_on_ctx! {
    fence(call) = ops::fence(call);
    quiet(call) = ops::quiet(call);
    pe_quiet(call, target_pes: *const c_int, npes: usize) = ops::pe_quiet(call, target_pes, npes);
}

// Removed in 1.5, and still called: a cache is never out of date.
export! {
    fn shmem_set_cache_inv() {}
    fn shmem_clear_cache_inv() {}
    fn shmem_set_cache_line_inv(_dest: *mut std::ffi::c_void) {}
    fn shmem_clear_cache_line_inv(_dest: *mut std::ffi::c_void) {}
    fn shmem_udcflush() {}
    fn shmem_udcflush_line(_dest: *mut std::ffi::c_void) {}
}
