//! Safe programs that forget, swap, nest, re-enter, panic and send whatever they can get hold of: what follows is a
//! right result, or a difference that every PE hears of.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::mem::{forget, swap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use shmem_api::testing::{self, Boot, Launch};
use shmem_api::{Cmp, Multiple, Near, Serialized, Sum, World, multi_pe};

/// Whether a call panics.
fn panics<R>(call: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(call)).is_err()
}

/// A ring of puts through a new object: the World works.
fn works(world: &World) {
    let (me, n) = (world.pe(), world.n_pes());
    let mut a = world.alloc::<u64>(2).unwrap();
    world.share(&mut a, |phase, a| {
        a.put_one((me + 1) % n, 1, me as u64 + 1);
        phase.barrier();
        assert_eq!(a.read(1), ((me + n - 1) % n) as u64 + 1);
    });
    assert_eq!(world.reduce_one(Sum, me as u64), (n * (n - 1) / 2) as u64);
}

multi_pe! {
    /// Nothing rests on a destructor.
    fn what_is_forgotten_does_no_harm(world) on [1, 2, 3] {
        let inner = World::init().unwrap();
        let mut array = inner.alloc::<u64>(8).unwrap();
        let (lock, mut signal) = (inner.alloc_lock().unwrap(), inner.alloc_signal().unwrap());
        let team = inner.split_strided(0, 1, inner.n_pes()).unwrap().unwrap();
        forget(team.ctx(Serialized).unwrap());
        forget(lock.try_lock());
        inner.share((&mut array, &mut signal), |phase, (array, signal)| {
            let ctx = inner.ctx(Serialized).unwrap();
            let me = phase.pe();
            array.via(&ctx).put_one(me, 0, 7);
            signal.via(&ctx).set(me, 9);
            forget(ctx);
            phase.batch(|batch| batch.put(array, me, 1, &[8]));
        });
        assert_eq!((array[0], array[1], signal.value()), (7, 8, 9));
        forget(inner.alloc_own::<u64>(8, Near::Any).unwrap());
        forget((array, lock, signal, team, inner.alloc_one(1u8).unwrap()));
        inner.finalize().unwrap();
        works(world);
        world.reclaim().unwrap();
        assert_eq!(world.heap().figures.live_blocks, 4, "what was forgotten is kept");
    }

    /// A panic that is caught leaves every object, and the World, as a return would.
    fn panics_that_are_caught_do_no_harm(world) on [1, 2, 3] {
        let (me, n) = (world.pe(), world.n_pes());
        // On one PE: it drops its part, the others keep theirs.
        let made = catch_unwind(AssertUnwindSafe(|| {
            world.alloc_with(4, |i| if me == 0 && i == 2 { panic!("on purpose") } else { i as u64 }).unwrap()
        }));
        assert_eq!(made.is_err(), me == 0);
        assert!(made.as_ref().is_ok_and(|made| made[..] == [0, 1, 2, 3]) || me == 0);
        works(world);
        drop(made);
        world.reclaim().unwrap();
        assert_eq!(world.heap().figures.live_blocks, 0);
        // In a phase: by the program's own closures and iterators, and by the library's checks.
        let mut a = world.alloc::<u64>(4).unwrap();
        world.share(&mut a, |phase, a| {
            assert!(panics(|| a.watch((0..4).inspect(|i| assert!(*i < 2)), Cmp::Ne, 0).wait_all()));
            assert!(panics(|| phase.batch(|batch| {
                batch.put(a, (me + 1) % n, 0, &[5]);
                batch.put(a, n, 0, &[6]);
            })));
            assert!(panics(|| a.put(me, 3, &[1, 2])));
            phase.barrier();
            assert_eq!(a.read(0), 5, "what was issued before is complete");
        });
        // A call that cannot be, on every PE, before it meets anybody.
        let mut long = world.alloc::<u64>(5).unwrap();
        assert!(panics(|| world.reduce(Sum, &mut long, &a)));
        assert!(panics(|| world.broadcast(&mut a, n)));
        works(world);
    }

    /// Whoever is called back may call again: in the closures of the safe API no lock is held.
    fn what_is_called_back_may_call_again(world) on [1, 2, 3] {
        let n = world.n_pes() as u64;
        let mut a = world.alloc_with(3, |i| {
            let b = world.alloc_one(i as u64).unwrap();
            world.share(&b, |_, b| b.get_one(0, 0)) + world.reduce_one(Sum, 1u64)
        }).unwrap();
        assert_eq!(a[..], [n, n + 1, n + 2]);
        let read_only = world.alloc_one(4u64).unwrap();
        world.share((&mut a, &read_only), |phase, (a, one)| {
            // The same object read-only once more, others, collectives, a team, a World that comes and goes.
            world.share(&read_only, |_, two| assert_eq!(one.get_one(0, 0), two.get_one(0, 0) + *read_only - 4));
            let mut b = world.alloc::<u64>(1).unwrap();
            world.reduce(Sum, &mut b, &read_only);
            assert_eq!(b[0], 4 * n);
            let again = World::init().unwrap();
            drop(again.alloc::<u8>(100).unwrap());
            works(&again);
            again.finalize().unwrap();
            world.split_2d(2).unwrap();
            drop(b);
            a.add(0, 0, 1);
            phase.barrier();
        });
        assert_eq!(a[0], n + if world.pe() == 0 { n } else { 0 });
        works(world);
    }

    /// What one PE has exchanged is found where two PEs name it to each other, or is each PE's own affair.
    fn what_is_swapped_is_found(world) on [2, 3] {
        let odd = world.pe() == 1;
        let (mut a, mut b) = (world.alloc_signal().unwrap(), world.alloc_signal().unwrap());
        let (mut c, mut d) = (world.alloc_one(1u64).unwrap(), world.alloc_one(2u64).unwrap());
        let mut e = world.alloc::<u64>(6).unwrap();
        if odd {
            swap(&mut a, &mut b);
            swap(&mut c, &mut d);
        }
        assert!(world.try_share(&mut a, |_, _| ()).is_err());
        assert!(world.try_share((&mut c, &mut d), |_, _| ()).is_err());
        assert!(world.try_share(&d, |_, _| ()).is_err());
        let (mut first, mut second) = e.parts_mut(3);
        if odd {
            swap(&mut first, &mut second);
        }
        assert!(world.try_share(&mut first, |_, _| ()).is_err());
        if odd {
            swap(&mut a, &mut b);
        }
        world.share((&mut a, &mut b), |phase, (a, _)| a.set(phase.pe(), 1));
        assert_eq!((a.value(), b.value()), (1, 0));
        // Locks are no part of a phase: exchanged, they are other locks.
        let (mut one, mut other) = (world.alloc_lock().unwrap(), world.alloc_lock().unwrap());
        if odd {
            swap(&mut one, &mut other);
        }
        for _ in 0..50 {
            drop((one.lock(), other.try_lock()));
        }
        world.barrier();
    }

    /// Objects are plain values at every level: another thread may use and drop them.
    fn objects_go_to_other_threads(world) on [1, 2] {
        let mut a = world.alloc::<u64>(4).unwrap();
        let b = world.alloc::<u64>(4).unwrap();
        std::thread::scope(|threads| {
            threads.spawn(|| a.fill(3));
            threads.spawn(move || drop(b));
        });
        world.share(&a, |_, a| assert_eq!(a.get_vec(0, 0..4), [3; 4]));
        world.reclaim().unwrap();
        assert_eq!(world.heap().figures.live_blocks, 1);
    }
}

/// A World in a thread-local is finalized when its thread ends, after the program's last word.
#[test]
fn a_world_in_a_thread_local_is_finalized_with_its_thread() {
    thread_local!(static KEPT: RefCell<Option<World>> = const { RefCell::new(None) });
    let test = here!("a_world_in_a_thread_local_is_finalized_with_its_thread");
    if testing::is_pe() {
        let world = World::init().unwrap();
        forget(world.alloc::<u64>(1).unwrap());
        return KEPT.set(Some(world));
    }
    let outcome = Launch::of_test(test, 2, Boot::Local).run();
    outcome.expect_success(test);
    assert!(outcome.stderr.contains("PE 0: 1 blocks"), "{outcome}");
}

/// At `Multiple`: phases of two teams at once, a thread that panics in a phase, a World that another thread ends.
#[test]
fn threads_come_and_go_in_phases() {
    let test = here!("threads_come_and_go_in_phases");
    if !testing::is_pe() {
        return testing::run_on(test, &[1, 2, 3], |_: &World<Multiple>| ());
    }
    let world: Arc<World<Multiple>> = Arc::new(World::init_level().unwrap());
    let (me, n) = (world.pe(), world.n_pes());
    let next = (me + 1) % n;
    let mut objects = [0u64, 1].map(|_| world.alloc::<u64>(2).unwrap());
    let teams = [(); 2].map(|()| world.split_strided(0, 1, n).unwrap().unwrap());
    std::thread::scope(|threads| {
        for (object, team) in objects.iter_mut().zip(&teams) {
            threads.spawn(move || {
                for round in 1..=200 {
                    team.share(&mut *object, |phase, a| {
                        std::thread::scope(|inner| {
                            inner.spawn(move || a.put_one(next, 0, round));
                            inner.spawn(move || a.put_one(next, 1, round));
                        });
                        phase.barrier();
                    });
                    assert_eq!(object[..], [round, round]);
                }
            });
        }
    });
    world.share(&mut objects[0], |phase, a| {
        let left = std::thread::scope(|threads| {
            let spawned = threads.spawn(move || {
                a.put_one(next, 0, 7);
                panic!("on purpose, in a thread of a phase")
            });
            spawned.join()
        });
        assert!(left.is_err_and(|panic| panic.is::<&str>()));
        phase.barrier();
        assert_eq!(a.read(0), 7);
    });
    drop((objects, teams));
    let last = world.clone();
    drop(world);
    std::thread::spawn(move || Arc::into_inner(last).unwrap().finalize().unwrap()).join().unwrap();
    // And the next start is this thread's.
    World::<Multiple>::init_level().unwrap().finalize().unwrap();
}
