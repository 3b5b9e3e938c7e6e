//! Put and get (OpenSHMEM 1.6, 9.6 and 9.7): contiguous, one element, bytes.
//!
//! On one host a transfer is a copy by this PE, done when the call returns; so the non-blocking forms are
//! the blocking ones. The sized routines of C are `put::<u8>` to `put::<u128>`. Words of one transfer may
//! arrive in any order, but an aligned transfer of 1, 2, 4 or 8 bytes is one load or store.

use super::via::{bytes, routines};
use crate::copy;
use crate::elem::Elem;

routines! {
    /// Copies `n` elements to `dest` (symmetric) on `pe` (`shmem_put`). Returns when `src` may be used again.
    ///
    /// # Safety
    /// `src` is readable for `n` elements and does not overlap `dest`, which lies in a live object; writing it on `pe`
    /// races with no Rust reference there. The World stays up during the call.
    fn put / ctx_put<T: Elem>(via, dest: *mut T, src: *const T, n: usize, pe: i32) {
        let to = via.place(dest.cast(), bytes::<T>(n), pe);
        // SAFETY: `place` checked the target (V2); the source is the caller's promise.
        unsafe { copy::bytes_put(to.at, src.cast(), bytes::<T>(n)) }
    }

    /// Copies `n` elements from `src` (symmetric) on `pe` to `dest` (`shmem_get`). Returns when they are there.
    ///
    /// # Safety
    /// `dest` is writable for `n` elements and does not overlap `src`, which no Rust reference on `pe` writes
    /// meanwhile. The World stays up during the call.
    fn get / ctx_get<T: Elem>(via, dest: *mut T, src: *const T, n: usize, pe: i32) {
        let from = via.place(src.cast(), bytes::<T>(n), pe);
        // SAFETY: `place` checked the source (V2); the target is the caller's promise.
        unsafe { copy::bytes_get(dest.cast(), from.at, bytes::<T>(n)) }
    }

    /// As [`put`], in bytes (`shmem_putmem`).
    ///
    /// # Safety
    /// As there.
    fn putmem / ctx_putmem(via, dest: *mut u8, src: *const u8, n: usize, pe: i32) {
        // SAFETY: by the same contract.
        unsafe { put::<u8>(via, dest, src, n, pe) }
    }

    /// As [`get`], in bytes (`shmem_getmem`).
    ///
    /// # Safety
    /// As there.
    fn getmem / ctx_getmem(via, dest: *mut u8, src: *const u8, n: usize, pe: i32) {
        // SAFETY: by the same contract.
        unsafe { get::<u8>(via, dest, src, n, pe) }
    }
}
