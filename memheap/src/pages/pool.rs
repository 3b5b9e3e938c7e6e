//! The pages of one domain.

use std::fmt;

use super::holes::{Holes, aligned};
use super::kind::{PageKind, Pages, SMALL_PER_BIG};
use crate::budget::DomainId;
use crate::units::{Align, Bytes, Offset};

/// A pool of big and small pages; see the [module page](super) for PAGES-P1 to PAGES-P5.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pool {
    domain: DomainId,
    // Everything below is counted in small pages from offset 0.
    fresh: u64,
    end: u64,
    holes: Holes,
}

/// Contiguous pages of one pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// Whose pages they are.
    pub domain: DomainId,
    /// Where the first starts.
    pub at: Offset,
    /// How many pages.
    pub pages: Pages,
    /// Of which size.
    pub kind: PageKind,
}

/// What is left of a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolRoom {
    /// Bytes in pages that were never used.
    pub fresh: Bytes,
    /// Bytes in holes between runs.
    pub holes: Bytes,
    /// The longest piece of either.
    pub largest: Bytes,
}

/// Why there is no such pool or run. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PoolError {
    /// A pool has to start and to end at a big page.
    #[error("a pool of {size} at {base} does not consist of whole pages of 2 MiB")]
    Unaligned {
        /// Where it should start.
        base: Offset,
        /// How long it should be.
        size: Bytes,
    },
    /// The pool would end past 2^64, or lacks a page that is to be kept.
    #[error("there is no pool of {size} at {base}")]
    Impossible {
        /// Where it should start.
        base: Offset,
        /// How long it should be.
        size: Bytes,
    },
    /// A run has to have at least one page.
    #[error("no pages requested")]
    NoPages,
    /// No piece of the pool is long enough.
    #[error("domain {}: {} {kind} pages requested, {room}", domain.0, wanted.0)]
    Exhausted {
        /// The pool's domain.
        domain: DomainId,
        /// The kind of page.
        kind: PageKind,
        /// The pages asked for.
        wanted: Pages,
        /// What the pool has.
        room: PoolRoom,
    },
}

impl Pool {
    /// A pool of the pages in `size` bytes from `base`.
    pub fn new(domain: DomainId, base: Offset, size: Bytes) -> Result<Pool, PoolError> {
        if !(base.is_aligned(Align::HUGE) && Offset(size.0).is_aligned(Align::HUGE)) {
            return Err(PoolError::Unaligned { base, size });
        }
        let end = base.checked_add(size).ok_or(PoolError::Impossible { base, size })?;
        let page = |at: Offset| at.0 / Align::PAGE.bytes();
        Ok(Pool { domain, fresh: page(base), end: page(end), holes: Holes::default() })
    }

    /// Takes `n` contiguous pages that start at a multiple of `align` (and of their own size): from a hole, else from
    /// new big pages, the rest of which becomes a hole.
    pub fn take(&mut self, kind: PageKind, n: Pages, align: Align) -> Result<Run, PoolError> {
        if n.0 == 0 {
            return Err(PoolError::NoPages);
        }
        let per_page = kind.size().bytes() / Align::PAGE.bytes();
        let domain = self.domain;
        let exhausted = |room| PoolError::Exhausted { domain, kind, wanted: n, room };
        let Some(len) = n.0.checked_mul(per_page) else { return Err(exhausted(self.room())) };
        // A run of small pages longer than a big page starts at one.
        let unit = if len > SMALL_PER_BIG { PageKind::Big } else { kind };
        let align = align.max(unit.size());
        let Some(at) = self.holes.take(len, align).or_else(|| self.open_fresh(len, align)) else {
            return Err(exhausted(self.room()));
        };
        Ok(Run { domain, at: Offset(at * Align::PAGE.bytes()), pages: n, kind })
    }

    /// Opens as many fresh big pages as `len` small pages take. What is skipped for the alignment, and
    /// the rest of the last big page, become holes.
    fn open_fresh(&mut self, len: u64, align: Align) -> Option<u64> {
        let at = aligned(self.fresh, align.max(Align::HUGE))?;
        let next = at.checked_add(len)?.checked_next_multiple_of(SMALL_PER_BIG)?;
        if next > self.end {
            return None;
        }
        self.holes.put(self.fresh, at - self.fresh);
        self.holes.put(at + len, next - (at + len));
        self.fresh = next;
        Some(at)
    }

    /// What is left.
    pub fn room(&self) -> PoolRoom {
        let bytes = |pages: u64| Bytes(pages * Align::PAGE.bytes());
        let fresh = self.end - self.fresh;
        PoolRoom {
            fresh: bytes(fresh),
            holes: bytes(self.holes.pages()),
            largest: bytes(fresh.max(self.holes.longest())),
        }
    }

    /// Where the fresh pages start: nothing past this was handed out.
    pub fn reach(&self) -> Offset {
        Offset(self.fresh * Align::PAGE.bytes())
    }
}

impl Run {
    /// Bytes of the run.
    pub fn len(&self) -> Bytes {
        Bytes(self.pages.0 * self.kind.size().bytes())
    }

    /// Always false: a run has at least one page.
    pub fn is_empty(&self) -> bool {
        self.pages.0 == 0
    }
}

impl fmt::Display for PoolRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fresh, {} in holes, longest piece {}", self.fresh, self.holes, self.largest)
    }
}
