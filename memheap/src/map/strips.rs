//! Rows brought to the resolution of a picture.

use super::look::Look;
use super::row::Row;
use super::sweep::sweep;
use crate::units::{Offset, PeId};

/// A part of a row of one look, in units of the picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Strip {
    pub from: u32,
    pub to: u32,
    pub look: Look,
}

/// In how many stretches rows differ, and where the first one is, with the first PE that differs from most there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Differences {
    pub stretches: u64,
    pub first: Option<(Offset, PeId)>,
}

/// The strips of every row, and where rows differ.
pub(super) struct Picture {
    pub rows: Vec<Vec<Strip>>,
    pub differences: Differences,
}

/// Draws `rows`, the longest of them `width` units wide.
pub(super) fn draw(rows: &[Row], width: u32) -> Picture {
    let total = rows.iter().map(|r| r.len.0).max().unwrap_or(0);
    let mut brushes = vec![Brush::default(); rows.len()];
    let mut differences = Differences::default();
    let scale = |at: u64| (u128::from(at) * u128::from(width) / u128::from(total.max(1))) as u32;
    sweep(
        rows,
        |row, to, look| brushes[row].paint(scale(to), look),
        |at, row| {
            differences.stretches += 1;
            differences.first.get_or_insert((Offset(rows[row].start.0 + at), rows[row].pe));
        },
    );
    if total == 0 {
        brushes.iter_mut().for_each(|b| b.paint(width, Look::Nothing));
    }
    Picture { rows: brushes.into_iter().map(|b| b.strips).collect(), differences }
}

/// Paints one row from left to right. A piece that is shorter than a unit waits for the next piece.
#[derive(Clone, Default)]
struct Brush {
    at: u32,
    waiting: Option<Look>,
    strips: Vec<Strip>,
}

impl Brush {
    fn paint(&mut self, to: u32, look: Look) {
        if to == self.at {
            self.waiting = Some(self.waiting.take().map_or(look, |w| w.with(look)));
            return;
        }
        // What waited is drawn in the one unit that it shares with this piece.
        if let Some(waiting) = self.waiting.take() {
            self.strip(self.at + 1, waiting.with(look));
        }
        if to > self.at {
            self.strip(to, look);
        }
    }

    fn strip(&mut self, to: u32, look: Look) {
        match self.strips.last_mut().filter(|s| s.look == look) {
            Some(same) => same.to = to,
            None => self.strips.push(Strip { from: self.at, to, look }),
        }
        self.at = to;
    }
}

impl Strip {
    pub(super) fn width(&self) -> u32 {
        self.to - self.from
    }
}
