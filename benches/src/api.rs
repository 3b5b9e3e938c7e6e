//! The library's own `malloc` and `free` as a contender, in a job of one PE: rendezvous included.
#![allow(unsafe_code, reason = "the calls take and give pointers")]

use memheap::Align;
use shmem_api::{Error, World, raw};

use crate::contender::Contender;

/// The library, up in this process, which must be the job's only one.
pub struct Api {
    base: usize,
    world: World,
}

impl Api {
    /// Brings the library up; the environment says with which allocator.
    ///
    /// # Errors
    /// What the library says.
    pub fn new() -> Result<Api, Error> {
        let builder = World::builder();
        // SAFETY: the component is the project's own, and passes its conformance set.
        let builder = unsafe { builder.component_trusted(&memheap_ptmalloc::Ptmalloc) };
        let world: World = builder.init()?;
        Ok(Api { base: world.heap_base(), world })
    }

    /// Which allocator it is.
    pub fn allocator(&self) -> &'static str {
        self.world.memheap()
    }
}

/// Borrowed, so that one start of the library serves all workloads.
impl Contender for &Api {
    #[inline]
    fn alloc(&mut self, size: u64, align: Align) -> Option<u64> {
        // SAFETY: the World in this struct is up, and one thread makes all calls.
        let block = unsafe { raw::align(align.bytes() as usize, size as usize) };
        (!block.is_null()).then(|| (block as usize - self.base) as u64)
    }

    #[inline]
    fn free(&mut self, at: u64, _: u64, _: Align) {
        let block = (self.base + at as usize) as *mut u8;
        // SAFETY: a workload frees what it was given, once, and never touches it.
        let freed = unsafe { raw::free(block) };
        debug_assert!(freed.is_ok(), "{freed:?}");
    }
}
