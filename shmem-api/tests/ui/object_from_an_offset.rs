//! Safe code cannot make an object from an offset.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let a = world.alloc::<u64>(4).unwrap();
    let b = shmem_api::SymSlice { elements: a.elements, queue: a.queue };
    let c = shmem_api::SymSlice::<u64>::alloc;
}
