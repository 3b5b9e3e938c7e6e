//! A buffer of a batch cannot be changed before the batch ends.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    let mut buffer = vec![1, 2, 3];
    world.share(&mut a, |phase, a| {
        phase.batch(|q| {
            q.put(a, 0, 0, &buffer);
            buffer[0] = 9;
        });
    });
}
