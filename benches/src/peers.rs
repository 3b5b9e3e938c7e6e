//! The best Rust crates as contenders, each over one anonymous mapping of the same length.
//!
//! Their metadata lies in the heap itself, so they need real memory; it is faulted in by the ageing.
#![allow(unsafe_code, reason = "their interfaces are pointers")]

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

use memheap::Align;
use memmap2::{MmapMut, MmapOptions};

use crate::contender::{Contender, HEAP};

/// The memory of one contender.
struct Arena {
    map: MmapMut,
}

impl Arena {
    /// Aligned to a page by `mmap`; reserved, not faulted in.
    fn new() -> Arena {
        let map = MmapOptions::new().len(HEAP.0 as usize).no_reserve_swap().map_anon();
        Arena { map: map.expect("address space for one heap") }
    }

    fn base(&mut self) -> *mut u8 {
        self.map.as_mut_ptr()
    }

    #[inline]
    fn offset(&self, block: *mut u8) -> u64 {
        (block as usize - self.map.as_ptr() as usize) as u64
    }

    #[inline]
    fn pointer(&mut self, at: u64) -> *mut u8 {
        self.map.as_mut_ptr().wrapping_add(at as usize)
    }
}

#[inline]
fn layout(size: u64, align: Align) -> Layout {
    // SAFETY: an alignment is a power of two by construction, and no workload asks for 2^62 bytes.
    unsafe { Layout::from_size_align_unchecked(size as usize, align.bytes() as usize) }
}

/// Two-level segregated fit, 32 lists per octave.
pub struct Rlsf {
    tlsf: rlsf::Tlsf<'static, u32, u32, 28, 32>,
    arena: Arena,
}

/// A fresh heap.
impl Default for Rlsf {
    fn default() -> Rlsf {
        let mut arena = Arena::new();
        let block = NonNull::slice_from_raw_parts(
            NonNull::new(arena.base()).expect("a mapping is not at 0"),
            HEAP.0 as usize,
        );
        let mut tlsf = rlsf::Tlsf::new();
        // SAFETY: the mapping is owned by the same struct and used by nothing else.
        unsafe { tlsf.insert_free_block_ptr(block) };
        Rlsf { tlsf, arena }
    }
}

impl Contender for Rlsf {
    #[inline]
    fn alloc(&mut self, size: u64, align: Align) -> Option<u64> {
        self.tlsf.allocate(layout(size, align)).map(|p| self.arena.offset(p.as_ptr()))
    }

    #[inline]
    fn free(&mut self, at: u64, _: u64, align: Align) {
        let block = self.arena.pointer(at);
        // SAFETY: no block lies at address 0.
        let block = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: a workload frees what it was given, with the alignment it asked for, once.
        unsafe { self.tlsf.deallocate(block, align.bytes() as usize) };
    }
}

/// Boundary tags and bins.
pub struct Talc {
    talc: talc::base::Talc<talc::source::Manual, talc::DefaultBinning>,
    arena: Arena,
}

/// A fresh heap.
impl Default for Talc {
    fn default() -> Talc {
        let mut arena = Arena::new();
        let mut talc = talc::base::Talc::new(talc::source::Manual);
        // SAFETY: the mapping is owned by the same struct and used by nothing else.
        unsafe { talc.claim(arena.base(), HEAP.0 as usize) }.expect("a heap large enough");
        Talc { talc, arena }
    }
}

impl Contender for Talc {
    #[inline]
    fn alloc(&mut self, size: u64, align: Align) -> Option<u64> {
        // SAFETY: no workload asks for 0 bytes.
        let block = unsafe { self.talc.try_allocate(layout(size, align)) };
        block.map(|p| self.arena.offset(p.as_ptr()))
    }

    #[inline]
    fn free(&mut self, at: u64, size: u64, align: Align) {
        let block = self.arena.pointer(at);
        // SAFETY: a workload frees what it was given, with the layout it asked for, once.
        unsafe { self.talc.deallocate(block, layout(size, align)) };
    }
}

/// Doug Lea's allocator, as a crate. Its lists end in the structure itself, so that must not move.
pub struct Dlmalloc {
    dlmalloc: Box<dlmalloc::Dlmalloc<Once>>,
    arena: Arena,
}

/// A system that has one piece of memory, gives it whole at the first request, and takes nothing back.
struct Once {
    base: usize,
    given: AtomicBool,
}

// SAFETY: the one region it gives is mapped, page-aligned, as long as said, and given only once.
unsafe impl dlmalloc::Allocator for Once {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let none = (std::ptr::null_mut(), 0, 0);
        if size as u64 > HEAP.0 || self.given.swap(true, Ordering::Relaxed) {
            return none;
        }
        (self.base as *mut u8, HEAP.0 as usize, 0)
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        std::ptr::null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        4096
    }
}

/// A fresh heap.
impl Default for Dlmalloc {
    fn default() -> Dlmalloc {
        let mut arena = Arena::new();
        let once = Once { base: arena.base() as usize, given: AtomicBool::new(false) };
        Dlmalloc { dlmalloc: Box::new(dlmalloc::Dlmalloc::new_with_allocator(once)), arena }
    }
}

impl Contender for Dlmalloc {
    #[inline]
    fn alloc(&mut self, size: u64, align: Align) -> Option<u64> {
        // SAFETY: the alignment is a power of two.
        let block = unsafe { self.dlmalloc.malloc(size as usize, align.bytes() as usize) };
        (!block.is_null()).then(|| self.arena.offset(block))
    }

    #[inline]
    fn free(&mut self, at: u64, size: u64, align: Align) {
        let block = self.arena.pointer(at);
        // SAFETY: a workload frees what it was given, with the layout it asked for, once.
        unsafe { self.dlmalloc.free(block, size as usize, align.bytes() as usize) };
    }
}

/// The buddy allocator that kernels in Rust use: a list per order, inside the heap.
pub struct BuddySystem {
    heap: buddy_system_allocator::Heap<32>,
    arena: Arena,
}

/// A fresh heap.
impl Default for BuddySystem {
    fn default() -> BuddySystem {
        let mut arena = Arena::new();
        let mut heap = buddy_system_allocator::Heap::new();
        // SAFETY: the mapping is owned by the same struct and used by nothing else.
        unsafe { heap.init(arena.base() as usize, HEAP.0 as usize) };
        BuddySystem { heap, arena }
    }
}

impl Contender for BuddySystem {
    #[inline]
    fn alloc(&mut self, size: u64, align: Align) -> Option<u64> {
        self.heap.alloc(layout(size, align)).ok().map(|p| self.arena.offset(p.as_ptr()))
    }

    #[inline]
    fn free(&mut self, at: u64, size: u64, align: Align) {
        let block = self.arena.pointer(at);
        // SAFETY: no block lies at address 0.
        let block = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: a workload frees what it was given, with the layout it asked for, once.
        unsafe { self.heap.dealloc(block, layout(size, align)) };
    }
}
