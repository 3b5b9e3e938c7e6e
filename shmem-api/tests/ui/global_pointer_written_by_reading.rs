//! A pointer into an object that is shared to be read writes nothing.
#![forbid(unsafe_code)]
fn main() {
    let world = shmem_api::World::init().unwrap();
    let a = world.alloc::<u64>(4).unwrap();
    world.share(&a, |_, a| {
        let first = a.global(0, 0);
        first.put(&a, 1);
        first.inc(&a);
    });
}
