//! Heat in a square plate: a five-point stencil, its rows spread over the PEs, which send each other their
//! outermost rows by put with signal.
//!
//! ```text
//!   PE k - 1   ...  last row ──put_signal──►  above  │ PE k's halo, two of each, used in turn,
//!   PE k + 1        first row ─put_signal──►  below  │ so that a neighbour may be a step ahead
//! ```
//!
//! A row of step s + 2 lies where that of step s was. A neighbour sends it only after it has my row of step s + 1,
//! which I send when I have read its row of step s: so no row is overwritten unread, without any barrier.
//!
//! `heat [SIDE] [STEPS] [PICTURE.ppm]`. The check: PE 0 computes the same alone, and every bit must be equal.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use shmem_api::{Cmp, Error, SignalOp, World};

use examples::{Share, arguments};

fn main() -> ExitCode {
    shmem_api::run(heat)
}

/// Rows of a plate with one row of its surroundings on either side, and cold edges left and right.
struct Plate {
    side: usize,
    /// Rows of this part, and the two around them.
    cells: Vec<f64>,
}

fn heat(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let (side, steps) = arguments(96usize, 200usize);
    // Neighbours are the PEs that have rows; the last PEs may have none.
    let mine = Share::of(side, me, n);
    let above = me.checked_sub(1).filter(|_| !mine.is_empty());
    let below = Some(me + 1).filter(|pe| *pe < n && !Share::of(side, *pe, n).is_empty());

    let mut plate = Plate::new(side, mine);
    let mut halo = world.alloc::<f64>(4 * side)?;
    let mut arrived = world.alloc_signals(2)?;
    let row_of = |step: usize, from_below: bool| (2 * (step % 2) + usize::from(from_below)) * side;
    world.share((&mut halo, &mut arrived), |_, (halo, arrived)| {
        if mine.is_empty() {
            return;
        }
        let mut row = vec![0.0; side];
        for step in 1..=steps {
            let count = SignalOp::Set(step as u64);
            if let Some(pe) = above {
                arrived.at(1).put_signal(halo, pe, row_of(step, true), plate.row(1), count);
            }
            if let Some(pe) = below {
                arrived.at(0).put_signal(halo, pe, row_of(step, false), plate.row(mine.len()), count);
            }
            for (neighbour, from_below, to) in [(above, false, 0), (below, true, mine.len() + 1)] {
                if neighbour.is_some() {
                    arrived.at(usize::from(from_below)).wait_until(Cmp::Ge, step as u64);
                    halo.get(me, row_of(step, from_below), &mut row);
                    plate.row_mut(to).copy_from_slice(&row);
                }
            }
            plate.step();
        }
    });

    let mut whole = world.alloc::<f64>(side * side)?;
    world.share(&mut whole, |_, whole| whole.put(0, mine.start() * side, plate.inner()));
    if me == 0 {
        let mut alone = Plate::new(side, Share::of(side, 0, 1));
        (0..steps).for_each(|_| alone.step());
        let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits();
        assert!(whole.iter().zip(alone.inner()).all(same), "the plate differs from that of one PE alone");
        let warm: f64 = whole.iter().sum();
        eprintln!(
            "heat: {side} x {side} cells, {steps} steps, {n} PEs, as one PE alone has it; sum {warm:.3}"
        );
        if let Some(file) = std::env::args().nth(3) {
            draw(&file, &whole, side).unwrap_or_else(|e| panic!("{file}: {e}"));
        }
    }
    Ok(())
}

impl Plate {
    /// Cold but for a hot disc in the upper left and a warm bar in the lower half.
    fn new(side: usize, rows: Share) -> Plate {
        let start = |row: usize, column: usize| {
            let (y, x) = (row as f64 / side as f64, column as f64 / side as f64);
            if (y - 0.3).hypot(x - 0.3) < 0.15 {
                100.0
            } else if (0.65..0.75).contains(&y) && (0.2..0.9).contains(&x) {
                60.0
            } else {
                0.0
            }
        };
        let mut cells = vec![0.0; side];
        cells.extend(rows.range().flat_map(|row| (0..side).map(move |column| start(row, column))));
        cells.resize(cells.len() + side, 0.0);
        Plate { side, cells }
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.cells[row * self.side..][..self.side]
    }

    fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.cells[row * self.side..][..self.side]
    }

    /// Its rows, without those around them.
    fn inner(&self) -> &[f64] {
        &self.cells[self.side..self.cells.len() - self.side]
    }

    /// Every cell moves towards the mean of its four neighbours.
    fn step(&mut self) {
        let (side, old) = (self.side, &self.cells);
        let new = |at: usize| {
            let left = if at.is_multiple_of(side) { 0.0 } else { old[at - 1] };
            let right = if at % side == side - 1 { 0.0 } else { old[at + 1] };
            old[at] + 0.2 * (left + right + old[at - side] + old[at + side] - 4.0 * old[at])
        };
        let inner: Vec<f64> = (side..old.len() - side).map(new).collect();
        self.cells[side..side + inner.len()].copy_from_slice(&inner);
    }
}

/// A portable pixmap, from black over red and yellow to white.
fn draw(file: &str, cells: &[f64], side: usize) -> std::io::Result<()> {
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    write!(out, "P6\n{side} {side}\n255\n")?;
    for cell in cells {
        let heat = cell.clamp(0.0, 100.0) * 7.65;
        let channel = |from: f64| (heat - from).clamp(0.0, 255.0) as u8;
        out.write_all(&[channel(0.0), channel(255.0), channel(510.0)])?;
    }
    out.flush()
}
