//! The symmetric heap (OpenSHMEM 1.6, 9.3), and its names of old.

use std::ffi::{c_long, c_void};

use shmem_api::raw;

export! {
    fn shmem_malloc(size: usize) -> *mut c_void {
        // SAFETY: the C program's promise; so for all below.
        unsafe { raw::malloc(size) }.cast()
    }
    fn shmem_align(alignment: usize, size: usize) -> *mut c_void {
        // SAFETY: as above.
        unsafe { raw::align(alignment, size) }.cast()
    }
    fn shmem_malloc_with_hints(size: usize, hints: c_long) -> *mut c_void {
        // SAFETY: as above.
        unsafe { raw::malloc_with_hints(size, hints as u64) }.cast()
    }
    fn shmem_free(ptr: *mut c_void) {
        // SAFETY: as above.
        let _ = unsafe { raw::free(ptr.cast()) };
    }

    fn shmalloc(size: usize) -> *mut c_void {
        // SAFETY: as above.
        unsafe { raw::malloc(size) }.cast()
    }
    fn shmemalign(alignment: usize, size: usize) -> *mut c_void {
        // SAFETY: as above.
        unsafe { raw::align(alignment, size) }.cast()
    }
    fn shfree(ptr: *mut c_void) {
        // SAFETY: as above.
        let _ = unsafe { raw::free(ptr.cast()) };
    }
}
