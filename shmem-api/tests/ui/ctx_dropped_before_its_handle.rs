//! Nor does it outlive the context.
use shmem_api::{Serialized, World};

fn main() {
    let world = World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    world.share(&mut a, |_, a| {
        let through = {
            let ctx = world.ctx(Serialized).unwrap();
            a.via(&ctx)
        };
        through.put_one(0, 0, 1);
    });
}
