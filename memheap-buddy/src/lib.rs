//! The buddy allocator as a memheap component.
//!
//! ```text
//!   lib      the component: settings in, a heap per space out
//!   heap     Module: alloc, free, realloc; the invariants BUDDY-I1 to BUDDY-I6
//!   ├─ free     all free blocks: take the lowest of the smallest order, give back and merge
//!   │  ├─ path     those beside one path of the tree: two words, no loop
//!   │  └─ bitmaps  the others: a bitmap per order under 64-way summaries
//!   └─ sizes    the order of every live block
//! ```
//!
//! All of it lies outside the heap, in sparse tables; a heap of 1 TiB costs a few pages to start. A call takes about
//! as long in a large heap as in a small one. The price is the rounding of sizes to powers of two: an allocation
//! fails when about 72 % of the heap are live, where an allocator with boundary tags reaches 99 %.
#![forbid(unsafe_code)]

mod bitmaps;
mod free;
mod heap;
mod path;
mod sizes;

#[cfg(test)]
mod tests;

use memheap::settings::BUDDY_MIN_ORDER;
use memheap::{Component, Decline, Module, Opened, Order, Priority, Settings, Span};

use crate::heap::Heap;
use crate::sizes::SizeTable;

/// The component: `buddy`.
#[derive(Clone, Copy, Default, Debug)]
pub struct Buddy;

/// The smallest block by default: a cache line. With smaller ones, objects that different PEs write would share a line,
/// and each order less makes the tables twice as long.
const DEFAULT_MIN_ORDER: Order = Order(6);

impl Component for Buddy {
    fn name(&self) -> &'static str {
        "buddy"
    }

    fn priority(&self) -> Priority {
        Priority(1)
    }

    fn open(&self, settings: &Settings) -> Result<Box<dyn Opened>, Decline> {
        // The table of settings has limited it to 3 to 21.
        let min = settings.count(&BUDDY_MIN_ORDER).map_or(DEFAULT_MIN_ORDER, |n| Order(n as u8));
        Ok(Box::new(OpenBuddy { min }))
    }
}

/// The component with its settings read.
struct OpenBuddy {
    min: Order,
}

impl Opened for OpenBuddy {
    fn init(&self, span: Span) -> Result<Box<dyn Module>, Decline> {
        make(span, self.min, sizes(span, self.min))
    }
}

/// The direct table where the system gives the address space for it.
fn sizes(span: Span, min: Order) -> SizeTable {
    SizeTable::direct(span.len.0, min).unwrap_or_else(|_| SizeTable::hashed())
}

/// A heap with as few levels as `span` needs, of the numbers that are compiled.
fn make(span: Span, min: Order, sizes: SizeTable) -> Result<Box<dyn Module>, Decline> {
    if span.len.0 >> 63 != 0 {
        return Err(Decline(format!("{} is more than half the address space", span.len)));
    }
    match bitmaps::levels(span.len.0, min) {
        ..=4 => boxed::<4>(span, min, sizes),
        5 => boxed::<5>(span, min, sizes),
        6 => boxed::<6>(span, min, sizes),
        _ => boxed::<10>(span, min, sizes),
    }
}

fn boxed<const LEVELS: usize>(span: Span, min: Order, sizes: SizeTable) -> Result<Box<dyn Module>, Decline> {
    match Heap::<LEVELS>::new(span, min, sizes) {
        Ok(heap) => Ok(Box::new(heap)),
        Err(e) => Err(Decline(format!("no address space for the bitmaps of {}: {e}", span.len))),
    }
}
