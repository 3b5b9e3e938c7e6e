//! Nor does it leave the phase, though the context lives on.
use shmem_api::{Serialized, World};

fn main() {
    let world = World::init().unwrap();
    let ctx = world.ctx(Serialized).unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    let kept = world.share(&mut a, |_, a| a.via(&ctx));
    kept.put_one(0, 0, 1);
}
