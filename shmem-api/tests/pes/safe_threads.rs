//! The safe API from several threads of each PE at once: contexts, atomics, signals, waits, objects.

use shmem_api::testing::run_on;
use shmem_api::{Cmp, Multiple, Private, Serialized, SignalOp, World};

const THREADS: usize = 4;
const TIMES: usize = 500;

fn on(test: &str, pes: &[u32], body: impl FnOnce(&World<Multiple>)) {
    run_on(test, pes, body);
}

#[test]
fn counts_of_many_threads_are_exact() {
    on(here!("counts_of_many_threads_are_exact"), &[1, 2, 4], |world| {
        let (me, n) = (world.pe(), world.n_pes());
        let mut shared = world.alloc::<u64>(1).unwrap();
        let mut own = world.alloc::<u64>(THREADS).unwrap();
        world.share((&mut shared, &mut own), |phase, (shared, own)| {
            std::thread::scope(|threads| {
                for thread in 0..THREADS {
                    let ctx = world.ctx(Serialized).unwrap();
                    threads.spawn(move || {
                        // Two contexts: one that came along, one of this thread's own.
                        let private = world.ctx(Private).unwrap();
                        let (shared, own) = (shared.via(&ctx), own.via(&private));
                        for i in 0..TIMES {
                            shared.inc((me + i) % n, 0);
                            own.add((me + i) % n, thread, 2);
                        }
                        ctx.quiet();
                        let mut was = [0; 8];
                        phase.batch(|q| was.iter_mut().for_each(|was| q.fetch(own, me, thread, was)));
                        assert!(was.iter().all(|was| was % 2 == 0));
                    });
                }
            });
        });
        let sums = world.alloc_with(2, |i| [shared[0], own.iter().sum()][i]).unwrap();
        world.share(&sums, |_, sums| {
            let all = |i| (0..n).map(|pe| sums.get_one(pe, i)).sum::<u64>();
            assert_eq!((all(0), all(1)), ((n * THREADS * TIMES) as u64, (2 * n * THREADS * TIMES) as u64));
        });
    });
}

#[test]
fn threads_signal_and_wait_at_once() {
    on(here!("threads_signal_and_wait_at_once"), &[1, 2, 4], |world| {
        let (me, n) = (world.pe(), world.n_pes());
        let (next, left) = ((me + 1) % n, (me + n - 1) % n);
        let mut room = world.alloc::<u32>(THREADS * 16).unwrap();
        let mut full = world.alloc_signals(THREADS).unwrap();
        let mut empty = world.alloc_signals(THREADS).unwrap();
        world.share((&mut room, &mut full, &mut empty), |_, (room, full, empty)| {
            std::thread::scope(|threads| {
                for thread in 0..THREADS {
                    threads.spawn(move || {
                        let (full, empty, at) = (full.at(thread), empty.at(thread), 16 * thread);
                        for round in 1..=100u64 {
                            let value = |pe: usize| (pe * 10_000 + thread * 1000) as u32 + round as u32;
                            empty.wait_until(Cmp::Ge, round - 1);
                            full.put_signal(room, next, at, &[value(me); 16], SignalOp::Add(1));
                            full.wait_until(Cmp::Ge, round);
                            assert_eq!(room.get_vec(me, at..at + 16), [value(left); 16]);
                            empty.add(left, 1);
                        }
                    });
                }
            });
        });
    });
}

/// Objects may be used and dropped by any thread; their memory comes back when every PE has dropped them.
#[test]
fn objects_go_to_other_threads() {
    on(here!("objects_go_to_other_threads"), &[1, 2], |world| {
        let mut object = world.alloc::<u64>(1000).unwrap();
        std::thread::scope(|threads| {
            for part in object.chunks_mut(250) {
                threads.spawn(move || part.iter_mut().for_each(|v| *v += 1));
            }
        });
        assert!(object.iter().all(|v| *v == 1));
        let before = world.heap().figures.live_blocks;
        std::thread::scope(|threads| {
            threads.spawn(move || drop(object));
        });
        world.reclaim().unwrap();
        assert_eq!(world.heap().figures.live_blocks, before - 1);
    });
}
