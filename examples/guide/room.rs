use shmem_api::memheap::{component::AllocError, place::PlaceError};
use shmem_api::{Error, World};

fn main() -> std::process::ExitCode {
    shmem_api::run(fits)
}

fn fits(world: &World) -> Result<(), Error> {
    let total = world.heap().total.0 as usize;
    let first = world.alloc::<u8>(total / 2)?;
    match world.alloc::<u8>(total) {
        Err(Error::Alloc { why: PlaceError::Alloc(AllocError::Exhausted { largest, .. }), .. }) => {
            // Every PE gets the same error, so every PE can take the same way out.
            let second = world.alloc::<u8>(largest.0 as usize)?;
            assert!(second.len() <= total - first.len());
        }
        other => panic!("more than all of it: {other:?}"),
    }
    drop(first); // given back at the next collective call after all PEs have dropped it
    world.reclaim()?; // or now
    assert_eq!(world.heap().figures.live_blocks, 0);
    Ok(())
}
