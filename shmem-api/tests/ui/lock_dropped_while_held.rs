//! A lock that is held is not dropped.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let lock = world.alloc_lock().unwrap();
    let turn = lock.lock();
    drop(lock);
    drop(turn);
}
