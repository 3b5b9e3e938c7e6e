//! Symmetric arrays of longs by raw calls.
#![allow(unsafe_code, reason = "raw calls")]

use shmem_api::raw;

/// A symmetric array in which every element is `value`; collective.
pub fn symmetric(len: usize, value: i64) -> *mut i64 {
    // SAFETY: the World is up; every PE calls.
    let at = unsafe { raw::malloc(8 * len.max(1)) }.cast::<i64>();
    assert!(!at.is_null());
    fill(at, len, value);
    // SAFETY: every PE calls.
    unsafe { raw::barrier_all() };
    at
}

/// Sets this PE's first elements.
pub fn fill(at: *mut i64, len: usize, value: i64) {
    for i in 0..len {
        // SAFETY: inside the array, this PE's own.
        unsafe { at.wrapping_add(i).write_volatile(value) };
    }
}

/// This PE's first elements.
pub fn words(at: *mut i64, len: usize) -> Vec<i64> {
    // SAFETY: inside the array, this PE's own.
    (0..len).map(|i| unsafe { at.wrapping_add(i).read_volatile() }).collect()
}

/// Frees arrays of [`symmetric`]; collective.
pub fn free_all(arrays: impl IntoIterator<Item = *mut i64>) {
    for at in arrays {
        // SAFETY: made by `symmetric`, used by nobody any more.
        unsafe { raw::free(at.cast()) }.expect("the array is freed");
    }
}

/// Whether an object of the heap is mapped here as `pe` has it: that PE is on this host.
pub fn is_here<T>(object: *const T, pe: usize) -> bool {
    // SAFETY: it is only looked up.
    !unsafe { raw::ptr(object.cast(), pe as i32) }.is_null()
}
