//! Nor is there a way to write it between phases but to reset it.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut signals = world.alloc_signals(4).unwrap();
    signals[0] = 5;
}
