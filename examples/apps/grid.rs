//! Teams in a 2D grid: multiplies two matrices whose blocks are spread over a grid of PEs (SUMMA).
//!
//! ```text
//!              columns ►              for each panel p of the inner dimension:
//!   rows  | PE 0 | PE 1 |               its owner in my row broadcasts its part of A's columns
//!    ▼    | PE 2 | PE 3 |               its owner in my column broadcasts its part of B's rows
//!                                       my block of C += panel of A x panel of B
//! ```
//!
//! `grid [BLOCK]`: the matrices have BLOCK x rows x columns of the grid rows and columns, so that all divides. Elements
//! are small integers, so that the products are exact whatever the order; each PE checks its block of C against the sum
//! as the definition has it.

use std::process::ExitCode;

use shmem_api::{Error, Sum, World};

use examples::arguments;

fn main() -> ExitCode {
    shmem_api::run(grid)
}

fn a(row: usize, inner: usize) -> f64 {
    ((row * 3 + inner) % 7) as f64 - 3.0
}

fn b(inner: usize, column: usize) -> f64 {
    ((inner + column * 5) % 11) as f64 - 5.0
}

fn grid(world: &World) -> Result<(), Error> {
    let n = world.n_pes();
    let (block, _) = arguments(12usize, 0);
    // The widest grid that is no wider than high and has no gaps.
    let width = (1..=n).filter(|w| n.is_multiple_of(*w) && w * w <= n).max().unwrap_or(1);
    let height = n / width;
    let size = block * width * height;
    let (rows, columns) = (size / height, size / width);

    let (row, column) = world.split_2d(width)?;
    let (x, y) = (row.pe(), column.pe());
    assert_eq!(
        (row.n_pes(), column.n_pes(), y * width + x),
        (width, height, world.pe()),
        "the grid has no gaps"
    );
    let (first_row, first_column) = (y * rows, x * columns);

    let mut of_a = world.alloc::<f64>(rows * block)?;
    let mut of_b = world.alloc::<f64>(block * columns)?;
    let mut c = vec![0.0; rows * columns];
    for panel in 0..width * height {
        let inner = panel * block;
        // A's columns are spread over the row, B's rows over the column.
        let (owner_x, owner_y) = (panel / height, panel / width);
        if x == owner_x {
            (0..rows * block).for_each(|i| of_a[i] = a(first_row + i / block, inner + i % block));
        }
        if y == owner_y {
            (0..block * columns).for_each(|i| of_b[i] = b(inner + i / columns, first_column + i % columns));
        }
        row.broadcast(&mut of_a, owner_x);
        column.broadcast(&mut of_b, owner_y);
        for (r, c_row) in c.chunks_mut(columns.max(1)).enumerate() {
            for k in 0..block {
                let (factor, b_row) = (of_a[r * block + k], &of_b[k * columns..][..columns]);
                c_row.iter_mut().zip(b_row).for_each(|(c, b)| *c += factor * b);
            }
        }
    }

    for (i, found) in c.iter().enumerate() {
        let (r, s) = (first_row + i / columns, first_column + i % columns);
        let expected: f64 = (0..size).map(|k| a(r, k) * b(k, s)).sum();
        assert_eq!(*found, expected, "element {r}, {s}");
    }
    let trace: f64 =
        (0..c.len()).filter(|i| first_row + i / columns == first_column + i % columns).map(|i| c[i]).sum();
    // Along the rows and then along the columns is everybody.
    let trace_of_all = column.reduce_one(Sum, row.reduce_one(Sum, trace));
    assert_eq!(trace_of_all, world.reduce_one(Sum, trace), "the sum over the grid and over the world");
    if world.pe() == 0 {
        eprintln!(
            "grid: {size} x {size} matrices on {n} PEs, {height} rows of {width}; the trace is {trace_of_all}"
        );
    }
    Ok(())
}
