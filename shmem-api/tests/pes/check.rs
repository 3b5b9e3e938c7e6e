//! Heap check levels: what is written where it must not be is found and named.

use shmem_api::testing::{self, Boot, Launch, Outcome};
use shmem_api::{Cmp, Multiple, World, raw};

fn launch(test: &str, level: &str) -> Outcome {
    Launch::of_test(test, 2, Boot::Local).env("SHMEM_HEAP_CHECK", level).run()
}

/// Runs `body` on 2 PEs at each level; the job must end badly, saying `says`.
fn must_say(test: &str, levels: &[&str], says: &[&str], body: impl FnOnce(&World)) {
    if testing::is_pe() {
        return body(&World::init().unwrap());
    }
    for level in levels {
        let outcome = launch(test, level);
        assert!(!outcome.status.success(), "level {level}: {outcome}");
        assert!(says.iter().any(|s| outcome.stderr.contains(s)), "level {level}: {outcome}");
    }
}

#[allow(unsafe_code)]
fn malloc(size: usize) -> *mut u8 {
    // SAFETY: the world is up, and there is one thread.
    unsafe { raw::malloc(size) }
}

#[allow(unsafe_code)]
fn free(block: *mut u8) {
    // SAFETY: the tests are about using it all the same.
    unsafe { raw::free(block) }.unwrap();
}

#[allow(unsafe_code)]
fn put(to: *mut u8, n: usize, pe: i32) {
    let src = vec![1u8; n];
    // SAFETY: what is wrong with it is found before anything is touched.
    unsafe { raw::putmem(to, src.as_ptr(), n, pe) }
}

#[test]
fn all_is_well_at_every_level() {
    let test = here!("all_is_well_at_every_level");
    if testing::is_pe() {
        let world = World::init().unwrap();
        for round in 0..600usize {
            let block = malloc(1 + round * 7 % 5000);
            put(block, 1 + round * 7 % 5000, (world.pe() as i32 + 1) % 2);
            world.barrier();
            let mut a = world.alloc::<u64>(1 + round % 100).unwrap();
            assert!(a.iter().all(|v| *v == 0));
            a.fill(u64::MAX);
            free(block);
        }
        assert_eq!(world.finalize().unwrap().blocks, 0);
        return;
    }
    for level in ["0", "1", "2", "3"] {
        launch(test, level).expect_success(level);
    }
}

#[test]
#[allow(unsafe_code)]
fn a_plain_store_past_the_end_is_found_at_free() {
    // At level 3 with a size that fills its page, the store itself ends the process.
    let says = ["PE 1: heap check: written 1 bytes past the end of the block of 100 B", "PE 1"];
    must_say(here!("a_plain_store_past_the_end_is_found_at_free"), &["2", "3"], &says, |world| {
        let block = malloc(100);
        if world.pe() == 1 {
            // SAFETY: not sound, and that is what is tested; it hits the guard zone.
            unsafe { block.wrapping_add(100).write(7) };
        }
        free(block);
        world.barrier();
    });
}

#[test]
fn a_put_past_the_end_of_a_block_is_found_at_the_call() {
    let says = ["PE 1: shmem_putmem: 8 bytes at byte 96 of the block of 100 B", "tests/pes/check.rs"];
    must_say(here!("a_put_past_the_end_of_a_block_is_found_at_the_call"), &["2", "3"], &says, |world| {
        let block = malloc(100);
        if world.pe() == 1 {
            put(block.wrapping_add(96), 8, 0);
        }
        world.barrier();
    });
}

#[test]
fn a_put_to_a_freed_block_is_found_at_the_call() {
    must_say(
        here!("a_put_to_a_freed_block_is_found_at_the_call"),
        &["2", "3"],
        &["which was freed"],
        |world| {
            let block = malloc(100);
            free(block);
            if world.pe() == 1 {
                put(block, 8, 0);
            }
            world.barrier();
        },
    );
}

#[test]
#[allow(unsafe_code)]
fn a_plain_store_to_a_freed_block_is_found_at_the_latest_at_finalize() {
    let test = here!("a_plain_store_to_a_freed_block_is_found_at_the_latest_at_finalize");
    let says = ["PE 1: heap check: written after it was freed, at byte 5 of the block of 100 B", "PE 1"];
    must_say(test, &["2", "3"], &says, |world| {
        let block = malloc(100);
        free(block);
        if world.pe() == 1 {
            // SAFETY: not sound, and that is what is tested; the block is in quarantine.
            unsafe { block.wrapping_add(5).write(7) };
        }
        world.barrier();
    });
}

/// The heap is full of what was freed before: that gives way, oldest first, as long as it takes.
#[test]
fn the_quarantine_gives_way_when_the_heap_is_full() {
    let test = here!("the_quarantine_gives_way_when_the_heap_is_full");
    if testing::is_pe() {
        let world = World::init().unwrap();
        for (rounds, size) in [(100, 1 << 20), (20, 5 << 20), (3, 12 << 20), (3000, 10_000), (100, 1 << 20)] {
            for round in 0..rounds {
                let block = malloc(size);
                assert!(!block.is_null(), "{round} of {size}");
                put(block.wrapping_add(size - 8), 8, (world.pe() as i32 + 1) % 2);
                world.barrier();
                free(block);
            }
        }
        // What does not fit in the whole heap does not.
        assert!(malloc(33 << 20).is_null());
        let leaks = world.finalize().unwrap();
        assert_eq!((leaks.blocks, leaks.bytes.0), (0, 0));
        return;
    }
    for (level, by) in [("2", "ptmalloc"), ("3", "ptmalloc"), ("2", "buddy"), ("3", "buddy")] {
        let launch = Launch::of_test(test, 2, Boot::Local).env("SHMEM_SYMMETRIC_SIZE", "32M");
        let launch = launch.env("SHMEM_HEAP_CHECK", level).env("SHMEM_MEMHEAP", by);
        launch.run().expect_success(&format!("level {level} by {by}"));
    }
}

/// One line of a failed allocation for the whole job, and none where the program probes; what it got wrong is told.
#[test]
fn a_failed_allocation_is_told_once_or_not_at_all() {
    let test = here!("a_failed_allocation_is_told_once_or_not_at_all");
    if testing::is_pe() {
        let world = World::init().unwrap();
        (0..10).for_each(|i| assert!(malloc((1 << 40) + i).is_null()));
        let block = malloc(100);
        free(block);
        #[allow(unsafe_code)]
        // SAFETY: what is no block is not freed.
        let again = unsafe { raw::free(block) };
        assert!(again.is_err());
        drop(world);
        return;
    }
    for (quiet, lines) in [("0", 11), ("1", 1)] {
        let launch = Launch::of_test(test, 3, Boot::Local).env("SHMEM_HEAP_QUIET", quiet);
        let outcome = launch.run();
        outcome.expect_success(quiet);
        assert_eq!(outcome.stderr.lines().count(), lines, "{outcome}");
        assert!(outcome.stderr.contains("PE 0: shmem_free: 0x3"), "{outcome}");
    }
}

#[test]
fn leaks_are_reported_with_their_call_sites() {
    let test = here!("leaks_are_reported_with_their_call_sites");
    if testing::is_pe() {
        let world = World::init().unwrap();
        std::mem::forget(world.alloc::<u64>(100).unwrap());
        drop(world);
        return;
    }
    let outcome = launch(test, "2");
    outcome.expect_success(test);
    assert!(outcome.stderr.contains("PE 0: 1 blocks"), "{outcome}");
    assert!(
        outcome.stderr.contains("never freed: the block of 800 B")
            && outcome.stderr.contains("tests/pes/check.rs"),
        "{outcome}"
    );
    assert!(launch(test, "1").stderr.contains("PE 0: 1 blocks"));
}

/// A thread that waits in a heap call does not keep the others of its PE from the heap: here the other PE waits for
/// what one of them puts.
#[test]
#[allow(unsafe_code)]
fn a_thread_puts_while_another_waits_in_a_heap_call() {
    let test = here!("a_thread_puts_while_another_waits_in_a_heap_call");
    if !testing::is_pe() {
        return ["1", "2", "3"].iter().for_each(|level| launch(test, level).expect_success(level));
    }
    let world = World::<Multiple>::init_level().unwrap();
    let flag = malloc(8).cast::<u64>();
    // SAFETY: nobody else touches this PE's own before the barrier.
    unsafe { flag.write(0) };
    world.barrier();
    let block = if world.pe() == 0 {
        let (flag, world) = (flag.expose_provenance(), &world);
        std::thread::scope(|threads| {
            let waits = threads.spawn(|| malloc(100).expose_provenance());
            // Whichever comes first must do; most likely the other thread is in its call by then.
            std::thread::sleep(std::time::Duration::from_millis(200));
            let flag = std::ptr::with_exposed_provenance_mut::<u64>(flag);
            // SAFETY: a live symmetric word.
            unsafe { raw::atomic_set(flag, 1, 1) };
            assert_eq!(world.n_pes(), 2);
            waits.join().unwrap()
        })
    } else {
        // SAFETY: as above.
        unsafe { raw::wait_until(flag, Cmp::Eq, 1) };
        malloc(100).expose_provenance()
    };
    free(std::ptr::with_exposed_provenance_mut(block));
    free(flag.cast());
    world.finalize().unwrap();
}
