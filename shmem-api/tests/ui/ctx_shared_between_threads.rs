//! A context is used by one thread at a time, at every thread level.
use shmem_api::{Multiple, Serialized, World};

fn main() {
    let world = World::<Multiple>::init_level().unwrap();
    let ctx = world.ctx(Serialized).unwrap();
    std::thread::scope(|s| {
        s.spawn(|| ctx.quiet());
    });
}
