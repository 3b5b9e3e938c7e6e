//! A World cannot end while one of its phases lasts.
#![forbid(unsafe_code)]
fn main() {
    let world = shmem_api::World::init().unwrap();
    world.share((), |_, ()| drop(world.finalize()));
}
