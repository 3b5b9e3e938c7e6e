//! A context cannot outlive its team.
fn main() {
    let ctx = {
        let world = shmem_api::World::init().unwrap();
        world.ctx(shmem_api::Serialized).unwrap()
    };
    ctx.quiet();
}
