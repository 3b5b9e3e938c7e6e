//! What is measured: something that hands out blocks of a heap and takes them back.

use memheap::{Align, Bytes, Component, Module, Offset, Settings, Span};

/// The heap of every contender, unless a table says otherwise.
pub const HEAP: Bytes = Bytes::gib(1);

/// An allocator over one fixed heap.
pub trait Contender {
    /// A block of `size` bytes at a multiple of `align`, by its offset in the heap.
    fn alloc(&mut self, size: u64, align: Align) -> Option<u64>;

    /// Gives the block at `at` back, which was asked for with this size and alignment.
    fn free(&mut self, at: u64, size: u64, align: Align);
}

/// No allocator: what the loops themselves cost.
#[derive(Debug, Default)]
pub struct Null(u64);

impl Contender for Null {
    #[inline(never)]
    fn alloc(&mut self, size: u64, _: Align) -> Option<u64> {
        self.0 = self.0.wrapping_add(size) & (HEAP.0 - 1);
        Some(self.0)
    }

    #[inline(never)]
    fn free(&mut self, at: u64, _: u64, _: Align) {
        self.0 ^= at & 64;
    }
}

/// One of ours, called as the runtime calls it: through the trait object, without a lock.
pub struct Ours(Box<dyn Module>);

impl Ours {
    /// A fresh heap of `len` bytes, with no setting but the defaults.
    ///
    /// # Panics
    /// If the component declines.
    pub fn new(component: &dyn Component, len: Bytes) -> Ours {
        let opened = component.open(&Settings::default()).expect("it takes part by default");
        Ours(opened.init(Span { len }).expect("the heap is of a size it manages"))
    }
}

impl Contender for Ours {
    #[inline]
    fn alloc(&mut self, size: u64, align: Align) -> Option<u64> {
        self.0.alloc(Bytes(size), align).ok().map(|at| at.0)
    }

    #[inline]
    fn free(&mut self, at: u64, _: u64, _: Align) {
        let freed = self.0.free(Offset(at));
        debug_assert!(freed.is_ok(), "{freed:?}");
    }
}
