//! Locks of the safe API: what they protect stays whole, on objects and statics, from one thread and several.
#![forbid(unsafe_code)]

use shmem_api::testing::{self, Boot, Launch};
use shmem_api::{Multiple, World, multi_pe, sym_static};

sym_static! {
    static TURN: StaticLock;
    static TOTAL: SymStatic<u64> = 0;
}

multi_pe! {
    /// A counter and a record that are changed by plain gets and puts, which only a lock makes whole.
    fn what_a_lock_protects_stays_whole(world) on [1, 2, 3, 4, 8] {
        const TIMES: u64 = 300;
        let (me, n) = (world.pe(), world.n_pes());
        let lock = world.alloc_lock().unwrap();
        let mut record = world.alloc::<u64>(20).unwrap();
        let home = n - 1;
        world.share(&mut record, |_, record| {
            for _ in 0..TIMES {
                let _turn = lock.lock();
                let mut seen = record.get_vec(home, 0..20);
                assert!(seen.iter().all(|v| *v == seen[0]), "another holder is in the middle of it: {seen:?}");
                seen.iter_mut().for_each(|v| *v += 1);
                record.put(home, 0, &seen[..10]);
                record.put(home, 10, &seen[10..]);
            }
        });
        if me == home {
            assert!(record.iter().all(|v| *v == TIMES * n as u64));
        }
    }

    fn a_lock_that_is_held_is_not_had_by_trying(world) on [1, 2, 4] {
        let me = world.pe();
        let (one, other) = (world.alloc_lock().unwrap(), world.alloc_lock().unwrap());
        let held = (me == 0).then(|| one.lock());
        world.barrier();
        // Whoever holds it cannot have it again; another lock is another matter.
        assert!(one.try_lock().is_none());
        drop(other.lock());
        world.barrier();
        drop(held);
        world.barrier();
        let mut tries = 0;
        loop {
            tries += 1;
            match one.try_lock() {
                Some(turn) => break drop(turn),
                None => std::thread::yield_now(),
            }
        }
        assert!(tries >= 1);
        world.barrier();
        drop(one.lock());
    }

    fn statics_are_locks_too(world) on [1, 2, 4, 8] {
        for _ in 0..200 {
            let _turn = TURN.lock(world);
            let total = TOTAL.on(world);
            total.put_one(0, 0, total.get_one(0, 0) + 1);
        }
        world.barrier();
        assert!(world.pe() != 0 || TOTAL.on(world).read(0) == 200 * world.n_pes() as u64);
        world.barrier();
        assert!(world.pe() != 0 || TURN.try_lock(world).is_some());
        world.barrier();
    }

    /// Locks come and go: a new one is free, whatever its memory was before.
    fn new_locks_are_free(world) on [1, 2, 4] {
        for round in 0..200 {
            let mut filled = world.alloc::<u64>(1 + round % 3).unwrap();
            filled.fill(u64::MAX);
            drop(filled);
            let locks: Vec<_> = (0..1 + round % 4).map(|_| world.alloc_lock().unwrap()).collect();
            let turns: Vec<_> = locks.iter().map(|lock| lock.lock()).collect();
            turns.into_iter().rev().for_each(drop);
        }
    }
}

#[test]
fn threads_of_all_pes_take_turns() {
    let test = here!("threads_of_all_pes_take_turns");
    testing::run_on(test, &[1, 2, 4], |world: &World<Multiple>| {
        let lock = world.alloc_lock().unwrap();
        let mut count = world.alloc::<u64>(2).unwrap();
        world.share(&mut count, |_, count| {
            std::thread::scope(|threads| {
                for _ in 0..4 {
                    threads.spawn(|| {
                        for _ in 0..100 {
                            let _turn = lock.lock();
                            let seen = count.get_vec(0, 0..2);
                            assert_eq!(seen[0], seen[1]);
                            count.put_one(0, 0, seen[0] + 1);
                            count.put_one(0, 1, seen[1] + 1);
                        }
                    });
                }
            });
        });
        assert!(world.pe() != 0 || *count == [400 * world.n_pes() as u64; 2]);
    });
}

/// A thread forgets its guard: the next one of its PE waits for ever, and says where.
#[test]
fn a_thread_behind_a_forgotten_guard_says_where_it_waits() {
    let test = here!("a_thread_behind_a_forgotten_guard_says_where_it_waits");
    if testing::is_pe() {
        let world: World<Multiple> = World::init_level().unwrap();
        let lock = world.alloc_lock().unwrap();
        std::mem::forget(lock.lock());
        std::thread::scope(|threads| {
            threads.spawn(|| drop(lock.lock()));
            std::thread::sleep(std::time::Duration::from_millis(1500));
            std::process::exit(0);
        });
    }
    let outcome = Launch::of_test(test, 1, Boot::Local).env("SHMEM_HANG_REPORT", "1").run();
    assert!(!outcome.status.success() && !outcome.timed_out, "{outcome}");
    let says = "PE 0: waiting for 1 s in SymLock::lock, behind another thread of this PE";
    assert!(outcome.stderr.lines().any(|l| l.contains(says)), "{outcome}");
}

/// Whoever holds a lock and asks for it again is told so.
#[test]
fn a_thread_that_would_wait_for_itself_ends_the_job() {
    let test = here!("a_thread_that_would_wait_for_itself_ends_the_job");
    if testing::is_pe() {
        let world = World::init().unwrap();
        let lock = world.alloc_lock().unwrap();
        let _turn = (world.pe() == 1).then(|| lock.lock());
        world.barrier();
        let _again = (world.pe() == 1).then(|| lock.lock());
        world.barrier();
        unreachable!("PE 1 ends the job");
    }
    let outcome = Launch::of_test(test, 2, Boot::Local).run();
    assert!(!outcome.status.success() && !outcome.timed_out, "{outcome}");
    let says = "PE 1: SymLock::lock: this PE holds the lock";
    assert!(outcome.stderr.lines().any(|l| l.contains(says)), "{outcome}");
}
