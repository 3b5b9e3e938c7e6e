//! There are no atomics on bytes.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u8>(4).unwrap();
    world.share(&mut a, |_, a| a.fetch_add(0, 0, 1));
}
