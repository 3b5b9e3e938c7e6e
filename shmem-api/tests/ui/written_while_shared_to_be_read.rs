//! What is shared to be read is read here, too, and no more.
#![forbid(unsafe_code)]
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    world.share(&a, |_, _| a[0] = 1);
}
