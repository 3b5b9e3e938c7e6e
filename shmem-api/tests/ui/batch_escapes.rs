//! A batch ends before its phase: it cannot be kept for later.
#![forbid(unsafe_code)]
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    let src = [1u64];
    world.share(&mut a, |phase, a| {
        let mut kept = None;
        phase.batch(|batch| kept = Some(batch));
        kept.unwrap().put(a, 0, 0, &src);
    });
}
