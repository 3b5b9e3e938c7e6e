//! An object of a World that is not leaked is not kept in a static.
#![forbid(unsafe_code)]
use shmem_api::SymSlice;

static KEPT: std::sync::Mutex<Option<SymSlice<'static, u64>>> = std::sync::Mutex::new(None);

fn main() {
    let world = shmem_api::World::init().unwrap();
    *KEPT.lock().unwrap() = Some(world.alloc::<u64>(4).unwrap());
}
