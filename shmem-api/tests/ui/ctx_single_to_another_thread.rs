//! A context of a single-threaded world stays on its thread.
use shmem_api::{Serialized, World};

fn main() {
    let world = World::init().unwrap();
    let ctx = world.ctx(Serialized).unwrap();
    std::thread::scope(|s| {
        s.spawn(move || ctx.quiet());
    });
}
