//! While a part of an array is shared, the whole of it is borrowed: only the other part is at hand.
#![forbid(unsafe_code)]
fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    let (mut part, _) = a.parts_mut(2);
    world.share(&mut part, |_, _| a[0] = 1);
}
