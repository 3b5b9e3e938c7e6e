//! A component from elsewhere plugs in through the public API; one that lies does no harm.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::first_fit::{CALL, FINALIZED, FirstFit, Lie, SKIP};
use shmem_api::testing::{self, Boot, Launch, Outcome};
use shmem_api::{Error, Level, Multiple, Single, World};

fn on_pes(test: &str, n: u32, body: impl FnOnce()) {
    if testing::is_pe() {
        return body();
    }
    for boot in Boot::of(n) {
        Launch::of_test(test, n, boot).run().expect_success(test);
    }
}

/// A World whose heap is managed by an allocator with this fault.
fn with<L: Level>(lie: Lie) -> World<L> {
    let liar = FirstFit { priority: 1000, lie };
    World::builder().component(&liar).init().unwrap()
}

#[test]
fn a_foreign_component_wins_by_priority_and_serves_all_pes() {
    on_pes(here!("a_foreign_component_wins_by_priority_and_serves_all_pes"), 3, || {
        let world: World = with(Lie::None);
        assert_eq!(world.memheap(), "first-fit");
        let mut a = world.alloc::<u64>(100).unwrap();
        let b = world.alloc::<u8>(1).unwrap();
        assert_eq!((a.offset(), b.offset()), (0, 800));
        let (me, n) = (world.pe(), world.n_pes());
        world.share(&mut a, |_, a| a.put_one((me + 1) % n, 99, me as u64 + 7));
        assert_eq!(a[99], ((me + n - 1) % n) as u64 + 7);
        drop((a, b));
        assert_eq!(world.finalize().unwrap().blocks, 0);
        assert_eq!(FINALIZED.load(Ordering::Relaxed), 4, "the module of each space, once");

        let low = FirstFit { priority: -1, lie: Lie::None };
        let world: World<Single> = World::builder().component(&low).init().unwrap();
        assert_ne!(world.memheap(), "first-fit");
    });
}

/// A file that one PE of a launch makes.
const ONCE: &str = "SHMEM_TEST_ONCE";

/// A case of the next test: what a PE does, and how the launch has to end.
type Case = (&'static str, fn(), fn(&Outcome) -> bool);

const CASES: [Case; 12] = [
    ("the same block twice", the_same_block_twice, |outcome| {
        !outcome.status.success()
            && outcome.stderr.contains("memheap component `first-fit` gave 64 B at 0x0, which overlaps")
            && !outcome.stderr.contains("two owners")
    }),
    ("a live block is free", a_live_block_is_free, |outcome| outcome.status.success()),
    ("elsewhere on one PE", elsewhere_on_one_pe, |outcome| outcome.status.success()),
    ("calls the heap again: alloc", calls_the_heap_again::<Single, 0>, refused),
    ("calls the heap again: heap", calls_the_heap_again::<Single, 1>, refused),
    ("calls the heap again: reclaim", calls_the_heap_again::<Single, 2>, refused),
    ("calls the heap again: heap_row", calls_the_heap_again::<Single, 3>, refused),
    ("calls the heap again, at Multiple: alloc", calls_the_heap_again::<Multiple, 0>, refused),
    ("calls the heap again, at Multiple: heap_row", calls_the_heap_again::<Multiple, 3>, refused),
    ("panics on all PEs", panics_on_all_pes, |outcome| outcome.status.success()),
    ("another's name on one PE", anothers_name_on_one_pe, |outcome| outcome.status.success()),
    ("panics on one PE", panics_on_one_pe, |outcome| outcome.status.success()),
];

/// Each is found out before anybody gets the block, or does not matter; the program is safe Rust.
#[test]
fn a_component_that_lies_does_no_harm() {
    const CASE: &str = "SHMEM_TEST_CASE";
    if testing::is_pe() {
        let name = std::env::var(CASE).unwrap();
        return CASES.iter().find(|(case, ..)| *case == name).unwrap().1();
    }
    for (name, _, ends) in CASES {
        let launch = Launch::of_test(here!("a_component_that_lies_does_no_harm"), 2, Boot::Local);
        let launch = launch.env(CASE, name).env("SHMEM_HEAP_TRIM", "1m").limit(Duration::from_secs(20));
        let once = std::env::temp_dir().join(format!("shmem-test-once-{}", std::process::id()));
        let outcome = launch.env(ONCE, once.to_str().unwrap()).run();
        let _ = std::fs::remove_file(once);
        assert!(!outcome.timed_out && ends(&outcome), "{name}: {outcome}");
    }
}

fn the_same_block_twice() {
    let world: World = with(Lie::SameBlock);
    let _first = world.alloc::<u64>(8).unwrap();
    let _second = world.alloc::<u64>(8);
    unreachable!("two owners of one block");
}

/// Pages of what the module calls free are not given back while somebody has them.
fn a_live_block_is_free() {
    const LEN: usize = 4 << 20;
    let world: World = with(Lie::LiveIsFree);
    let kept = world.alloc_with(LEN, |i| i as u8).unwrap();
    let dropped = world.alloc_with(LEN, |_| 1u8).unwrap();
    drop(dropped);
    world.reclaim().unwrap();
    assert!(kept.iter().enumerate().all(|(i, v)| *v == i as u8), "a live block has lost its bytes");
    assert_eq!(world.heap().figures.live_blocks, 1);
    let live = world.heap_row(shmem_api::Reach::World);
    assert_eq!(format!("{live:?}").matches("Live").count(), 1, "{live:?}");
    drop(kept);
    assert_eq!(world.finalize().unwrap().blocks, 0);
}

/// The offsets of one PE are others, and the digests do not tell: every PE hears of it in the call itself.
fn elsewhere_on_one_pe() {
    let world: World = with(Lie::Elsewhere);
    let mut before = world.alloc::<u64>(1).unwrap();
    before[0] = 7;
    SKIP.store(64 * world.pe() as u64, Ordering::Relaxed);
    let e = world.alloc_lock().err().unwrap();
    let line = "the allocator `first-fit` decided differently on different PEs: PE 1 is at the end of a heap call \
                that gave 0x50 (call";
    assert!(matches!(e, Error::Component { .. }) && e.to_string().contains(line), "{e}");
    // The heap gives nothing any more, and what there was is as it was.
    SKIP.store(0, Ordering::Relaxed);
    let e = world.alloc::<u64>(1).unwrap_err();
    assert!(matches!(e, Error::Diverged(_)), "{e}");
    world.share(&mut before, |_, before| assert_eq!(before.get_one(1 - world.pe(), 0), 7));
    drop(before);
    world.finalize().unwrap();
}

/// The text a call panics with.
fn panics<R>(call: impl FnOnce() -> R) -> String {
    let panic = catch_unwind(AssertUnwindSafe(call)).err().expect("a panic");
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| (*panic.downcast::<&str>().unwrap()).to_owned())
}

/// By the thread that is in the heap already: at every level a line instead of a hang.
fn calls_the_heap_again<L: Level, const CALL_NUMBER: usize>() {
    let calls: [fn(&World<L>); 4] = [
        |world| _ = world.alloc::<u64>(1),
        |world| _ = world.heap(),
        |world| _ = world.reclaim(),
        |world| _ = world.heap_row(shmem_api::Reach::World),
    ];
    let world: Rc<World<L>> = Rc::new(with(Lie::Calls));
    let again = world.clone();
    CALL.set(Some(Box::new(move || {
        let init = World::<Multiple>::init_level();
        assert!(init.is_err() || L::ASKED == Multiple::ASKED, "the level rises while the heap is in use");
        drop(init);
        // Where the module would catch a panic, there is none to catch.
        let _ = catch_unwind(AssertUnwindSafe(|| calls[CALL_NUMBER](&again)));
        eprintln!("the heap was called from within a heap call");
    })));
    let _ = world.alloc_one(7u64);
    world.barrier();
}

fn refused(outcome: &Outcome) -> bool {
    let line = |line: &str| line.contains("called at thread level") && line.contains("or a component");
    !outcome.status.success()
        && outcome.stderr.lines().any(line)
        && !outcome.stderr.contains("from within a heap call")
}

/// A module that has panicked is not asked again, whoever caught it.
fn panics_on_all_pes() {
    let world: World = with(Lie::Calls);
    CALL.set(Some(Box::new(|| panic!("a fault of the allocator"))));
    assert!(panics(|| world.alloc::<u64>(1)).contains("a fault of the allocator"));
    assert!(panics(|| world.alloc::<u64>(1)).contains("panicked in alloc before: it cannot be used"));
    world.finalize().unwrap();
}

/// One PE runs the built-in allocator, the other one that has its name: the start tells them apart.
fn anothers_name_on_one_pe() {
    let mine = FirstFit { priority: 1000, lie: Lie::Name };
    // Whoever makes the file.
    let first = std::fs::File::create_new(std::env::var(ONCE).unwrap()).is_ok();
    let builder = if first { World::builder().component(&mine) } else { World::builder() };
    let e = builder.init::<Single>().err().expect("the PEs chose different allocators");
    let line = e.to_string();
    assert!(line.contains("the choice of allocators") && line.contains("user:ptmalloc (guarded)"), "{line}");
}

/// And the program goes on there: the others hear of it.
fn panics_on_one_pe() {
    let world: World = with(Lie::Calls);
    if world.pe() == 1 {
        CALL.set(Some(Box::new(|| panic!("a fault of the allocator"))));
        assert!(panics(|| world.alloc::<u64>(1)).contains("a fault of the allocator"));
        world.try_barrier().unwrap_err();
    } else {
        let e = world.alloc::<u64>(1).unwrap_err();
        assert!(
            e.to_string().contains("`first-fit`") && e.to_string().contains("PE 1 is at a barrier"),
            "{e}"
        );
    }
    world.barrier();
}
