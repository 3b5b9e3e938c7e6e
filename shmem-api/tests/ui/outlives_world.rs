//! An object cannot outlive its world.
fn main() {
    let a = {
        let world = shmem_api::World::init().unwrap();
        world.alloc::<u64>(4).unwrap()
    };
    println!("{}", a[0]);
}
