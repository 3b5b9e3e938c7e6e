//! A shared object cannot be dropped in its phase.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    world.share(&mut a, |_, _| drop(a));
}
