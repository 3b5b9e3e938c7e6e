use shmem_api::memheap::PeId;
use shmem_api::{Error, Near, Reach, World};

fn main() -> std::process::ExitCode {
    shmem_api::run(places)
}

fn places(world: &World) -> Result<(), Error> {
    // Collective, and `reach` equal on all PEs. Nearness is each PE's own wish.
    let near = if world.pe() == 0 { Near::Interleave } else { Near::Pe(PeId(0)) };
    let table = world.alloc_at::<u64>(1000, Reach::Host, near)?;
    let buffer = match world.alloc_at::<u8>(4096, Reach::Dma, Near::Any) {
        Err(Error::Pinned { pe, limit, .. }) => {
            eprintln!("PE {pe} may not lock memory (limit here: {limit})"); // on every PE alike
            return Ok(());
        }
        other => other?,
    };
    assert_eq!(table.len() + buffer.len(), 5096);

    // Not collective: each PE as much as it likes, and no other PE can reach it.
    let mut own = world.alloc_own::<u32>(world.pe() + 1, Near::Any)?;
    own.fill(7);
    Ok(())
}
