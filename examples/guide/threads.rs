use std::process::ExitCode;

use shmem_api::{Error, Multiple, Serialized, World};

fn main() -> ExitCode {
    match World::init_level().and_then(|world| count(&world)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// Four threads of every PE count on all PEs, each by way of a context of its own.
fn count(world: &World<Multiple>) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let mut counts = world.alloc::<u64>(4)?;
    world.share(&mut counts, |_, counts| {
        std::thread::scope(|threads| {
            for thread in 0..4 {
                let ctx = world.ctx(Serialized)?;
                threads.spawn(move || {
                    let counts = counts.via(&ctx);
                    for i in 0..1000 {
                        counts.inc((me + i) % n, thread);
                    }
                    ctx.quiet(); // what this thread did, and no other
                });
            }
            Ok::<(), Error>(())
        })
    })?;
    assert_eq!(counts.iter().sum::<u64>(), 4000);
    Ok(())
}
