//! A type that is not valid for any bytes cannot lie in symmetric memory.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let _ = world.alloc::<bool>(4);
}
