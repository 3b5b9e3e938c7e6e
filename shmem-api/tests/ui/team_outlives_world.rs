//! A team cannot outlive its world, though a World derefs to a team.
fn main() {
    let team = {
        let world = shmem_api::World::init().unwrap();
        world.split_strided(0, 1, 1).unwrap()
    };
    drop(team);
}
