//! Nobody else's code runs in the middle of a reduction: it could panic there, or call the library.
#![forbid(unsafe_code)]
use shmem_api::{Operator, Sum};

#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
struct Mine(u64);

impl Operator<Mine> for Sum {
    const NAME: u64 = 1;
    fn apply(_: Mine, _: Mine) -> Mine {
        panic!("in the middle of a collective")
    }
}

fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<Mine>(1).unwrap();
    let left = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.reduce_in_place(Sum, &mut a)));
    assert!(left.is_err());
    a[0] = Mine(1);
}
