//! What a symmetric heap is, without any process-to-process traffic.
//!
//! ```text
//!   settings ──► framework ──► Component ──open──► Opened ──init(span)──► Module
//!                                (name, priority)                          │ offsets only
//!   region  ──► one mapping of a sealed memfd                              ▼
//!                      └───────────────────────────────────────────────► space
//! ```
//!
//! * [`units`]: offsets, sizes, alignments, orders and PE numbers as types.
//! * [`settings`]: the one table of settings; parsed, printed and documented from there.
//! * [`component`]: the traits an allocator implements; [`framework`]: open, select, close.
//! * [`checked`]: the guard around a component nobody vouches for, with a book of its own.
//! * [`region`]: the memory behind a heap; [`table`]: large sparse tables for metadata.
//! * [`place`]: who must reach a block, whom it should be near; which space it comes from.
//! * [`space`]: a named heap: a window of the region and the module selected for it.
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
