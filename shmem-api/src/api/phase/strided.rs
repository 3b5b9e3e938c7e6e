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

use crate::api::phase::remote::Remote;
use crate::types::elem::Elem;
use crate::types::thread_level::Level;

/// A stride is at least the length of a block. All panic if there is no PE `pe`, if a stride is too small, or if a
/// block leaves the object; nothing has been copied then.
impl<T: Elem, L: Level> Remote<'_, T, L> {
    /// Copies elements `0`, `src_stride`, `2 * src_stride`, ... of `src` to elements `at`, `at + stride`, ... of the object
    /// on `pe` (`shmem_iput`). Returns when `src` may be used again.
    #[inline]
    pub fn iput(&self, pe: usize, at: usize, stride: usize, src: &[T], src_stride: usize) {
        self.put_blocks("iput", pe, at, [stride, src_stride], src, 1);
    }

    /// Copies elements `at`, `at + stride`, ... of the object on `pe` to elements `0`, `dst_stride`, `2 * dst_stride`, ...
    /// of `dst` (`shmem_iget`), and returns when they are there. What lies between them is left as it is.
    #[inline]
    pub fn iget(&self, pe: usize, at: usize, stride: usize, dst: &mut [T], dst_stride: usize) {
        self.get_blocks("iget", pe, at, [dst_stride, stride], dst, 1);
    }

    /// As [`iput`](Self::iput), of blocks of `block` elements (`shmem_ibput`).
    #[inline]
    pub fn ibput(&self, pe: usize, at: usize, stride: usize, src: &[T], src_stride: usize, block: usize) {
        self.put_blocks("ibput", pe, at, [stride, src_stride], src, block);
    }

    /// As [`iget`](Self::iget), of blocks of `block` elements (`shmem_ibget`).
    #[inline]
    pub fn ibget(&self, pe: usize, at: usize, stride: usize, dst: &mut [T], dst_stride: usize, block: usize) {
        self.get_blocks("ibget", pe, at, [dst_stride, stride], dst, block);
    }
}
