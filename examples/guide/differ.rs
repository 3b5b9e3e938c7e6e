use shmem_api::{Error, World};

fn main() -> std::process::ExitCode {
    shmem_api::run(differ)
}

fn differ(world: &World) -> Result<(), Error> {
    let last = world.n_pes() - 1;
    let len = if world.pe() == last && last > 0 { 8 } else { 4 };
    match world.alloc::<u64>(len) {
        Err(Error::Diverged(d)) => assert_eq!(d.pe.0 as usize, last, "{d}"),
        Ok(_) => assert_eq!(last, 0, "a lone PE agrees with itself"),
        Err(other) => return Err(other),
    }
    world.alloc::<u64>(4)?; // nothing has changed, and the program goes on
    Ok(())
}
