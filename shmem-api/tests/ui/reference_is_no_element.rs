//! Nor one with a pointer in it.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let _ = world.alloc::<&'static str>(4);
}
