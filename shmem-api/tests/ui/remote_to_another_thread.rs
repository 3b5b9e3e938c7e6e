//! So does a handle of one of its phases.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    world.share(&mut a, |_, a| {
        std::thread::scope(|s| {
            s.spawn(move || a.put_one(0, 0, 1));
        });
    });
}
