//! Memory of one PE: from the same segment, by the same kind of allocator, but nobody else's business.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use memheap::place::Near;
use memheap::{Align, Bytes, Offset};

use crate::api::world::World;
use crate::engine::Handle;
use crate::error::Error;
use crate::memory::copy;
use crate::process::child;
use crate::types::elem::{Elem, check_layout};
use crate::types::thread_level::Level;

/// An array in this PE's own space ([`Reach::Pe`](memheap::place::Reach::Pe)). No other PE can reach it, it
/// cannot be shared, and allocating and dropping it are local.
pub struct OwnSlice<'w, T: Elem, L: Level> {
    at: Offset,
    base: NonNull<T>,
    len: usize,
    engine: Handle,
    /// The block is freed through the engine, so it may go where the World may.
    level: PhantomData<(&'w mut T, L)>,
}

impl<L: Level> World<L> {
    /// Local: an array of `len` zeroes in this PE's own space, near whom `near` names.
    ///
    /// # Errors
    /// If the space has no room.
    pub fn alloc_own<T: Elem>(&self, len: usize, near: Near) -> Result<OwnSlice<'_, T, L>, Error> {
        const { check_layout::<T>() };
        let engine = self.engine;
        let size = size_of::<T>();
        let bytes = len.checked_mul(size).ok_or(Error::TooLong { pe: engine.me, len, size })?;
        if bytes == 0 {
            return Ok(OwnSlice {
                at: Offset(0),
                base: NonNull::dangling(),
                len: 0,
                engine,
                level: PhantomData,
            });
        }
        let align = Align::new(align_of::<T>() as u64).unwrap_or(Align::DEFAULT).max(Align::DEFAULT);
        let block = engine.alloc_local(Bytes(bytes as u64), align, near)?;
        let base = engine.address(block.at);
        // SAFETY: the used part lies inside the block, which is new and this PE's alone.
        unsafe { copy::fill(base, 0, block.used.0 as usize) };
        let base = NonNull::new(base.cast()).unwrap_or(NonNull::dangling());
        Ok(OwnSlice { at: block.at, base, len, engine, level: PhantomData })
    }
}

impl<T: Elem, L: Level> Deref for OwnSlice<'_, T, L> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: `len` zeroed or written elements of this PE's own space, which nobody else addresses.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.len) }
    }
}

impl<T: Elem, L: Level> DerefMut for OwnSlice<'_, T, L> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and `&mut self` excludes everybody else.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.len) }
    }
}

impl<T: Elem, L: Level> Drop for OwnSlice<'_, T, L> {
    fn drop(&mut self) {
        if self.len > 0 && !child::is_marked() {
            let freed = self.engine.free_local(self.at);
            debug_assert!(freed.is_ok(), "a live block of this PE: {freed:?}");
        }
    }
}
