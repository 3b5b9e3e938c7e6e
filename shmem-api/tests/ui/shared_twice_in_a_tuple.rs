//! An object cannot be shared twice in one phase.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    world.share((&mut a, &mut a), |_, _| ());
}
