use shmem_api::{Error, Sum, World};

fn main() -> std::process::ExitCode {
    shmem_api::run(grid)
}

/// The PEs in rows of two: sums along the rows, and a ring down each column.
fn grid(world: &World) -> Result<(), Error> {
    let me = world.pe() as u64;
    let mut cell = world.alloc_one(me)?;
    let (row, column) = world.split_2d(2)?;

    let in_row = row.reduce_one(Sum, me);
    assert_eq!(in_row, (0..row.n_pes()).map(|pe| row.translate(pe, world).unwrap() as u64).sum());

    // In a phase of a team its own numbers count, and nobody else is reached.
    let below = (column.pe() + 1) % column.n_pes();
    column.share(&mut cell, |_, cell| cell.put_one(below, 0, in_row));

    // The even PEs, the last one first. Those that are in no team get `None`.
    let evens = world.n_pes().div_ceil(2);
    if let Some(team) = world.split_strided(2 * (evens - 1), -2, evens)? {
        assert_eq!(team.translate(team.n_pes() - 1, world), Some(0));
        team.destroy()?; // or drop it
    }
    Ok(())
}
