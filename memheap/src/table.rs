//! Large tables of plain numbers for metadata. They are as long as a full heap needs them, but only the pages that were
//! touched take memory.
//!
//! A `Vec` of zeroes that is larger than the machine's memory aborts the process; an anonymous mapping
//! without swap reservation costs microseconds whatever its length, reads as zero, and gets a page when
//! one is written. Under Miri, which knows no mappings, a `Vec` stands in.
//!
//! * **TABLE-T1** `ptr` points to `len` initialised values of `T`, aligned, owned by `_memory` and moved by nothing as
//!   long as the table lives.
#![allow(unsafe_code)]

use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use bytemuck::Pod;

/// Tables of this many bytes or more are left out of core dumps.
#[cfg(not(miri))]
const SPARSE: usize = 2 << 20;

/// `len` values of `T`, all zero at first.
pub struct Table<T: Pod> {
    ptr: NonNull<T>,
    len: usize,
    _memory: Memory<T>,
}

#[cfg(not(miri))]
type Memory<T> = (Option<memmap2::MmapMut>, std::marker::PhantomData<T>);
#[cfg(miri)]
type Memory<T> = Vec<T>;

// SAFETY: TABLE-T1: the table owns its memory alone, as a `Box<[T]>` would; `T: Pod` is plain data.
unsafe impl<T: Pod + Send> Send for Table<T> {}
// SAFETY: TABLE-T1: a shared table gives out `&[T]` only.
unsafe impl<T: Pod + Sync> Sync for Table<T> {}

impl<T: Pod> Table<T> {
    /// A table of `len` zeroes, or the system's error where the address space is limited.
    #[cfg(not(miri))]
    pub fn zeroed(len: usize) -> std::io::Result<Table<T>> {
        let too_long =
            || std::io::Error::new(std::io::ErrorKind::OutOfMemory, "table longer than the address space");
        let bytes = len.checked_mul(size_of::<T>()).ok_or_else(too_long)?;
        assert!(align_of::<T>() <= 4096, "a mapping is aligned to a page");
        if bytes == 0 {
            return Ok(Table { ptr: NonNull::dangling(), len: 0, _memory: (None, std::marker::PhantomData) });
        }
        let mut map = memmap2::MmapOptions::new().len(bytes).no_reserve_swap().map_anon()?;
        // Else a core dump is as long as all tables: mostly a hole in a file, but zeroes where it goes through a pipe.
        if bytes >= SPARSE {
            let _ = map.advise(memmap2::Advice::DontDump);
        }
        let ptr = NonNull::new(map.as_mut_ptr().cast::<T>()).ok_or_else(too_long)?;
        Ok(Table { ptr, len, _memory: (Some(map), std::marker::PhantomData) })
    }

    /// A table of `len` zeroes.
    #[cfg(miri)]
    pub fn zeroed(len: usize) -> std::io::Result<Table<T>> {
        // Not a box: moving a box into the table would make the pointer taken before invalid.
        let mut memory: Memory<T> = vec![T::zeroed(); len];
        let ptr = NonNull::new(memory.as_mut_ptr()).expect("a vector's pointer is never null");
        Ok(Table { ptr, len, _memory: memory })
    }
}

impl<T: Pod> Deref for Table<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: TABLE-T1, and `&self` excludes a writer.
        unsafe { std::slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }
}

impl<T: Pod> DerefMut for Table<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: TABLE-T1, and `&mut self` excludes everybody else.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.as_ptr(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_zero_and_keeps_what_is_written() {
        let len = if cfg!(miri) { 1000 } else { 1 << 36 };
        let mut t = Table::<u32>::zeroed(len).unwrap();
        assert_eq!((t.len(), t[0], t[len - 1]), (len, 0, 0));
        t[len - 1] = 7;
        t[1] = 5;
        assert_eq!((t[len - 1], t[1], t[2]), (7, 5, 0));
    }

    #[test]
    fn empty_and_impossible() {
        assert!(Table::<u64>::zeroed(0).unwrap().is_empty());
        #[cfg(not(miri))]
        assert!(Table::<u64>::zeroed(usize::MAX).is_err());
    }
}
