//! One object is not both ends of a collective; the forms in place are for that.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    world.reduce(shmem_api::Sum, &mut a, &a);
}
