//! Nor has what a bound reaches.
#![forbid(unsafe_code)]
use shmem_api::Readable;

fn write<H: Readable<u64>>(p: &H) {
    p.reading().put_one(0, 0, 7);
    p.handle().put_one(0, 0, 7);
}

fn main() {
    let world = shmem_api::World::init().unwrap();
    let a = world.alloc::<u64>(4).unwrap();
    let held: &u64 = &a[0];
    world.share(&a, |_, p| write(&p));
    println!("{held}");
}
