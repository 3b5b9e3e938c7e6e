//! A segment cut into windows: those that are harder to place come first.
//!
//! ```text
//!   wants:  desk 40 KiB small, heap 1 GiB big, fast 4 MiB big at 1 GiB
//!   order:  fast (strictest alignment), heap (big before small, longer first), desk
//!   ├─ fast ─┤· · · hole · · ·├──────── heap ────────┤  desk goes into the hole
//! ```
//!
//! Only the list decides, never the machine, so equal lists give equal offsets on every PE (PAGES-P5).

use super::kind::PageKind;
use super::pool::{Pool, PoolError};
use crate::budget::DomainId;
use crate::units::{Align, Bytes, Offset};

/// A window that is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Want {
    /// What it is for.
    pub name: &'static str,
    /// How long it has to be at least. 0 is allowed, and gives an empty window.
    pub len: Bytes,
    /// What its start has to be a multiple of, besides the page.
    pub align: Align,
    /// Big pages for spaces, small ones for internals.
    pub pages: PageKind,
}

/// A window that was placed. Windows of one segment are disjoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// What it is for.
    pub name: &'static str,
    /// Where it starts in the segment.
    pub at: Offset,
    /// How long it is: whole pages.
    pub len: Bytes,
    /// The pages it consists of.
    pub pages: PageKind,
}

/// Why a segment could not be carved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("segment of {segment}: no window `{name}` of {len}: {why}")]
pub struct CarveError {
    /// The length of the segment.
    pub segment: Bytes,
    /// The window for which there was no room.
    pub name: &'static str,
    /// Its length.
    pub len: Bytes,
    /// What the pool said.
    pub why: PoolError,
}

/// Places `wants` in a segment of `segment` bytes (whole big pages); the windows are in the order of
/// `wants`.
pub fn carve(segment: Bytes, wants: &[Want]) -> Result<Vec<Window>, CarveError> {
    place(segment, wants).map(|(windows, _)| windows)
}

/// The length of the shortest segment that [`carve`] can cut into `wants`.
pub fn segment_for(wants: &[Want]) -> Result<Bytes, CarveError> {
    let unlimited = Bytes(!(Align::HUGE.bytes() - 1));
    place(unlimited, wants).map(|(_, pool)| pool.map_or(Bytes(0), |p| Bytes(p.reach().0)))
}

fn place(segment: Bytes, wants: &[Want]) -> Result<(Vec<Window>, Option<Pool>), CarveError> {
    let mut order: Vec<usize> = (0..wants.len()).collect();
    order.sort_by_key(|&i| {
        let w = &wants[i];
        (std::cmp::Reverse(w.align.max(w.pages.size())), w.pages, std::cmp::Reverse(w.len))
    });
    let mut windows: Vec<Window> =
        wants.iter().map(|w| Window { name: w.name, at: Offset(0), len: Bytes(0), pages: w.pages }).collect();
    let mut pool = None;
    for i in order {
        let Want { name, len, align, pages } = wants[i];
        let failed = |why| CarveError { segment, name, len, why };
        let pool = match &mut pool {
            Some(pool) => pool,
            none => none.insert(Pool::new(DomainId(0), Offset(0), segment).map_err(failed)?),
        };
        if len.0 > 0 {
            let run = pool.take(pages, pages.holding(len), align).map_err(failed)?;
            (windows[i].at, windows[i].len) = (run.at, run.len());
        }
    }
    Ok((windows, pool))
}
