//! What enters the heap, or the engine that another thread may take down, is no safe function.
#![forbid(unsafe_code)]
use shmem_api::memheap::global::GlobalAddr;
use shmem_api::{Reach, raw};

fn main() {
    let world = shmem_api::World::init().unwrap();
    std::thread::spawn(|| raw::heap_row(Reach::World));
    raw::heap_stats(Reach::World);
    raw::heap_base();
    raw::heap_component(Reach::World);
    raw::global(std::ptr::null(), 0);
    raw::global_parts(GlobalAddr::from_bits(1));
    raw::ptr(std::ptr::null(), 0);
    raw::addr_accessible(std::ptr::null(), 0);
    raw::global_exit(0);
    drop(world);
}
