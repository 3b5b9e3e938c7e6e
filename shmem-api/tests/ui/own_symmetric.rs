//! Nobody else says where an object is: not for a type of its own either, which Rust's orphan rule would allow.
#![forbid(unsafe_code)]
use shmem_api::{SymSlice, Symmetric};

#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
struct Mine(u64);

impl Symmetric<Mine> for SymSlice<'_, u64> {}

fn main() {
    let world = shmem_api::World::init().unwrap();
    let mut a = world.alloc::<u64>(1).unwrap();
    world.broadcast::<Mine>(&mut a, 0);
}
