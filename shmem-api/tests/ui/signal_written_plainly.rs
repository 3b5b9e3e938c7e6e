//! A signal is only changed by signal operations.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut signal = world.alloc_signal().unwrap();
    world.share(&mut signal, |_, signal| signal.put_one(0, 0, 1));
}
