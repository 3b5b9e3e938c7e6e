//! What a read-only share gives has no way to write, by whatever trait.
#![forbid(unsafe_code)]
use shmem_api::Readable;

fn main() {
    let world = shmem_api::World::init().unwrap();
    let a = world.alloc::<u64>(4).unwrap();
    let held: &u64 = &a[0];
    world.share(&a, |_, p| {
        p.reading().put_one(0, 0, 7);
        p.handle().put_one(0, 0, 7);
    });
    println!("{held}");
}
