//! Memory of one PE: from the same segment, by the same kind of allocator, but nobody else's business.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use memheap::place::Near;

use crate::api::elements::Elements;
use crate::api::world::World;
use crate::engine::Handle;
use crate::error::Error;
use crate::process::child;
use crate::types::elem::Elem;
use crate::types::thread_level::Level;

/// An array in this PE's own space ([`Reach::Pe`](memheap::place::Reach::Pe)). No other PE can reach it, it
/// cannot be shared, and allocating and dropping it are local.
pub struct OwnSlice<'w, T: Elem, L: Level> {
    elements: Elements<'w, T>,
    engine: Handle,
    /// The block is freed through the engine, so it may go where the World may.
    level: PhantomData<L>,
}

impl<L: Level> World<L> {
    /// Local: an array of `len` zeroes in this PE's own space, near whom `near` names.
    ///
    /// # Errors
    /// If the space has no room.
    pub fn alloc_own<T: Elem>(&self, len: usize, near: Near) -> Result<OwnSlice<'_, T, L>, Error> {
        let elements = Elements::own(&self.engine, len, near)?;
        Ok(OwnSlice { elements, engine: self.engine, level: PhantomData })
    }
}

impl<T: Elem, L: Level> Deref for OwnSlice<'_, T, L> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.elements
    }
}

impl<T: Elem, L: Level> DerefMut for OwnSlice<'_, T, L> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.elements
    }
}

impl<T: Elem, L: Level> Drop for OwnSlice<'_, T, L> {
    fn drop(&mut self) {
        if !self.elements.is_empty() && !child::is_marked() {
            let freed = self.engine.free_local(self.elements.at());
            debug_assert!(freed.is_ok(), "a live block of this PE: {freed:?}");
        }
    }
}

/// Where threads may all come in, it may go to another one, and be looked at by several; freeing it takes the heap's lock.
const _: () = {
    const fn goes_to_other_threads<T: Send + Sync>() {}
    goes_to_other_threads::<OwnSlice<'_, u64, crate::types::thread_level::Multiple>>()
};
