//! The two sizes of pages.

use std::fmt;

use crate::units::{Align, Bytes};

/// Small pages in a big one.
pub const SMALL_PER_BIG: u64 = Align::HUGE.bytes() / Align::PAGE.bytes();

/// A number of pages; of which kind stands beside it.
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
