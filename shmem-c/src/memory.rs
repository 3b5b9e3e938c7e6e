//! The symmetric heap (OpenSHMEM 1.6, 9.3), and its names of old.

use std::ffi::{c_long, c_void};

use shmem_api::raw::ops;

plain! {
    malloc(via, size: usize) -> *mut c_void = ops::malloc(via, size).cast();
    calloc(via, count: usize, size: usize) -> *mut c_void = ops::calloc(via, count, size).cast();
    align(via, alignment: usize, size: usize) -> *mut c_void = ops::align(via, alignment, size).cast();
    malloc_with_hints(via, size: usize, hints: c_long) -> *mut c_void
        = ops::malloc_with_hints(via, size, hints as u64).cast();
    realloc(via, block: *mut c_void, size: usize) -> *mut c_void = ops::realloc(via, block.cast(), size).cast();
    // What is wrong with it has been said, and nothing has changed.
    free(via, block: *mut c_void) = drop(ops::free(via, block.cast()));
}

via_export! { shmalloc(via, size: usize) -> *mut c_void = ops::malloc(via, size).cast() }
// Any power of two was an alignment then; today's must be a multiple of a pointer's size.
via_export! {
    shmemalign(via, alignment: usize, size: usize) -> *mut c_void = {
        let whole = if alignment.is_power_of_two() { alignment.max(size_of::<usize>()) } else { alignment };
        ops::align(via, whole, size).cast()
    }
}
via_export! { shrealloc(via, block: *mut c_void, size: usize) -> *mut c_void = ops::realloc(via, block.cast(), size).cast() }
via_export! { shfree(via, block: *mut c_void) = drop(ops::free(via, block.cast())) }
