//! Floating-point numbers have no bitwise operators.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let _ = world.reduce_one(shmem_api::Xor, 1.0);
}
