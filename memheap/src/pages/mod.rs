//! Pages handed out once, at boot: a segment cut into windows.
//!
//! ```text
//!   a pool   ┌───────┬───────┬───────┬───────┬─── fresh ──────────────┐ 2 MiB big pages
//!            │ssssss·│ B B B │ B B B │ssss···│                        │
//!            └──────┬┴───────┴───────┴────┬──┴────────────────────────┘
//!                   └──── holes ──────────┘ 4 KiB small pages left over, used again
//! ```
//!
//! A [`Pool`] has the pages of one domain. It is static: nothing is given back. One owner uses it at boot, and
//! `&mut` says so; it has no lock. [`carve()`] cuts a whole segment into windows with one pool.
//!
//! * **PAGES-P1** runs lie inside the pool and never overlap;
//! * **PAGES-P2** a run starts at a multiple of its page size and of the alignment asked for; a run of more small pages
//!   than a big page has starts at a big page;
//! * **PAGES-P3** pages handed out, in holes and fresh together are the pool: no page is lost;
//! * **PAGES-P4** an error changes nothing; running out is an error, not the end of the program;
//! * **PAGES-P5** the same calls give the same runs, so a carved segment is the same on every PE.

mod carve;
mod holes;
mod kind;
mod pool;
#[cfg(test)]
mod tests;

pub use carve::{CarveError, Want, Window, carve, segment_for};
pub use kind::{PageKind, Pages, SMALL_PER_BIG};
pub use pool::{Pool, PoolError, PoolRoom, Run};
