//! A local slice cannot be held while the object is shared.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    let slice = &mut a[..];
    world.share(&mut a, |_, _| slice[0] = 1);
}
