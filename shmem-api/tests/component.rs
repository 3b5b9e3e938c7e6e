//! A component from elsewhere plugs in through the public API.

#[path = "common/first_fit.rs"]
mod first_fit;

use first_fit::FirstFit;
use shmem_api::testing::{self, Boot, Launch};
use shmem_api::{Single, World};

fn on_pes(test: &str, n: u32, body: impl FnOnce()) {
    if testing::is_pe() {
        return body();
    }
    for &boot in Boot::ALL {
        Launch::of_test(test, n, boot).run().expect_success(test);
    }
}

#[test]
fn a_foreign_component_wins_by_priority_and_serves_all_pes() {
    on_pes("a_foreign_component_wins_by_priority_and_serves_all_pes", 3, || {
        let mine = FirstFit { priority: 1000, lies: false };
        let world: World<Single> = World::builder().component(&mine).init().unwrap();
        assert_eq!(world.memheap(), "first-fit");
        let mut a = world.alloc::<u64>(100).unwrap();
        let b = world.alloc::<u8>(1).unwrap();
        assert_eq!((a.offset(), b.offset()), (0, 800));
        let (me, n) = (world.pe(), world.n_pes());
        world.share(&mut a, |_, a| a.put_one((me + 1) % n, 99, me as u64 + 7));
        assert_eq!(a[99], ((me + n - 1) % n) as u64 + 7);
        drop((a, b));
        assert_eq!(world.finalize().unwrap().blocks, 0);

        let low = FirstFit { priority: -1, lies: false };
        let world: World<Single> = World::builder().component(&low).init().unwrap();
        assert_ne!(world.memheap(), "first-fit");
    });
}

#[test]
fn a_component_that_lies_is_stopped_before_anybody_gets_the_block() {
    let test = "a_component_that_lies_is_stopped_before_anybody_gets_the_block";
    if testing::is_pe() {
        let liar = FirstFit { priority: 1000, lies: true };
        let world: World<Single> = World::builder().component(&liar).init().unwrap();
        let _first = world.alloc::<u64>(8).unwrap();
        let _second = world.alloc::<u64>(8);
        unreachable!("two owners of one block");
    }
    let outcome = Launch::of_test(test, 2, Boot::Local).run();
    assert!(!outcome.status.success(), "{outcome}");
    assert!(
        outcome.stderr.contains("memheap component `first-fit` gave 64 B at 0x0, which overlaps"),
        "{outcome}"
    );
    assert!(!outcome.stderr.contains("two owners"), "{outcome}");
}
