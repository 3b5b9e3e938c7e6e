//! A team is not destroyed while a context of it is alive, or inside its own phase.
fn main() {
    let world = shmem_api::World::init().unwrap();
    let team = world.split_2d(2).unwrap().0;
    let ctx = team.ctx(shmem_api::Serialized).unwrap();
    team.destroy().unwrap();
    ctx.quiet();

    let team = world.split_2d(2).unwrap().0;
    team.share((), |_, ()| team.destroy().unwrap());
}
