//! An object is not in a collective while it is shared.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    world.share(&mut a, |_, _| world.broadcast(&mut a, 0));
}
