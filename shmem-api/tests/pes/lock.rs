//! Locks: one holder, first come first served, many at once, on heap and static memory.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;

use shmem_api::testing::{self, Boot, Launch, mix};
use shmem_api::{Cmp, World, multi_pe, raw};

/// Symmetric words of the executable, which only the library accesses.
struct Statics<T>(UnsafeCell<T>);
// SAFETY: to the program they are only an address.
unsafe impl<T> Sync for Statics<T> {}

const LOCKS: usize = 16;
static LOCK: Statics<[i64; LOCKS]> = Statics(UnsafeCell::new([0; LOCKS]));
static NUMBERS: Statics<[u64; LOCKS]> = Statics(UnsafeCell::new([0; LOCKS]));
static TURN: Statics<u64> = Statics(UnsafeCell::new(0));

fn locks() -> *mut i64 {
    LOCK.0.get().cast()
}

fn numbers() -> *mut u64 {
    NUMBERS.0.get().cast()
}

/// Symmetric words in the heap, zero. Collective.
fn heap<T: shmem_api::Elem>(world: &World, n: usize) -> *mut T {
    // SAFETY: collective, and the library is up.
    let at = unsafe { raw::malloc(n * size_of::<T>()) }.cast::<T>();
    let zeroes = vec![T::zeroed(); n];
    // SAFETY: the block is that large.
    unsafe { raw::put(at, zeroes.as_ptr(), n, world.pe() as i32) };
    world.barrier();
    at
}

fn get<T: shmem_api::Elem>(at: *const T, pe: usize) -> T {
    let mut value = T::zeroed();
    // SAFETY: a symmetric variable.
    unsafe { raw::get(&mut value, at, 1, pe as i32) };
    value
}

fn put<T: shmem_api::Elem>(at: *mut T, value: T, pe: usize) {
    // SAFETY: a symmetric variable.
    unsafe { raw::put(at, &value, 1, pe as i32) };
}

fn set(lock: *mut i64) {
    // SAFETY: a symmetric lock, zero at first; so for all three.
    unsafe { raw::set_lock(lock) }
}

fn test(lock: *mut i64) -> i32 {
    // SAFETY: a symmetric lock, zero at first.
    unsafe { raw::test_lock(lock) }
}

fn clear(lock: *mut i64) {
    // SAFETY: a symmetric lock, zero at first.
    unsafe { raw::clear_lock(lock) }
}

/// Each PE adds to counters by get and put, which is exact only if the lock excludes and orders. Every third PE
/// only tries until it has the lock.
fn counters_are_exact(world: &World, lock: *mut i64, counters: *mut u64) {
    const TIMES: u64 = 400;
    let (me, n) = (world.pe(), world.n_pes());
    for i in 0..TIMES {
        let which = (mix(me as u64, i) % LOCKS as u64) as usize;
        let (lock, counter) = (lock.wrapping_add(which), counters.wrapping_add(which));
        if me % 3 == 2 {
            while test(lock) != 0 {
                std::thread::yield_now();
            }
        } else {
            set(lock);
        }
        // On a PE that is not the lock's home as a rule.
        let at = which % n;
        put(counter, get(counter, at) + 1, at);
        clear(lock);
    }
    world.barrier();
    let total: u64 = (0..LOCKS).map(|i| get(counters.wrapping_add(i), i % n)).sum();
    assert_eq!(total, TIMES * n as u64);
    // All words are zero again, on every PE.
    assert!((0..LOCKS).all(|i| (0..n).all(|pe| get(lock.wrapping_add(i), pe) == 0)));
    world.barrier();
}

multi_pe! {
    fn a_lock_excludes_and_orders(world) on [1, 2, 3, 4, 8] {
        counters_are_exact(world, locks(), numbers());
        counters_are_exact(world, heap(world, LOCKS), heap(world, LOCKS));
    }

    /// PE 0 holds the lock while the others come one after another; they are served in that order.
    fn first_come_is_first_served(world) on [2, 3, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let turn = TURN.0.get();
        let (served, lock) = (heap::<u64>(world, 1), heap::<i64>(world, LOCKS));
        for round in 0..LOCKS {
            // Another lock each time, so another home, and another order.
            let lock = if round % 2 == 0 { lock.wrapping_add(round) } else { locks().wrapping_add(round) };
            let mut order: Vec<usize> = (1..n).collect();
            order.sort_by_key(|pe| mix(*pe as u64, round as u64));
            put(turn, 0, me);
            if me == 0 {
                put(served, 0, 0);
                set(lock);
            }
            world.barrier();
            if me == 0 {
                for &next in &order {
                    put(turn, 1, next);
                    // It has come when it is the last of the queue, as the lock's home PE has it.
                    while (0..n).all(|pe| get(lock, pe) as u32 != next as u32 + 1) {
                        std::thread::yield_now();
                    }
                }
                clear(lock);
            } else {
                // SAFETY: a symmetric variable.
                unsafe { raw::wait_until(turn, Cmp::Eq, 1) };
                set(lock);
                let place = get(served, 0);
                assert_eq!(order[place as usize], me, "served as number {place} of {order:?}");
                put(served, place + 1, 0);
                clear(lock);
            }
            world.barrier();
            assert_eq!(get(served, 0), n as u64 - 1);
            assert!((0..n).all(|pe| get(lock, pe) == 0));
            world.barrier();
        }
    }

    fn test_lock_answers_0_when_it_has_taken_the_lock(world) on [1, 2, 3] {
        let (me, n) = (world.pe(), world.n_pes());
        for holder in 0..n {
            if me == holder {
                assert_eq!(test(locks()), 0);
                assert_eq!(test(locks()), 1, "held by this PE itself");
            }
            world.barrier();
            assert_eq!(test(locks()), 1);
            world.barrier();
            if me == holder {
                clear(locks());
                assert_eq!(test(locks()), 0, "free again");
                clear(locks());
            }
            world.barrier();
        }
    }

    /// A PE may hold many, and their queues are not all on one PE.
    fn locks_side_by_side_have_different_homes(world) on [2, 4, 8] {
        let n = world.n_pes();
        for all in [locks(), heap(world, LOCKS)] {
            if world.pe() == 1 {
                (0..LOCKS).for_each(|i| set(all.wrapping_add(i)));
            }
            world.barrier();
            let homes = |pe: usize| (0..LOCKS).filter(|i| get(all.wrapping_add(*i), pe) as u32 == 2).count();
            assert_eq!((0..n).map(homes).sum::<usize>(), LOCKS);
            assert!((0..n).all(|pe| homes(pe) > 0), "{:?}", (0..n).map(homes).collect::<Vec<_>>());
            world.barrier();
            if world.pe() == 1 {
                (0..LOCKS).rev().for_each(|i| clear(all.wrapping_add(i)));
            }
            world.barrier();
            assert!((0..LOCKS).all(|i| get(all.wrapping_add(i), world.pe()) == 0));
            world.barrier();
        }
    }

    /// Rule: the lock is passed on after what its holder has put is there, at whichever PE.
    fn clear_lock_completes_what_was_put(world) on [2, 4] {
        let (me, n) = (world.pe(), world.n_pes());
        let block = heap::<u64>(world, 1000);
        for round in 0..100u64 {
            let home = (round % n as u64) as usize;
            set(locks());
            let seen: Vec<u64> = (0..1000).map(|i| get(block.wrapping_add(i), home)).collect();
            assert!(seen.iter().all(|v| *v == seen[0]), "a block half put");
            let mine = vec![mix(round, me as u64); 1000];
            // SAFETY: the block is that large.
            unsafe { raw::put(block, mine.as_ptr(), 1000, home as i32) };
            clear(locks());
        }
        world.barrier();
    }
}

/// What is wrong with a call ends the job with one line, and nobody hangs.
fn must_say(test: &str, line: &str, body: impl FnOnce(&World)) {
    if testing::is_pe() {
        let world = World::init().expect("the library comes up");
        body(&world);
        world.barrier();
        return;
    }
    for boot in Boot::of(2) {
        let outcome = Launch::of_test(test, 2, boot).run();
        assert!(!outcome.status.success() && !outcome.timed_out, "{outcome}");
        assert_eq!(outcome.stderr.matches(line).count(), 1, "{line:?}: {outcome}");
    }
}

#[test]
fn who_holds_a_lock_cannot_take_it_again() {
    must_say(
        here!("who_holds_a_lock_cannot_take_it_again"),
        "PE 0: shmem_set_lock: this PE holds the lock at 0x",
        |world| {
            if world.pe() == 0 {
                set(locks());
                set(locks());
            }
        },
    );
}

/// Also while others wait behind it.
#[test]
fn who_holds_a_lock_others_wait_for_cannot_take_it_again() {
    let test = here!("who_holds_a_lock_others_wait_for_cannot_take_it_again");
    must_say(test, "PE 0: shmem_set_lock: this PE holds the lock at 0x", |world| {
        if world.pe() == 0 {
            set(locks());
            world.barrier();
            while (0..2).all(|pe| get(locks(), pe) as u32 != 2) {
                std::thread::yield_now();
            }
            set(locks());
        } else {
            world.barrier();
            set(locks());
        }
    });
}

#[test]
fn who_does_not_hold_a_lock_cannot_clear_it() {
    let line = "PE 1: shmem_clear_lock: this PE does not hold the lock at 0x";
    must_say(here!("who_does_not_hold_a_lock_cannot_clear_it"), line, |world| {
        if world.pe() == 0 {
            set(locks());
        }
        world.barrier();
        if world.pe() == 1 {
            clear(locks());
        }
    });
}

#[test]
fn a_lock_that_is_not_symmetric_is_refused() {
    let line = "PE 1: shmem_set_lock: 8 bytes at 0x";
    must_say(here!("a_lock_that_is_not_symmetric_is_refused"), line, |world| {
        let mut local = 0;
        if world.pe() == 1 {
            set(&mut local);
        }
    });
}

#[test]
fn a_misaligned_lock_is_refused() {
    let line = "is not a multiple of 8";
    must_say(here!("a_misaligned_lock_is_refused"), line, |world| {
        if world.pe() == 1 {
            set(locks().wrapping_byte_add(4));
        }
    });
}

#[test]
fn who_waits_for_a_lock_leaves_with_the_job() {
    let line = "PE 0: panicked; ending the job";
    must_say(here!("who_waits_for_a_lock_leaves_with_the_job"), line, |world| {
        if world.pe() == 0 {
            set(locks());
            world.barrier();
            panic!("on purpose");
        }
        world.barrier();
        set(locks());
    });
}

#[test]
fn a_lock_without_the_library_is_refused() {
    let test = here!("a_lock_without_the_library_is_refused");
    if testing::is_pe() {
        set(locks());
        return;
    }
    for &boot in Boot::all() {
        let outcome = Launch::of_test(test, 1, boot).run();
        assert!(!outcome.status.success() && !outcome.timed_out, "{outcome}");
        let line = "shmem_set_lock: the library is not up: it was called before init or after finalize";
        assert_eq!(outcome.stderr.matches(line).count(), 1, "{outcome}");
    }
}
