//! Stretches of static data: where they lie in this process and in the file.

use memheap::{Bytes, Offset};

use crate::statics::elf::Writable;

/// A stretch of static data: `len` bytes at `address` in this process, at `offset` in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Where it begins in this process. Differs from PE to PE when the executable is position-independent.
    pub address: usize,
    /// Where it begins in the file: the same on every PE that runs the same executable.
    pub offset: Offset,
    /// Its length, whole pages.
    pub len: Bytes,
}

/// A stretch of static data and its place in the file.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) range: Writable,
    pub(super) offset: Offset,
}

impl Part {
    pub(super) fn span(&self) -> Span {
        let Writable { lo, hi, .. } = self.range;
        Span { address: lo, offset: self.offset, len: Bytes((hi - lo) as u64) }
    }
}
