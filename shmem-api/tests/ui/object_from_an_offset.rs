//! Safe code cannot make an object from an offset.
fn main() {
    let _: shmem_api::SymSlice<'static, u64> = shmem_api::SymSlice::new(0, 0, 0, 0);
}
