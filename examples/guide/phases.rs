use shmem_api::{Error, World};

fn main() -> std::process::ExitCode {
    shmem_api::run(smooth)
}

/// Every PE has 100 cells and two borders, into which its neighbours put their outermost cells.
fn smooth(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let mut cells = vec![me as f64; 100];
    let mut borders = world.alloc::<f64>(2)?;
    for _ in 0..10 {
        world.share(&mut borders, |_, borders| {
            borders.put_one((me + n - 1) % n, 1, cells[0]);
            borders.put_one((me + 1) % n, 0, cells[99]);
        });
        // Local again: an ordinary slice, and everything that was put is there.
        let old = cells.clone();
        for i in 0..100 {
            let left = if i == 0 { borders[0] } else { old[i - 1] };
            let right = if i == 99 { borders[1] } else { old[i + 1] };
            cells[i] = (left + 2.0 * old[i] + right) / 4.0;
        }
    }

    let mut sum = world.alloc_one(cells.iter().sum::<f64>())?;
    let all: f64 = world.share(&sum, |phase, sum| (0..phase.n_pes()).map(|pe| sum.get_one(pe, 0)).sum());
    *sum = all;
    assert!((all - 50.0 * (n * (n - 1)) as f64).abs() < 1e-6, "smoothing keeps the sum");
    Ok(())
}
