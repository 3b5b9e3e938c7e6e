//! The handle of a phase cannot leave its closure.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    let kept = world.share(&mut a, |_, remote| remote);
    kept.put_one(0, 0, 1);
}
