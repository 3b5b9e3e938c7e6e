//! Put and get of elements and blocks a stride apart (OpenSHMEM 1.6, 9.6).
//!
//! ```text
//!   a.ibput(pe, at: 1, stride: 4, &src, src_stride: 3, block: 2)
//!   src      [a b] . [c d] . [e f]
//!   a on pe  . [a b] . . [c d] . . [e f]
//! ```
//!
//! Strides count elements, from the start of one block to that of the next. How many blocks there are is what
//! the slice holds: as many whole ones as lie in it, the last without what would follow it.
#![allow(unsafe_code)]

use crate::api::phase::remote::Remote;
use crate::transport::Target;
use crate::types::elem::Elem;
use crate::types::thread_level::Level;

/// How far apart `n` blocks are. One block is apart from nothing, and its strides may be more elements than there are
/// bytes.
#[inline]
fn apart(strides: [usize; 2], block: usize, n: usize) -> [usize; 2] {
    if n == 1 { [block; 2] } else { strides }
}

/// A stride is at least the length of a block. All panic if there is no PE `pe`, if a stride is too small, or if a
/// block leaves the object; nothing has been copied then.
impl<T: Elem, L: Level> Remote<'_, T, L> {
    /// Copies elements `0`, `src_stride`, `2 * src_stride`, ... of `src` to elements `at`, `at + stride`, ... of the object
    /// on `pe` (`shmem_iput`). Returns when `src` may be used again.
    #[inline]
    pub fn iput(&self, pe: usize, at: usize, stride: usize, src: &[T], src_stride: usize) {
        self.strided_put("iput", pe, at, [stride, src_stride], src, 1);
    }

    /// Copies elements `at`, `at + stride`, ... of the object on `pe` to elements `0`, `dst_stride`, `2 * dst_stride`, ...
    /// of `dst` (`shmem_iget`), and returns when they are there. What lies between them is left as it is.
    #[inline]
    pub fn iget(&self, pe: usize, at: usize, stride: usize, dst: &mut [T], dst_stride: usize) {
        self.strided_get("iget", pe, at, [dst_stride, stride], dst, 1);
    }

    /// As [`iput`](Self::iput), of blocks of `block` elements (`shmem_ibput`).
    #[inline]
    pub fn ibput(&self, pe: usize, at: usize, stride: usize, src: &[T], src_stride: usize, block: usize) {
        self.strided_put("ibput", pe, at, [stride, src_stride], src, block);
    }

    /// As [`iget`](Self::iget), of blocks of `block` elements (`shmem_ibget`).
    #[inline]
    pub fn ibget(&self, pe: usize, at: usize, stride: usize, dst: &mut [T], dst_stride: usize, block: usize) {
        self.strided_get("ibget", pe, at, [dst_stride, stride], dst, block);
    }

    #[inline]
    fn strided_put(
        &self,
        call: &'static str,
        pe: usize,
        at: usize,
        strides: [usize; 2],
        src: &[T],
        block: usize,
    ) {
        let n = self.blocks_in(call, src.len(), strides[1], block);
        let to = self.strided_target(call, pe, at, strides[0], block, n);
        if n > 0 {
            // SAFETY: the blocks lie inside the object, as `strided_target` checked, and inside `src`, as `blocks_in`
            // counted them; a shared object is never behind a Rust reference, so it cannot overlap `src`.
            unsafe { to.put_blocks(src.as_ptr(), apart(strides, block, n), block, n) }
        }
    }

    #[inline]
    fn strided_get(
        &self,
        call: &'static str,
        pe: usize,
        at: usize,
        strides: [usize; 2],
        dst: &mut [T],
        block: usize,
    ) {
        let n = self.blocks_in(call, dst.len(), strides[0], block);
        let from = self.strided_target(call, pe, at, strides[1], block, n);
        if n > 0 {
            // SAFETY: as in `strided_put`.
            unsafe { from.get_blocks(dst.as_mut_ptr(), apart(strides, block, n), block, n) }
        }
    }

    /// How many blocks lie in a slice of `len` elements.
    #[inline]
    fn blocks_in(&self, call: &str, len: usize, stride: usize, block: usize) -> usize {
        if stride < block.max(1) {
            self.too_close(call, stride, block);
        }
        if block == 0 || len < block { 0 } else { (len - block) / stride + 1 }
    }

    /// Where the first of `n` blocks is, all of which lie in the object.
    #[inline]
    fn strided_target(
        &self,
        call: &'static str,
        pe: usize,
        at: usize,
        stride: usize,
        block: usize,
        n: usize,
    ) -> Target {
        if stride < block.max(1) {
            self.too_close(call, stride, block);
        }
        // More elements than there can be are out of range like any others.
        let extent = match n {
            0 => 0,
            _ => (n - 1).saturating_mul(stride).saturating_add(block),
        };
        self.target(call, pe, at, extent)
    }

    #[cold]
    #[inline(never)]
    fn too_close(&self, call: &str, stride: usize, block: usize) -> ! {
        let me = self.engine().me;
        panic!("PE {me}: {call}: a stride of {stride} is less than a block of {}", block.max(1))
    }
}
