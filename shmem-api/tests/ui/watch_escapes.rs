//! Nor can what waits for elements of a shared object leave the phase.
#![forbid(unsafe_code)]
use shmem_api::Cmp;

fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    let watch = world.share(&mut a, |_, a| a.watch(0..4, Cmp::Ne, 0));
    a[0] = 1;
    watch.test_all();
}
