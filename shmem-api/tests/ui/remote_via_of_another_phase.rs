//! A handle of an inner phase is not kept for the outer one, by way of a context or not.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let ctx = world.ctx(shmem_api::Serialized).unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    let mut b = world.alloc::<u64>(4).unwrap();
    world.share(&mut a, |_, a| {
        let mut handles = vec![a.via(&ctx)];
        world.share(&mut b, |_, b| handles.push(b.via(&ctx)));
        handles[1].put_one(0, 0, 1);
    });
}
