//! What a non-blocking atomic fetches is there at the end of the batch.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    let mut was = 0;
    world.share(&mut a, |phase, a| {
        phase.batch(|q| {
            q.fetch_add(a, 0, 0, 1, &mut was);
            assert_eq!(was, 0);
        });
    });
}
