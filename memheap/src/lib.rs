//! What a symmetric heap is within one process; nothing here talks to another one.
//!
//! ```text
//!   settings ──► framework ──► Component ──open──► Opened ──init(span)──► Module
//!                                (name, priority)                          │ offsets only
//!   region  ──► one mapping of a sealed memfd                              ▼
//!                      └───────────────────────────────────────────────► space
//! ```
//!
//! * [`units`]: offsets, sizes, alignments, orders and PE numbers as types.
//! * [`settings`]: the one table of settings, from which they are parsed, printed and documented.
//! * [`component`]: the traits an allocator implements; [`framework`]: open, select, close.
//! * [`checked`]: the guard around an allocator of the program's own, whose answers it checks against its own book.
//! * [`region`]: the memory behind a heap; [`table`]: large sparse tables for metadata.
//! * [`space`]: a named heap: a window of the region and the module selected for it; [`place`]: which space a block
//!   comes from, by who must reach it.
//! * [`budget`], [`pages`], [`reserve`]: planning at boot: how large a heap is, which window is where, what the runtime
//!   takes for itself. [`global`]: one word for any byte of any PE's heap. [`map`]: pictures of heaps.
//! * [`seeds`]: what documents the systems this library grew out of and is not used by it.
//!
//! **The one rule** of the project divides this crate: everything that decides an *offset*
//! ([`component`], [`framework`], [`space`]) depends only on inputs that are equal on every PE;
//! everything that touches *memory* ([`region`]) may depend on the machine, and never decides an offset.

pub mod budget;
pub mod checked;
pub mod component;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod framework;
pub mod global;
pub mod map;
pub mod pages;
pub mod place;
pub mod region;
pub mod reserve;
pub mod seeds;
pub mod settings;
pub mod space;
pub mod table;
pub mod units;

pub use component::{
    AllocError, Block, BlockState, Component, Decline, Digest, FreeError, Module, Moved, Opened, Violation,
};
pub use settings::Settings;
pub use units::{Align, Bytes, Offset, Order, PeId, Priority, Span};
