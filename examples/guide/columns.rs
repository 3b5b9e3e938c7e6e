use shmem_api::{Error, World};

fn main() -> std::process::ExitCode {
    shmem_api::run(columns)
}

/// Each PE has a matrix of 4 rows and 6 columns. Its last column becomes the first one of its right neighbour.
fn columns(world: &World) -> Result<(), Error> {
    const ROWS: usize = 4;
    const COLUMNS: usize = 6;
    let (me, n) = (world.pe(), world.n_pes());
    let mut matrix = world.alloc::<f32>(ROWS * COLUMNS)?;
    let mine: Vec<f32> = (0..ROWS * COLUMNS).map(|i| (100 * me + i) as f32).collect();
    world.share(&mut matrix, |_, matrix| {
        // From element 5 on every 6th; there from element 0 on every 6th.
        matrix.iput((me + 1) % n, 0, COLUMNS, &mine[COLUMNS - 1..], COLUMNS);
    });
    let left = (me + n - 1) % n;
    for (row, cells) in matrix.chunks(COLUMNS).enumerate() {
        let last_of_left = (100 * left + row * COLUMNS + COLUMNS - 1) as f32;
        assert_eq!(cells, [last_of_left, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }
    Ok(())
}
