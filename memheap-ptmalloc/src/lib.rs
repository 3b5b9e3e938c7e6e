//! The ptmalloc component: the design of dlmalloc and ptmalloc3, with the boundary tags moved out of the heap.
//!
//! ```text
//!   Ptmalloc ──open──► (nothing to keep) ──init(span)──► Heap
//!                                                         ├── chunks   descriptors, linked by address and in bins
//!                                                         ├── starts   offset ──► descriptor
//!                                                         └── bins     size ──► list of free chunks
//! ```
//!
//! [`heap`] is the allocator itself, with its invariants. It is made of [`chunks`], [`starts`] and [`bins`]; these
//! count in the granules of [`units`], and their tables consist of the words of [`width`]. `STRUCTURE.md` has the
//! measurements behind the choice of these structures.
#![forbid(unsafe_code)]

pub mod bins;
pub mod chunks;
pub mod heap;
pub mod starts;
pub mod units;
pub mod width;

pub use heap::Heap;
use memheap::component::{Component, Decline, Module, Opened, Priority};
use memheap::{Settings, Span};

/// The component.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ptmalloc;

impl Component for Ptmalloc {
    fn name(&self) -> &'static str {
        "ptmalloc"
    }

    fn priority(&self) -> Priority {
        Priority(100)
    }

    fn open(&self, _settings: &Settings) -> Result<Box<dyn Opened>, Decline> {
        Ok(Box::new(Ptmalloc))
    }
}

impl Opened for Ptmalloc {
    fn init(&self, span: Span) -> Result<Box<dyn Module>, Decline> {
        match Heap::<u32>::new(span) {
            Ok(heap) => Ok(Box::new(heap)),
            Err(_) => Ok(Box::new(Heap::<u64>::new(span)?)),
        }
    }
}
