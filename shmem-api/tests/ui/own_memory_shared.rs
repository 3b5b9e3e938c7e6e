//! Memory of one PE is nobody else's: it can be neither shared nor given to a collective.
#![forbid(unsafe_code)]
use shmem_api::Near;

fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut own = world.alloc_own::<u64>(4, Near::Any).unwrap();
    world.share(&mut own, |_, _| ());
    world.broadcast::<u64>(&mut own, 0);
}
