//! What stands below a picture.

use super::look::Look;
use super::row::Row;
use super::strips::Differences;
use crate::component::BlockState;
use crate::units::{Bytes, PeId};

/// The figures of one heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Figures {
    len: Bytes,
    live: Bytes,
    blocks: u64,
    free: Bytes,
    largest: Bytes,
}

impl Figures {
    fn of(row: &Row) -> Figures {
        let mut f = Figures { len: row.len, live: Bytes(0), blocks: 0, free: Bytes(0), largest: Bytes(0) };
        for b in &row.blocks {
            match b.state {
                BlockState::Live => {
                    f.blocks += 1;
                    f.live.0 = f.live.0.saturating_add(b.len.0);
                }
                BlockState::Free => {
                    f.free.0 = f.free.0.saturating_add(b.len.0);
                    f.largest = f.largest.max(b.len);
                }
            }
        }
        f
    }

    /// The part of the free memory that is not in the largest block, in tenths of a percent.
    fn fragmentation(&self) -> u64 {
        let scattered = u128::from(self.free.0 - self.largest.0) * 1000;
        scattered.checked_div(u128::from(self.free.0)).unwrap_or(0) as u64
    }
}

/// The letters of a text picture.
pub(super) fn legend() -> String {
    let seen = Look::ALL.iter().filter(|l| **l != Look::Nothing);
    seen.map(|l| format!("{} {}", l.letter(), l.meaning())).collect::<Vec<_>>().join("   ")
}

/// One line for each run of PEs with equal figures, and one about the differences, if any.
pub(super) fn lines(rows: &[Row], differences: &Differences) -> Vec<String> {
    let mut lines = Vec::new();
    let figures: Vec<Figures> = rows.iter().map(Figures::of).collect();
    let mut from = 0;
    for group in figures.chunk_by(|a, b| a == b) {
        lines.push(line(rows[from].pe, rows[from + group.len() - 1].pe, &group[0]));
        from += group.len();
    }
    if let Some((at, pe)) = differences.first {
        let n = differences.stretches;
        let places = if n == 1 { "1 place" } else { &format!("{n} places") };
        lines.push(format!("the PEs differ in {places}, first at {at} (PE {pe})"));
    }
    lines
}

fn line(first: PeId, last: PeId, f: &Figures) -> String {
    let who = if first == last { format!("PE {first}") } else { format!("PE {first}-{last}") };
    let (percent, tenths) = (f.fragmentation() / 10, f.fragmentation() % 10);
    format!(
        "{who}: {} heap, {} live in {} blocks, {} free, largest {}, fragmentation {percent}.{tenths} %",
        f.len, f.live, f.blocks, f.free, f.largest
    )
}
