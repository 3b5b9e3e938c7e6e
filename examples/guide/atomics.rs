use shmem_api::{Cmp, Error, World};

fn main() -> std::process::ExitCode {
    shmem_api::run(deal)
}

/// PE 0 has the numbers 1 to 1000; everybody takes the next one until there is none, and adds it up.
fn deal(world: &World) -> Result<(), Error> {
    let n = world.n_pes();
    let mut next = world.alloc_one(1u64)?;
    let mut sum = world.alloc_one(0u64)?;
    let mut done = world.alloc_one(0u64)?;
    world.share((&mut next, &mut sum, &mut done), |phase, (next, sum, done)| {
        loop {
            let number = next.fetch_add(0, 0, 1);
            if number > 1000 {
                break;
            }
            sum.add(0, 0, number);
        }
        phase.quiet(); // the sums are there before the news of them
        done.add(0, 0, 1);
        if phase.pe() == 0 {
            // Sleeps if it takes long; whoever changes the word by an atomic wakes it.
            done.wait_until(0, Cmp::Ge, n as u64);
            assert_eq!(sum.fetch(0, 0), 500_500);
        }
    });
    Ok(())
}
