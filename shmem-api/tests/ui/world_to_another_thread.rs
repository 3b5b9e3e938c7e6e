//! A single-threaded world stays on its thread.
fn main() {
    let world = shmem_api::World::init().unwrap();
    std::thread::scope(|s| {
        s.spawn(|| world.barrier());
    });
}
