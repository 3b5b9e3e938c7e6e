//! A private context stays on its thread, at every thread level.
use shmem_api::{Multiple, Private, World};

fn main() {
    let world = World::<Multiple>::init_level().unwrap();
    let ctx = world.ctx(Private).unwrap();
    std::thread::scope(|s| {
        s.spawn(move || ctx.quiet());
    });
}
