//! The symmetric heap (OpenSHMEM 1.6, 9.3), and its names of old. What gives memory out knows where it was called.

use std::ffi::{c_long, c_void};

use shmem_api::raw::ops;

called_from! {
    "rsi" shmem_malloc(via, site, size: usize) -> *mut c_void = ops::malloc(via, site, size).cast();
    "rdx" shmem_calloc(via, site, count: usize, size: usize) -> *mut c_void = ops::calloc(via, site, count, size).cast();
    "rdx" shmem_align(via, site, alignment: usize, size: usize) -> *mut c_void
        = ops::align(via, site, alignment, size).cast();
    "rdx" shmem_malloc_with_hints(via, site, size: usize, hints: c_long) -> *mut c_void
        = ops::malloc_with_hints(via, site, size, hints as u64).cast();
    "rdx" shmem_realloc(via, site, block: *mut c_void, size: usize) -> *mut c_void
        = ops::realloc(via, site, block.cast(), size).cast();
    // What is wrong with it has been said, and nothing has changed.
    "rsi" shmem_free(via, site, block: *mut c_void) = drop(ops::free(via, site, block.cast()));

    "rsi" shmalloc(via, site, size: usize) -> *mut c_void = ops::malloc(via, site, size).cast();
    "rdx" shmemalign(via, site, alignment: usize, size: usize) -> *mut c_void
        = ops::align(via, site, alignment, size).cast();
    "rdx" shrealloc(via, site, block: *mut c_void, size: usize) -> *mut c_void
        = ops::realloc(via, site, block.cast(), size).cast();
    "rsi" shfree(via, site, block: *mut c_void) = drop(ops::free(via, site, block.cast()));
}
