//! The symmetric heap (OpenSHMEM 1.6, 9.3), and its names of old. What gives memory out knows where it was called.

use std::ffi::{c_long, c_void};

use shmem_api::raw::ops;

called_from! {
    "rsi" shmem_malloc(call, site, size: usize) -> *mut c_void = ops::malloc(call, site, size).cast();
    "rdx" shmem_calloc(call, site, count: usize, size: usize) -> *mut c_void = ops::calloc(call, site, count, size).cast();
    "rdx" shmem_align(call, site, alignment: usize, size: usize) -> *mut c_void
        = ops::align(call, site, alignment, size).cast();
    "rdx" shmem_malloc_with_hints(call, site, size: usize, hints: c_long) -> *mut c_void
        = ops::malloc_with_hints(call, site, size, hints as u64).cast();
    "rdx" shmem_realloc(call, site, block: *mut c_void, size: usize) -> *mut c_void
        = ops::realloc(call, site, block.cast(), size).cast();
    // What is wrong with it has been said, and nothing has changed.
    "rsi" shmem_free(call, site, block: *mut c_void) = drop(ops::free(call, site, block.cast()));

    "rsi" shmalloc(call, site, size: usize) -> *mut c_void = ops::malloc(call, site, size).cast();
    "rdx" shmemalign(call, site, alignment: usize, size: usize) -> *mut c_void
        = ops::align(call, site, alignment, size).cast();
    "rdx" shrealloc(call, site, block: *mut c_void, size: usize) -> *mut c_void
        = ops::realloc(call, site, block.cast(), size).cast();
    "rsi" shfree(call, site, block: *mut c_void) = drop(ops::free(call, site, block.cast()));
}
