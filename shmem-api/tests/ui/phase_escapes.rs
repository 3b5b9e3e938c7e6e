//! Nor the phase itself.
#![forbid(unsafe_code)]
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut kept = None;
    world.share((), |phase, ()| kept = Some(phase));
    kept.unwrap().barrier();
}
