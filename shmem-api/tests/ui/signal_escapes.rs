//! A signal of a phase cannot leave its closure.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut signal = world.alloc_signal().unwrap();
    let kept = world.share(&mut signal, |_, signal| signal);
    kept.set(0, 1);
}
