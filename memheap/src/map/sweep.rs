//! Goes through all rows at once and says, stretch by stretch, what each has there.

use std::collections::BTreeMap;

use super::look::Look;
use super::row::Row;
use crate::component::{Block, BlockState};

/// What a row has in a stretch: the block's place, length and state, or nothing. Rows agree where these
/// are equal.
type Content = Option<(u64, u64, bool)>;

/// Calls `paint(row, to, look)` for each row with stretches that start at 0 and follow one another up to the end of the
/// longest heap, and `differ(at, row)` where rows begin to differ, with the first row that differs from most.
pub(super) fn sweep(
    rows: &[Row],
    mut paint: impl FnMut(usize, u64, Look),
    mut differ: impl FnMut(u64, usize),
) {
    let end = rows.iter().map(|r| r.len.0).max().unwrap_or(0);
    let mut cursors: Vec<Cursor<'_>> = rows.iter().map(Cursor::new).collect();
    let mut contents = Vec::with_capacity(rows.len());
    let (mut at, mut marked, mut shade) = (0, None, Shade::default());
    while at < end {
        contents.clear();
        contents.extend(cursors.iter_mut().map(|c| c.content(at)));
        let to = cursors.iter().map(|c| c.until(at, end)).min().unwrap_or(end);
        let usual = most(&contents);
        shade.reach(usual);
        let odd = contents.iter().position(|c| *c != usual);
        for (row, content) in contents.iter().enumerate() {
            paint(row, to, if *content == usual { shade.look(usual) } else { Look::Differs });
        }
        // Adjacent stretches in which rows differ count as one.
        if let Some(row) = odd.filter(|_| marked != Some(at)) {
            differ(at, row);
        }
        marked = odd.map(|_| to);
        at = to;
    }
}

/// What most rows have; the first of the most frequent contents where there are several.
fn most(contents: &[Content]) -> Content {
    let first = contents.first().copied().flatten();
    if contents.iter().all(|c| *c == first) {
        return first;
    }
    let mut counts: BTreeMap<Content, usize> = BTreeMap::new();
    for content in contents {
        *counts.entry(*content).or_default() += 1;
    }
    let top = counts.values().copied().max().unwrap_or(0);
    contents.iter().copied().find(|c| counts[c] == top).flatten()
}

/// Which of the two looks of live blocks is next. It follows what most rows have, so that rows that agree look alike,
/// whatever came before.
#[derive(Default)]
struct Shade {
    block: Content,
    second: bool,
}

impl Shade {
    fn reach(&mut self, content: Content) {
        if content != self.block && content.is_some_and(|(.., live)| live) {
            self.second = self.block.is_some() && !self.second;
            self.block = content;
        }
    }

    fn look(&self, content: Content) -> Look {
        match content {
            None => Look::Nothing,
            Some((.., false)) => Look::Free,
            Some(_) if self.second => Look::LiveToo,
            Some(_) => Look::Live,
        }
    }
}

/// A place in the list of a row's blocks.
struct Cursor<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Cursor<'r> {
    fn new(row: &'r Row) -> Cursor<'r> {
        Cursor { row, next: 0 }
    }

    /// Start and end of a block within the row.
    fn bounds(&self, block: &Block) -> (u64, u64) {
        let start = block.at.0.saturating_sub(self.row.start.0);
        (start, start.saturating_add(block.len.0).min(self.row.len.0))
    }

    /// The block at `at`, if the last step has reached one.
    fn block(&self, at: u64) -> Option<&'r Block> {
        self.row.blocks.get(self.next).filter(|b| self.bounds(b).0 <= at)
    }

    /// Moves on to `at`, which is never lower than in the call before.
    fn content(&mut self, at: u64) -> Content {
        while self.row.blocks.get(self.next).is_some_and(|b| self.bounds(b).1 <= at) {
            self.next += 1;
        }
        self.block(at).map(|b| (self.bounds(b).0, b.len.0, b.state == BlockState::Live))
    }

    /// Where the block or the gap at `at` ends.
    fn until(&self, at: u64, end: u64) -> u64 {
        let blocks = &self.row.blocks;
        let edge = match self.block(at) {
            Some(b) => self.bounds(b).1,
            None => blocks.get(self.next).map_or(self.row.len.0, |b| self.bounds(b).0),
        };
        if edge > at { edge.min(end) } else { end }
    }
}
