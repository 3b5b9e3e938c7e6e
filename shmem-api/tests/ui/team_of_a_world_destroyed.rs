//! The world's own team cannot be had but borrowed.
fn main() {
    let world = shmem_api::World::init().unwrap();
    (*world).destroy().unwrap();
}
