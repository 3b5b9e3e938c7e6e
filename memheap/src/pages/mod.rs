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
mod name;
mod pool;
#[cfg(test)]
mod tests;

use std::fmt;

pub use carve::{CarveError, Want, Window, carve, segment_for};
pub use name::{BigPage, Bppi, FieldError, PageOffset, PhysicalAddr, Ppn, Sppi, X, Y};
pub use pool::{FirstPage, Pool, PoolError, PoolRoom, Run};

use crate::units::{Align, Bytes};

/// Small pages in a big one.
pub const SMALL_PER_BIG: u64 = Align::HUGE.bytes() / Align::PAGE.bytes();

/// A number of pages, of the kind said beside it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Pages(pub u64);

/// The two sizes of pages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PageKind {
    /// 2 MiB.
    Big,
    /// 4 KiB.
    Small,
}

impl PageKind {
    /// The size of such a page, which is its alignment too.
    pub const fn size(self) -> Align {
        match self {
            PageKind::Big => Align::HUGE,
            PageKind::Small => Align::PAGE,
        }
    }

    /// The pages that hold `len` bytes.
    pub const fn holding(self, len: Bytes) -> Pages {
        Pages(len.0.div_ceil(self.size().bytes()))
    }
}

impl fmt::Display for PageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PageKind::Big => "big",
            PageKind::Small => "small",
        })
    }
}
