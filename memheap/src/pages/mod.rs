//! Pages handed out once, at boot: windows of a segment, and the names of pages.
//!
//! ```text
//!   a pool      ┌ first ┬───────┬───────┬───────┬───────┬─── fresh ──────────────┐ 2 MiB big pages
//!               │ kept  │ssssss·│ B B B │ B B B │ssss···│                        │
//!               └───────┴──────┬┴───────┴───────┴────┬──┴────────────────────────┘
//!                              └──── holes ──────────┘ 4 KiB small pages left over, used again
//!   a page name  X 4 │ Y 4 │ BPPI 11 │ SPPI 9 │ OFFSET 12     40 bits, 28 without the offset
//! ```
//!
//! There is one [`Pool`] per domain. It is static: nothing is given back. One owner uses it at boot, and
//! `&mut` says so; it has no lock. [`carve()`] cuts a whole segment into windows with one pool.
//!
//! * **P1** runs lie inside the pool, outside a first page that is kept, and never overlap;
//! * **P2** a run starts at a multiple of its page size and of the alignment asked for; one of more small
//!   pages than a big one has starts at a big page;
//! * **P3** handed out, holes, fresh and kept pages together are the pool: no page is lost;
//! * **P4** an error changes nothing; running out is an error, not the end of the program;
//! * **P5** the same calls give the same runs, so a carved segment is the same on every PE.

mod carve;
mod holes;
mod kind;
mod name;
mod pool;
#[cfg(test)]
mod tests;

pub use carve::{CarveError, Want, Window, carve, segment_for};
pub use kind::{PageKind, Pages, SMALL_PER_BIG};
pub use name::{BigPage, Bppi, FieldError, PageOffset, PhysicalAddr, Ppn, Sppi, X, Y};
pub use pool::{FirstPage, Pool, PoolError, PoolRoom, Run};
