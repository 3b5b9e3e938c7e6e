//! Rows brought to the resolution of a picture.

use super::Row;
use super::sweep::sweep;
use crate::units::{Offset, PeId};

/// How a piece of a row looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    Live,
    /// Live as well: neighbours alternate, so that blocks can be told apart.
    LiveToo,
    Free,
    Mixed,
    Nothing,
    Differs,
}

/// A part of a row of one look, in units of the picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Strip {
    pub from: u32,
    pub to: u32,
    pub look: Look,
}

/// Where rows differ: how often, and the first place with the first PE that is odd there.
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

/// Paints one row from left to right. What is shorter than a unit waits for what comes next.
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
        // What waited shows in the one unit it shares with this piece, and nowhere else.
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

impl Look {
    pub(super) const ALL: [Look; 6] =
        [Look::Live, Look::LiveToo, Look::Free, Look::Mixed, Look::Nothing, Look::Differs];

    /// Both in one place: a difference hides nothing behind it and is hidden by nothing.
    fn with(self, other: Look) -> Look {
        let live = |look| matches!(look, Look::Live | Look::LiveToo);
        match (self, other) {
            (a, b) if a == b => a,
            (Look::Differs, _) | (_, Look::Differs) => Look::Differs,
            (Look::Nothing, a) | (a, Look::Nothing) => a,
            (a, b) if live(a) && live(b) => Look::Live,
            _ => Look::Mixed,
        }
    }

    pub(super) fn letter(self) -> char {
        match self {
            Look::Live => '#',
            Look::LiveToo => '=',
            Look::Free => '.',
            Look::Mixed => ':',
            Look::Nothing => ' ',
            Look::Differs => '!',
        }
    }

    pub(super) fn colour(self) -> &'static str {
        match self {
            Look::Live => "#4c78a8",
            Look::LiveToo => "#7ba3cc",
            Look::Free => "#e6e6e6",
            Look::Mixed => "#a9bfd6",
            Look::Nothing => "#ffffff",
            Look::Differs => "#d62728",
        }
    }

    pub(super) fn meaning(self) -> &'static str {
        match self {
            Look::Live => "live",
            Look::LiveToo => "live, next block",
            Look::Free => "free",
            Look::Mixed => "live and free",
            Look::Nothing => "not managed",
            Look::Differs => "differs",
        }
    }
}
