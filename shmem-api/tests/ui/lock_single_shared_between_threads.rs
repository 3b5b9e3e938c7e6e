//! A lock of a single-threaded world stays on its thread.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let lock = world.alloc_lock().unwrap();
    std::thread::scope(|s| {
        s.spawn(|| drop(lock.lock()));
    });
}
