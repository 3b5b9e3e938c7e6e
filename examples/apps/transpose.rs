//! Transpose of a matrix whose rows are spread over the PEs, by puts of blocks.
//!
//! ```text
//!   PE 0  rows 0..r   | a  b |      a block of a PE's rows and another's columns, turned here,
//!   PE 1  rows r..    | c  d |      is put row by row into the other's part:  b ─► where c was
//! ```
//!
//! `transpose [ROWS] [COLUMNS]`. Each element is a function of where it was, so every PE can check its part.

use std::process::ExitCode;

use shmem_api::{Error, World};

use examples::{Share, arguments};

fn main() -> ExitCode {
    shmem_api::run(transpose)
}

fn transpose(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let (rows, columns) = arguments(600usize, 400usize);
    let element = |row: usize, column: usize| (row * columns + column) as f64 + 0.5;

    let mine = Share::of(rows, me, n);
    let matrix: Vec<f64> = mine.range().flat_map(|r| (0..columns).map(move |c| element(r, c))).collect();
    // A row of the result is a column of the matrix. The first PE's share is the largest.
    let mut turned = world.alloc::<f64>(Share::of(columns, 0, n).len() * rows)?;
    world.share(&mut turned, |phase, turned| {
        let mut strip = Vec::new();
        for pe in (0..n).map(|i| (me + i) % n) {
            for (row, column) in Share::of(columns, pe, n).range().enumerate() {
                strip.clear();
                strip.extend((0..mine.len()).map(|r| matrix[r * columns + column]));
                turned.put(pe, row * rows + mine.start(), &strip);
            }
        }
        phase.quiet();
    });

    for (at, column) in Share::of(columns, me, n).range().enumerate() {
        for row in 0..rows {
            assert_eq!(turned[at * rows + row], element(row, column), "row {row}, column {column}");
        }
    }
    if me == 0 {
        eprintln!("transpose: {rows} x {columns} elements by {n} PEs");
    }
    Ok(())
}
