//! The caller's own memory: blocks in it, packed into a message or unpacked from one.
//!
//! Invariant: **USER-U1** whoever makes a [`Place`] vouches that it is readable, or writable, for all its blocks as long as it is
//! used, and that nobody else uses them (TRANSPORT-T3).
#![allow(unsafe_code)]

use crate::memory::copy;
use crate::transport::FarBlocks;

/// Blocks in the caller's memory.
pub(super) struct Place {
    at: *mut u8,
    stride: usize,
    len: usize,
    n: usize,
}

// SAFETY: USER-U1: it may be used from any thread as long as it may be used at all.
unsafe impl Send for Place {}

impl Place {
    /// Bytes in a row.
    pub(super) fn row(at: *mut u8, len: usize) -> Place {
        Place { at, stride: len, len, n: 1 }
    }

    /// Blocks, which lie `stride` apart here.
    pub(super) fn blocks(at: *mut u8, stride: usize, FarBlocks { len, n, .. }: FarBlocks) -> Place {
        Place { at, stride, len, n }
    }

    /// No bytes.
    pub(super) fn nothing() -> Place {
        Place { at: std::ptr::null_mut(), stride: 0, len: 0, n: 0 }
    }

    /// How many bytes there are in all blocks.
    pub(super) fn bytes(&self) -> usize {
        self.len * self.n
    }

    /// Where it begins, if it is one row of bytes.
    pub(super) fn in_a_row(&self) -> Option<*mut u8> {
        (self.n == 1 || self.stride == self.len).then_some(self.at)
    }

    /// Adds all bytes to `to`.
    ///
    /// # Safety
    /// USER-U1: readable.
    pub(super) unsafe fn pack(&self, to: &mut Vec<u8>) {
        for i in 0..self.n {
            let begin = to.len();
            to.resize(begin + self.len, 0);
            let from = self.at.wrapping_add(i * self.stride);
            // SAFETY: USER-U1, of which the caller made sure: block i; the vector has just been made longer by as much.
            unsafe { copy::get(to[begin..].as_mut_ptr(), from, self.len) };
        }
    }

    /// Writes all its bytes.
    ///
    /// # Safety
    /// USER-U1: writable. `from` has as many bytes.
    pub(super) unsafe fn unpack(&self, from: &[u8]) {
        for (i, block) in from.chunks_exact(self.len.max(1)).enumerate() {
            let to = self.at.wrapping_add(i * self.stride);
            // SAFETY: USER-U1, of which the caller made sure: block i.
            unsafe { copy::put(to, block.as_ptr(), block.len()) };
        }
    }
}
