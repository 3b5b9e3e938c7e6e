//! A buffer of a batch must live until the batch ends.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    world.share(&mut a, |phase, a| {
        phase.batch(|q| {
            let buffer = vec![1, 2, 3];
            q.put(a, 0, 0, &buffer);
        });
    });
}
