//! At `Multiple` a handle may go to other threads, but to none that outlives the phase.
#![forbid(unsafe_code)]
fn main() {
    let world = shmem_api::World::init_level().unwrap();
    let world: shmem_api::World<shmem_api::Multiple> = world;
    let mut a = world.alloc::<u64>(4).unwrap();
    std::thread::scope(|threads| {
        world.share(&mut a, |_, a| {
            threads.spawn(move || a.put_one(0, 0, 1));
        });
    });
}
