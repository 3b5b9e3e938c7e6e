//! Conjugate gradient: solves A x = b, where A is the five-point Laplacian of a square grid and the rows of
//! the grid are spread over the PEs.
//!
//! ```text
//!   PE 1   | last row of PE 0 |  ◄── the two rows around mine come from my neighbours
//!          | my rows          |
//!          | first row of PE 2|      scalar products: everybody's part, added in the order of the PEs
//! ```
//!
//! `cg [SIDE]`. The check: b was made from a known x, and the x found must be near it; the residual is computed
//! anew from the solution, not taken from the iteration.

use std::process::ExitCode;

use shmem_api::{Error, Max, Sum, SymSlice, World};

use examples::{Share, arguments};

/// Residual over right-hand side at which the solution is good enough.
const ENOUGH: f64 = 1e-10;

fn main() -> ExitCode {
    shmem_api::run(cg)
}

/// This PE's rows of the grid, with room for the neighbours' rows around them.
struct Grid<'w> {
    world: &'w World,
    side: usize,
    mine: Share,
    /// The row above mine, my rows, the row below; the same length on every PE.
    field: SymSlice<'w, f64>,
}

fn cg(world: &World) -> Result<(), Error> {
    let (side, _) = arguments(64usize, 0);
    let mut grid = Grid::new(world, side)?;
    let wave = |at: usize| ((at % side) as f64 * 0.7).sin() + ((at / side) as f64 * 0.3).cos();
    let known: Vec<f64> = (grid.mine.start() * side..grid.mine.range().end * side).map(wave).collect();
    let b = grid.times_a(&known);

    let mut x = vec![0.0; b.len()];
    let (mut r, mut p) = (b.clone(), b.clone());
    let b_b = dot(world, &b, &b);
    let (mut r_r, mut steps) = (b_b, 0);
    while r_r > ENOUGH * ENOUGH * b_b {
        let a_p = grid.times_a(&p);
        let alpha = r_r / dot(world, &p, &a_p);
        add(&mut x, alpha, &p);
        add(&mut r, -alpha, &a_p);
        let new = dot(world, &r, &r);
        let beta = new / r_r;
        p.iter_mut().zip(&r).for_each(|(p, r)| *p = r + beta * *p);
        (r_r, steps) = (new, steps + 1);
        assert!(
            steps <= 20 * side,
            "no solution after {steps} steps; the residual is {}",
            (r_r / b_b).sqrt()
        );
    }

    let mut residual = b.clone();
    add(&mut residual, -1.0, &grid.times_a(&x));
    let residual = (dot(world, &residual, &residual) / b_b).sqrt();
    assert!(residual < 10.0 * ENOUGH, "the residual of the solution is {residual}");
    let worst = x.iter().zip(&known).map(|(x, known)| (x - known).abs()).fold(0.0, f64::max);
    let worst = world.reduce_one(Max, worst);
    assert!(worst < 1e-6, "the solution is off by {worst}");
    if world.pe() == 0 {
        let n = world.n_pes();
        eprintln!(
            "cg: {side} x {side} unknowns, {n} PEs: {steps} steps, residual {residual:.1e}, error {worst:.1e}"
        );
    }
    Ok(())
}

impl<'w> Grid<'w> {
    fn new(world: &'w World, side: usize) -> Result<Grid<'w>, Error> {
        let (me, n) = (world.pe(), world.n_pes());
        let field = world.alloc((Share::of(side, 0, n).len() + 2) * side)?;
        Ok(Grid { world, side, mine: Share::of(side, me, n), field })
    }

    /// A times a vector of which each PE has its rows.
    fn times_a(&mut self, v: &[f64]) -> Vec<f64> {
        let Grid { world, side, mine, .. } = *self;
        let (me, n) = (world.pe(), world.n_pes());
        self.field.fill(0.0);
        self.field[side..side + v.len()].copy_from_slice(v);
        world.share(&mut self.field, |_, field| {
            if mine.is_empty() {
                return;
            }
            // Shares shrink with the PE's number, so a neighbour without rows is at the end.
            if me > 0 {
                let below = Share::of(side, me - 1, n).len() + 1;
                field.put(me - 1, below * side, &v[..side]);
            }
            if me + 1 < n && !Share::of(side, me + 1, n).is_empty() {
                field.put(me + 1, 0, &v[v.len() - side..]);
            }
        });
        let field = &self.field;
        let row = |r: usize| {
            (0..side).map(move |c| {
                let at = r * side + c;
                let left = if c > 0 { field[at - 1] } else { 0.0 };
                let right = if c + 1 < side { field[at + 1] } else { 0.0 };
                4.0 * field[at] - left - right - field[at - side] - field[at + side]
            })
        };
        (1..=mine.len()).flat_map(row).collect()
    }
}

/// y += factor * x
fn add(y: &mut [f64], factor: f64, x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += factor * x);
}

/// Collective: the scalar product of two vectors of which each PE has a part; the same bits on every PE.
fn dot(world: &World, x: &[f64], y: &[f64]) -> f64 {
    let mine: f64 = x.iter().zip(y).map(|(x, y)| x * y).sum();
    world.reduce_one(Sum, mine)
}
