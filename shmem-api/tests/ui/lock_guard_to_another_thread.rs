//! A lock is released by the thread that took it, at every thread level.
use shmem_api::{Multiple, World};

fn main() {
    let world = World::<Multiple>::init_level().unwrap();
    let lock = world.alloc_lock().unwrap();
    let turn = lock.lock();
    std::thread::scope(|s| {
        s.spawn(move || drop(turn));
    });
}
