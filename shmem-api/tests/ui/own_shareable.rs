//! Nobody else can say what is shareable.
struct Mine;
impl shmem_api::Shareable for Mine {
    type Remote<'s, L: shmem_api::Level> = ();
}
fn main() {}
