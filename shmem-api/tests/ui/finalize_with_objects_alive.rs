//! The world cannot be finalized while an object is alive.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let a = world.alloc::<u64>(4).unwrap();
    world.finalize().unwrap();
    println!("{}", a[0]);
}
