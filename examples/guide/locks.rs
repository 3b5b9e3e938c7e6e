use shmem_api::{Error, World};

fn main() -> std::process::ExitCode {
    shmem_api::run(queue)
}

/// A queue on PE 0: numbers, and how many there are. Every PE puts in ten numbers, and takes out ten.
fn queue(world: &World) -> Result<(), Error> {
    let n = world.n_pes();
    let lock = world.alloc_lock()?;
    let mut numbers = world.alloc::<u64>(10 * n)?;
    let mut len = world.alloc_one(0usize)?;
    let taken = world.share((&mut numbers, &mut len), |_, (numbers, len)| {
        for i in 0..10 {
            let _turn = lock.lock(); // behind those that asked before
            let at = len.get_one(0, 0);
            numbers.put_one(0, at, i);
            len.put_one(0, 0, at + 1);
        } // what was put has arrived before the next one has its turn
        let take = |_| {
            let _turn = lock.lock();
            let last = len.get_one(0, 0) - 1;
            len.put_one(0, 0, last);
            numbers.get_one(0, last)
        };
        (0..10).map(take).sum::<u64>()
    });
    assert_eq!(world.reduce_one(shmem_api::Sum, taken), 45 * n as u64);
    Ok(())
}
