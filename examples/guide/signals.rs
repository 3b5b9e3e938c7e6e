use shmem_api::{Cmp, Error, SignalOp, World};

fn main() -> std::process::ExitCode {
    shmem_api::run(stream)
}

/// Every PE sends its right neighbour ten blocks through a room of one, and no PE waits for all.
fn stream(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let (next, left) = ((me + 1) % n, (me + n - 1) % n);
    let mut inbox = world.alloc::<u64>(100)?;
    let mut full = world.alloc_signal()?;
    let mut empty = world.alloc_signal()?;
    world.share((&mut inbox, &mut full, &mut empty), |_, (inbox, full, empty)| {
        for round in 1..=10 {
            // The neighbour has read what came before; then the data, and after it the signal.
            empty.wait_until(Cmp::Ge, round - 1);
            full.put_signal(inbox, next, 0, &[round * me as u64; 100], SignalOp::Set(round));

            full.wait_until(Cmp::Ge, round);
            assert_eq!(inbox.get_vec(me, 0..100), [round * left as u64; 100]);
            empty.add(left, 1);
        }
    });
    assert_eq!((full.value(), empty.value()), (10, 10));
    full.reset(); // local, between phases
    Ok(())
}
