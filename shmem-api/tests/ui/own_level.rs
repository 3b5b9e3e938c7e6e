//! Nor invent a thread level.
struct Mine;
impl shmem_api::Level for Mine {
    const ASKED: shmem_api::ThreadLevel = shmem_api::ThreadLevel::Single;
}
fn main() {}
