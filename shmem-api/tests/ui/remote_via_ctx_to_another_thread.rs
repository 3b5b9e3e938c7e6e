//! A handle by way of a context stays on the context's thread, at every thread level.
use shmem_api::{Multiple, Serialized, World};

fn main() {
    let world = World::<Multiple>::init_level().unwrap();
    let ctx = world.ctx(Serialized).unwrap();
    let mut a = world.alloc::<u64>(4).unwrap();
    world.share(&mut a, |_, a| {
        let mine = a.via(&ctx);
        std::thread::scope(|s| {
            s.spawn(move || mine.put_one(0, 0, 1));
        });
    });
}
