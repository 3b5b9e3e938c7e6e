//! Floating-point elements can be read, set and swapped atomically, and no more.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<f64>(4).unwrap();
    world.share(&mut a, |_, a| a.fetch_or(0, 0, 1.0));
}
