//! The shared phase on 1 to 8 PEs: put, get, atomics, waits, batches, parts.

mod tricks;

use shmem_api::testing::mix;
use shmem_api::{Cmp, World, multi_pe};

fn put_and_get_of_every_length<T: shmem_api::Elem + PartialEq + std::fmt::Debug>(
    world: &World,
    value: impl Fn(u64) -> T,
) {
    let (me, n) = (world.pe(), world.n_pes());
    let next = (me + 1) % n;
    for len in [1usize, 2, 3, 7, 8, 9, 64, 1000] {
        let mut a = world.alloc_with(len, |i| value(mix(me as u64, i as u64))).unwrap();
        let expected = |pe: usize, i: usize| value(mix(pe as u64, i as u64));
        world.share(&a, |_, a| {
            for pe in 0..n {
                let mut got = vec![value(0); len];
                a.get(pe, 0, &mut got);
                assert!(got.iter().enumerate().all(|(i, v)| *v == expected(pe, i)), "get {len} from {pe}");
                assert_eq!(a.get_one(pe, len - 1), expected(pe, len - 1));
            }
        });
        let mine: Vec<T> = a.to_vec();
        world.share(&mut a, |phase, a| {
            // The barrier separates everybody's read of its own part from the first write to it.
            phase.barrier();
            let (half, rest) = mine.split_at(len / 2);
            a.put(next, 0, half);
            a.put(next, len / 2, rest);
        });
        let left = (me + n - 1) % n;
        assert!(a.iter().enumerate().all(|(i, v)| *v == expected(left, i)), "put {len} from {left}");
    }
}

multi_pe! {
    fn put_and_get_for_several_types(world) on [1, 2, 3, 8] {
        put_and_get_of_every_length::<u8>(world, |x| x as u8);
        put_and_get_of_every_length::<i16>(world, |x| x as i16);
        put_and_get_of_every_length::<u32>(world, |x| x as u32);
        put_and_get_of_every_length::<f64>(world, |x| x as f64);
        put_and_get_of_every_length::<u128>(world, |x| u128::from(x) << 60);
        put_and_get_of_every_length::<[u32; 3]>(world, |x| [x as u32, (x >> 8) as u32, (x >> 16) as u32]);
    }

    fn atomics_are_exact_under_contention(world) on [1, 2, 4, 8] {
        const TIMES: u64 = 5_000;
        let n = world.n_pes();
        let mut sums = world.alloc::<u64>(3).unwrap();
        let mut small = world.alloc::<i32>(2).unwrap();
        let mut held = world.alloc::<usize>(1).unwrap();
        world.share((&mut sums, &mut small, &mut held), |_, (sums, small, held)| {
            for i in 0..TIMES {
                let target = (i as usize) % n;
                sums.add(target, 0, 1);
                assert!(sums.fetch_add(0, 1, 2) % 2 == 0);
                small.add(target, 0, -1);
                // A counter that is only ever changed by compare-and-swap.
                let mut old = held.fetch(0, 0);
                loop {
                    let seen = held.compare_swap(0, 0, old, old + 3);
                    if seen == old { break }
                    old = seen;
                }
            }
            small.set(0, 1, 42);
            assert!([0, 42].contains(&small.swap(0, 1, 42)));
        });
        let total = TIMES * n as u64;
        world.share((&sums, &small, &held), |phase, (sums, small, held)| {
            let counted: u64 = (0..phase.n_pes()).map(|pe| sums.get_one(pe, 0)).sum();
            let down: i32 = (0..phase.n_pes()).map(|pe| small.get_one(pe, 0)).sum();
            assert_eq!((counted, down), (total, -(total as i32)));
            assert_eq!(sums.get_one(0, 1), 2 * total);
            assert_eq!(held.get_one(0, 0), 3 * total as usize);
            assert_eq!(small.get_one(0, 1), 42);
        });
    }

    fn a_wait_sees_what_was_put_before_the_change(world) on [2, 3, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let (next, left) = ((me + 1) % n, (me + n - 1) % n);
        let mut data = world.alloc::<u64>(256).unwrap();
        let mut flag = world.alloc::<u64>(2).unwrap();
        world.share((&mut data, &mut flag), |phase, (data, flag)| {
            for round in 1..=50u64 {
                data.put(next, 0, &vec![mix(round, me as u64); 256]);
                phase.fence();
                // Both ways to tell: an atomic, which rings, and a plain put, which does not.
                if round % 2 == 0 { flag.set(next, 0, round) } else { flag.put_one(next, 0, round) }
                flag.wait_until(0, Cmp::Ge, round);
                let mut seen = vec![0; 256];
                data.get(me, 0, &mut seen);
                assert_eq!(seen, vec![mix(round, left as u64); 256]);
                flag.add(left, 1, 1);
                flag.wait_until(1, Cmp::Eq, round);
            }
        });
    }

    fn every_comparison_of_a_wait(world) on [2, 4] {
        let mut a = world.alloc::<i64>(6).unwrap();
        let (me, n) = (world.pe(), world.n_pes());
        world.share(&mut a, |_, a| {
            if me == 1 {
                for (i, v) in [5, 1, 6, 5, -1, -5].into_iter().enumerate() {
                    (0..n).for_each(|pe| a.set(pe, i, v));
                }
            } else {
                assert_eq!(a.wait_until(0, Cmp::Eq, 5), 5);
                assert_eq!(a.wait_until(1, Cmp::Ne, 0), 1);
                assert_eq!(a.wait_until(2, Cmp::Gt, 5), 6);
                assert_eq!(a.wait_until(3, Cmp::Ge, 5), 5);
                assert_eq!(a.wait_until(4, Cmp::Lt, 0), -1);
                assert_eq!(a.wait_until(5, Cmp::Le, -5), -5);
            }
        });
    }

    fn a_batch_is_complete_at_its_end(world) on [1, 4] {
        let (me, n) = (world.pe(), world.n_pes());
        let mut a = world.alloc::<u32>(n * 100).unwrap();
        let mine: Vec<u32> = (0..100).map(|i| (me * 1000 + i) as u32).collect();
        let mut back = vec![0; 100];
        world.share(&mut a, |phase, a| {
            phase.batch(|q| {
                for pe in 0..n {
                    q.put(a, pe, me * 100, &mine);
                }
            });
            phase.batch(|q| q.get(a, (me + 1) % n, me * 100, &mut back));
        });
        assert_eq!(back, mine);
        for (pe, part) in a.chunks(100).enumerate() {
            assert!(part.iter().enumerate().all(|(i, v)| *v == (pe * 1000 + i) as u32));
        }
    }

    fn the_halo_is_shared_while_the_inside_stays_local(world) on [1, 3] {
        let (me, n) = (world.pe(), world.n_pes());
        let mut a = world.alloc::<u64>(10).unwrap();
        let (mut inner, mut halo) = a.parts_mut(8);
        world.share(&mut halo, |_, halo| {
            inner.fill(me as u64);
            halo.put_one((me + 1) % n, 0, 100 + me as u64);
            halo.put_one((me + n - 1) % n, 1, 200 + me as u64);
        });
        assert!(a[..8].iter().all(|v| *v == me as u64));
        assert_eq!(a[8..], [100 + ((me + n - 1) % n) as u64, 200 + ((me + 1) % n) as u64]);
    }

    fn phases_nest_over_different_objects(world) on [2, 3] {
        let mut a = world.alloc::<u64>(1).unwrap();
        let mut b = world.alloc_one(0u32).unwrap();
        let other = (world.pe() + 1) % world.n_pes();
        let result = world.share(&mut a, |_, a| {
            a.put_one(other, 0, 5);
            world.share(&mut b, |_, b| b.put_one(other, 0, 6));
            // Early return from the closure is fine: it waits at the end of the phase.
            if *b == 6 { return "inner done" }
            "inner not done"
        });
        assert_eq!((result, a[0], *b), ("inner done", 5, 6));
    }

    fn nothing_and_empty_objects_can_be_shared(world) on [1, 2] {
        let mut empty = world.alloc::<u64>(0).unwrap();
        world.share((), |phase, ()| phase.barrier());
        world.share(&mut empty, |_, e| {
            assert!(e.is_empty());
            e.put(0, 0, &[]);
            e.get(0, 0, &mut []);
        });
        assert!(empty.is_empty());
    }

    /// Rule S3: what one PE does differently is an error of that call on every PE, and life goes on.
    fn a_phase_over_different_objects_is_refused_on_every_pe(world) on [2, 4] {
        let me = world.pe();
        let mut a = world.alloc::<u64>(4).unwrap();
        let mut b = world.alloc::<u64>(4).unwrap();
        if me == 1 { std::mem::swap(&mut a, &mut b) }
        let e = world.try_share(&mut a, |_, _| unreachable!("no closure runs")).unwrap_err();
        assert_eq!(e.pe.0, 1);
        assert!(e.got.contains("32 bytes at"), "{e}");
        if me == 1 { std::mem::swap(&mut a, &mut b) }
        let e = if me == 1 { world.try_share(&a, |_, _| ()).unwrap_err() } else { world.try_share(&mut a, |_, _| ()).unwrap_err() };
        assert!(e.got.contains("read-only"), "{e}");
        let (mut part, _) = a.parts_mut(1 + usize::from(me == 1));
        assert!(world.try_share(&mut part, |_, _| ()).is_err());
        assert!(world.try_share(&mut b, |_, _| ()).is_ok());
        let e = if me == 1 { world.try_barrier().unwrap_err() } else { world.try_share((), |_, ()| ()).unwrap_err() };
        assert!(e.got.contains("barrier") && e.expected.contains("phase"), "{e}");
        world.barrier();
    }
}
