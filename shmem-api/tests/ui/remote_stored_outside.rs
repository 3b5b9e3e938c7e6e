//! Nor be stored in a variable outside of it.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    let mut kept = None;
    world.share(&mut a, |_, remote| kept = Some(remote));
}
