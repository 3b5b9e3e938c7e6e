//! An object shared by `&` cannot be written.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let a = world.alloc::<u64>(4).unwrap();
    world.share(&a, |_, a| a.put_one(0, 0, 1));
}
