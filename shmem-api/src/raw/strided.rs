//! Put and get of elements and blocks a stride apart (OpenSHMEM 1.6, 9.6).
//!
//! ```text
//!   bsize = 2, sst = 3, dst = 4, nblocks = 3:
//!   source   a b . c d . e f            the stretch of one side runs from its first to its last element
//!   dest     a b . . c d . . e f        and is checked as a whole
//! ```
//!
//! Strides count elements, from the start of one block to that of the next. Elements are blocks of one; blocks as
//! far apart as they are long are one row. Where there is nothing to move, strides and pointers may be anything.

use crate::call::Call;
use crate::raw::rma::{DEST, SOURCE};
use crate::raw::routines::routines;
use crate::transport::Target;
use crate::types::elem::Elem;

routines! {
    /// Copies element `i * sst` of `src` to element `i * dst` of `dest` (symmetric) on `pe`, for each `i` below `n`
    /// (`shmem_iput`). Returns when `src` may be used again. Local; strides are at least 1.
    ///
    /// # Safety
    /// As for [`put`](crate::raw::put) of all from the first to the last element.
    fn iput / ctx_iput<T: Elem>(call, dest: *mut T, src: *const T, dst: isize, sst: isize, n: usize, pe: i32) {
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { ibput(call, dest, src, dst, sst, 1, n, pe) }
    }

    /// Copies element `i * sst` of `src` (symmetric) on `pe` to element `i * dst` of `dest`, for each `i` below `n`
    /// (`shmem_iget`). Returns when they are there. Local; strides are at least 1.
    ///
    /// # Safety
    /// As for [`get`](crate::raw::get) of all from the first to the last element.
    fn iget / ctx_iget<T: Elem>(call, dest: *mut T, src: *const T, dst: isize, sst: isize, n: usize, pe: i32) {
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { ibget(call, dest, src, dst, sst, 1, n, pe) }
    }

    /// Copies `nblocks` blocks of `bsize` elements, `sst` apart from `src` on, to `dest` (symmetric) on `pe`, `dst` apart
    /// (`shmem_ibput`). Returns when `src` may be used again. Local; strides are at least `bsize`.
    ///
    /// # Safety
    /// As for [`put`](crate::raw::put) of all from the first to the last element.
    fn ibput / ctx_ibput<T: Elem>(
        call, dest: *mut T, src: *const T, dst: isize, sst: isize, bsize: usize, nblocks: usize, pe: i32
    ) {
        let blocks = Blocks::new::<T>(call, dst, sst, bsize, nblocks);
        let to = call.target(dest.cast(), blocks.extents[0], pe);
        call.local(SOURCE, src, blocks.n);
        // SAFETY: `target` checked the target (CALL-V2), RAW-R2 for the source; STRIDED-D1.
        unsafe { blocks.put(to.target(), src) }
    }

    /// Copies `nblocks` blocks of `bsize` elements, `sst` apart from `src` (symmetric) on `pe` on, to `dest`, `dst` apart
    /// (`shmem_ibget`). Returns when they are there. Local; strides are at least `bsize`.
    ///
    /// # Safety
    /// As for [`get`](crate::raw::get) of all from the first to the last element.
    fn ibget / ctx_ibget<T: Elem>(
        call, dest: *mut T, src: *const T, dst: isize, sst: isize, bsize: usize, nblocks: usize, pe: i32
    ) {
        let blocks = Blocks::new::<T>(call, dst, sst, bsize, nblocks);
        let from = call.target(src.cast(), blocks.extents[1], pe);
        call.local(DEST, dest, blocks.n);
        // SAFETY: `target` checked the source (CALL-V2), RAW-R2 for the target; STRIDED-D1.
        unsafe { blocks.get(dest, from.target()) }
    }
}

/// Blocks at the target and at the source, in this order where there are two of something.
///
/// Invariant **STRIDED-D1**: no stride is less than `len`, and no extent is more than an object can have; both are 0 if there
/// is no element.
struct Blocks {
    strides: [usize; 2],
    len: usize,
    n: usize,
    /// In bytes, from the start of the first block to the end of the last.
    extents: [usize; 2],
}

impl Blocks {
    #[inline]
    fn new<T>(call: Call, dst: isize, sst: isize, len: usize, n: usize) -> Blocks {
        if len == 0 || n == 0 {
            return Blocks { strides: [0, 0], len: 0, n: 0, extents: [0, 0] };
        }
        let side = |name: &str, stride: isize| match usize::try_from(stride) {
            Ok(stride) if stride >= len => match extent::<T>(stride, len, n) {
                Some(extent) => (stride, extent),
                None => too_far(call.routine, name, stride, n),
            },
            _ => too_close(call.routine, name, stride, len),
        };
        let (to, from) = (side("dst", dst), side("sst", sst));
        Blocks { strides: [to.0, from.0], len, n, extents: [to.1, from.1] }
    }

    /// # Safety
    /// As for [`Target::put_blocks`], as far as STRIDED-D1 does not say it.
    #[inline]
    unsafe fn put<T: Elem>(&self, to: Target, from: *const T) {
        if self.n > 0 {
            // SAFETY: by contract and STRIDED-D1.
            unsafe { to.put_blocks(from, self.strides, self.len, self.n) }
        }
    }

    /// # Safety
    /// As for [`Target::get_blocks`], as far as STRIDED-D1 does not say it.
    #[inline]
    unsafe fn get<T: Elem>(&self, to: *mut T, from: Target) {
        if self.n > 0 {
            // SAFETY: by contract and STRIDED-D1.
            unsafe { from.get_blocks(to, self.strides, self.len, self.n) }
        }
    }
}

/// Bytes from the start of the first of `n` blocks to the end of the last, unless no object is as large.
#[inline]
fn extent<T>(stride: usize, len: usize, n: usize) -> Option<usize> {
    let elements = (n - 1).checked_mul(stride)?.checked_add(len)?;
    elements.checked_mul(size_of::<T>()).filter(|bytes| *bytes <= isize::MAX as usize)
}

#[cold]
#[inline(never)]
fn too_close(call: &'static str, name: &str, stride: isize, len: usize) -> ! {
    let why = if len == 1 { "" } else { ", the elements of a block (bsize)" };
    Call::new(call).fail(&format!("{name} is {stride}: a stride must be at least {len}{why}"))
}

#[cold]
#[inline(never)]
fn too_far(call: &'static str, name: &str, stride: usize, n: usize) -> ! {
    Call::new(call).fail(&format!("{name} is {stride}: {n} blocks so far apart are more than any object has"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against numbers that cannot overflow.
    #[test]
    fn extents_do_not_wrap() {
        let sizes = [1, 2, 3, 255, 1 << 31, 1 << 32, 1 << 61, 1 << 62, usize::MAX / 2, usize::MAX];
        let triples = (0..sizes.len().pow(3)).map(|i| [i, i / 10, i / 100].map(|digit| sizes[digit % 10]));
        for [stride, len, n] in triples {
            // Only the last factor can be too much for 128 bits, and then the extent is too large.
            let elements = (n as u128 - 1) * stride as u128 + len as u128;
            let exact = elements.checked_mul(8).filter(|bytes| *bytes <= isize::MAX as u128);
            assert_eq!(extent::<u64>(stride, len, n).map(|e| e as u128), exact, "{stride} {len} {n}");
        }
    }
}
