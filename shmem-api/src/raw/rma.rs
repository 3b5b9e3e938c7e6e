//! Put and get of elements in a row (OpenSHMEM 1.6, 9.6 and 9.7).
//!
//! On one host a transfer is a copy by this PE, done when the call returns; so the non-blocking forms are
//! the blocking ones. The sized routines of C are `put::<u8>` to `put::<u128>`. Words of one transfer may
//! arrive in any order, but an aligned transfer of 1, 2, 4 or 8 bytes is one load or store.

use crate::raw::routines::routines;
use crate::types::elem::Elem;

/// What a put reads, and what a get writes, in this PE's own memory.
pub(super) const SOURCE: &str = "the data to send";
pub(super) const DEST: &str = "the data it gets";

routines! {
    /// Copies `n` elements to `dest` (symmetric) on `pe` (`shmem_put`). Returns when `src` may be used again; the
    /// data is there for others after a quiet or a barrier. Local; 0 elements: nothing, and the pointers may be null.
    ///
    /// # Safety
    /// `src` is readable for `n` elements and does not overlap `dest`, which lies in a live object; writing it on `pe`
    /// races with no Rust reference there. The World stays up during the call.
    fn put / ctx_put<T: Elem>(call, dest: *mut T, src: *const T, n: usize, pe: i32) {
        call.local(SOURCE, src, n);
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { call.put(dest, src, n, pe) }
    }

    /// Copies `n` elements from `src` (symmetric) on `pe` to `dest` (`shmem_get`). Returns when they are there. Local;
    /// 0 elements: nothing, and the pointers may be null.
    ///
    /// # Safety
    /// `dest` is writable for `n` elements and does not overlap `src`, which no Rust reference on `pe` writes
    /// meanwhile. The World stays up during the call.
    fn get / ctx_get<T: Elem>(call, dest: *mut T, src: *const T, n: usize, pe: i32) {
        call.local(DEST, dest, n);
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { call.get(dest, src, n, pe) }
    }

    /// As [`put`], but may return before `src` may be used again: that is after a quiet (`shmem_put_nbi`).
    ///
    /// # Safety
    /// As for [`put`].
    fn put_nbi / ctx_put_nbi<T: Elem>(call, dest: *mut T, src: *const T, n: usize, pe: i32) {
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { put(call, dest, src, n, pe) }
    }

    /// As [`get`], but may return before the data is there: that is after a quiet (`shmem_get_nbi`).
    ///
    /// # Safety
    /// As for [`get`].
    fn get_nbi / ctx_get_nbi<T: Elem>(call, dest: *mut T, src: *const T, n: usize, pe: i32) {
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { get(call, dest, src, n, pe) }
    }

    /// Stores `value` at `dest` (symmetric) on `pe` (`shmem_p`): one store where it is an aligned 1, 2, 4 or 8 bytes.
    /// Local; the value is there for others after a quiet or a barrier.
    ///
    /// # Safety
    /// As for [`put`] of one element.
    fn p / ctx_p<T: Elem>(call, dest: *mut T, value: T, pe: i32) {
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { call.store(dest, value, pe) }
    }

    /// Loads the element at `src` (symmetric) on `pe` (`shmem_g`): one load where it is an aligned 1, 2, 4 or 8 bytes.
    ///
    /// # Safety
    /// As for [`get`] of one element.
    fn g / ctx_g<T: Elem>(call, src: *const T, pe: i32) -> T {
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { call.load(src, pe) }
    }

    /// As [`put`], of `n` bytes at any address (`shmem_putmem`).
    ///
    /// # Safety
    /// As for [`put`].
    fn putmem / ctx_putmem(call, dest: *mut u8, src: *const u8, n: usize, pe: i32) {
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { put(call, dest, src, n, pe) }
    }

    /// As [`get`], of `n` bytes at any address (`shmem_getmem`).
    ///
    /// # Safety
    /// As for [`get`].
    fn getmem / ctx_getmem(call, dest: *mut u8, src: *const u8, n: usize, pe: i32) {
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { get(call, dest, src, n, pe) }
    }

    /// As [`put_nbi`], of `n` bytes at any address (`shmem_putmem_nbi`).
    ///
    /// # Safety
    /// As for [`put`].
    fn putmem_nbi / ctx_putmem_nbi(call, dest: *mut u8, src: *const u8, n: usize, pe: i32) {
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { put_nbi(call, dest, src, n, pe) }
    }

    /// As [`get_nbi`], of `n` bytes at any address (`shmem_getmem_nbi`).
    ///
    /// # Safety
    /// As for [`get`].
    fn getmem_nbi / ctx_getmem_nbi(call, dest: *mut u8, src: *const u8, n: usize, pe: i32) {
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { get_nbi(call, dest, src, n, pe) }
    }
}
