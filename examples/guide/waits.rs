use shmem_api::{Cmp, Error, World};

fn main() -> std::process::ExitCode {
    shmem_api::run(gather)
}

/// Every PE sends PE 0 a result; PE 0 takes them in the order in which they come.
fn gather(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let mut results = world.alloc::<u64>(n)?;
    let mut come = world.alloc::<u64>(n)?;
    world.share((&mut results, &mut come), |phase, (results, come)| {
        results.put_one(0, me, (me as u64 + 1) * 10);
        phase.fence(); // the result is there before the news of it
        come.set(0, me, 1);
        if me == 0 {
            let mut done = vec![false; n];
            let mut sum = 0;
            // Those that are done are left out; with nobody left, there is nothing to wait for.
            while let Some(pe) = come.watch((0..n).filter(|pe| !done[*pe]), Cmp::Eq, 1).wait_any() {
                sum += results.read(pe);
                done[pe] = true;
            }
            assert_eq!(sum, (1..=n as u64).map(|i| i * 10).sum());
        }
    });
    Ok(())
}
