//! Every atomic of the safe API, on every type and PE, against a sequential model; blocking and in batches.

use shmem_api::testing::Random;
use shmem_api::{AmoBit, AmoInt, AmoSwap, World, multi_pe};

const STEPS: usize = 400;

/// Runs `step(remote, pe, at, model)` over and over: each PE has an element of its own on every PE, so `model`
/// is what that element must hold, and in the end what the object holds everywhere.
fn against_a_model<T: AmoSwap + std::fmt::Debug>(
    world: &World,
    zero: T,
    mut step: impl FnMut(shmem_api::Remote<'_, T, shmem_api::Single>, usize, usize, &mut T),
) {
    let (me, n) = (world.pe(), world.n_pes());
    let mut object = world.alloc::<T>(n).unwrap();
    let mut models = vec![zero; n];
    world.share(&mut object, |phase, remote| {
        let mut random = Random::new(me as u64);
        for _ in 0..STEPS {
            let pe = random.below(n);
            step(remote, pe, me, &mut models[pe]);
        }
        phase.barrier();
        for (pe, model) in models.iter().enumerate() {
            assert_eq!(remote.fetch(pe, me), *model, "PE {me}'s element on PE {pe}");
        }
    });
}

fn swap_types<T: AmoSwap + std::fmt::Debug>(world: &World, zero: T, value: impl Fn(u64) -> T) {
    let mut random = Random::new(world.pe() as u64 + 1000);
    against_a_model(world, zero, |remote, pe, at, model| {
        let new = value(random.next());
        match random.below(3) {
            0 => {
                remote.set(pe, at, new);
                *model = new;
            }
            1 => assert_eq!(remote.swap(pe, at, new), std::mem::replace(model, new)),
            _ => assert_eq!(remote.fetch(pe, at), *model),
        }
    });
}

macro_rules! int_types {
    ($($name:ident: $int:ty),*) => {$(
        fn $name(world: &World) {
            fn is_one_of_them<T: AmoInt + AmoBit>() {}
            is_one_of_them::<$int>();
            swap_types::<$int>(world, 0, |x| x as $int);
            let mut random = Random::new(world.pe() as u64 + 2000);
            against_a_model::<$int>(world, 0, |remote, pe, at, model| {
                let (old, value) = (*model, random.next() as $int);
                let (new, seen) = match random.below(11) {
                    0 => (old.wrapping_add(value), Some(remote.fetch_add(pe, at, value))),
                    1 => (old.wrapping_add(value), { remote.add(pe, at, value); None }),
                    2 => (old.wrapping_add(1), Some(remote.fetch_inc(pe, at))),
                    3 => (old.wrapping_add(1), { remote.inc(pe, at); None }),
                    4 => (old & value, Some(remote.fetch_and(pe, at, value))),
                    5 => (old & value, { remote.and(pe, at, value); None }),
                    6 => (old | value, Some(remote.fetch_or(pe, at, value))),
                    7 => (old | value, { remote.or(pe, at, value); None }),
                    8 => (old ^ value, Some(remote.fetch_xor(pe, at, value))),
                    9 => (old ^ value, { remote.xor(pe, at, value); None }),
                    // Half of the comparisons hold.
                    _ if value % 2 == 0 => (value, Some(remote.compare_swap(pe, at, old, value))),
                    _ => (old, Some(remote.compare_swap(pe, at, old.wrapping_add(1), value))),
                };
                assert!(seen.is_none_or(|seen| seen == old), "{seen:?} instead of {old}");
                *model = new;
            });
        }
    )*};
}

int_types!(i32s: i32, i64s: i64, u32s: u32, u64s: u64, isizes: isize, usizes: usize);

multi_pe! {
    fn every_atomic_of_every_type_does_what_the_model_does(world) on [1, 2, 3, 4, 8] {
        [i32s, i64s, u32s, u64s, isizes, usizes].iter().for_each(|test| test(world));
        // As numbers, so that the model's comparison is that of the bits (no NaN among them).
        swap_types::<f32>(world, 0.0, |x| (x >> 40) as f32 - 1e6);
        swap_types::<f64>(world, 0.0, |x| (x >> 12) as f64 / 3.0);
    }

    fn atomics_of_a_batch_are_complete_at_its_end(world) on [1, 2, 3, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let mut object = world.alloc_with(8 * n, |i| 0xf0 + (i / n) as u64).unwrap();
        let mut reals = world.alloc_with(n, |_| 0.5f64).unwrap();
        let mut was = vec![[0u64; 8]; n];
        let mut real = vec![0.0; n];
        world.share((&mut object, &mut reals), |phase, (object, reals)| {
            phase.batch(|q| {
                for (pe, (was, real)) in was.iter_mut().zip(&mut real).enumerate() {
                    let [a, b, c, d, e, f, g, h] = was;
                    let at = |i: usize| i * n + me;
                    q.fetch(object, pe, at(0), a);
                    q.swap(object, pe, at(1), 1, b);
                    q.compare_swap(object, pe, at(2), 0xf2, 2, c);
                    q.fetch_inc(object, pe, at(3), d);
                    q.fetch_add(object, pe, at(4), 4, e);
                    q.fetch_and(object, pe, at(5), 0x55, f);
                    q.fetch_or(object, pe, at(6), 0x0f, g);
                    q.fetch_xor(object, pe, at(7), 0xff, h);
                    q.swap(reals, pe, me, 1.5, real);
                }
            });
        });
        assert!(was.iter().all(|was| *was == std::array::from_fn(|i| 0xf0 + i as u64)));
        assert!(real.iter().all(|real| *real == 0.5) && reals.iter().all(|real| *real == 1.5));
        let expected = [0xf0, 1, 2, 0xf4, 0xf8, 0x55, 0xff, 0x08];
        assert!(object.iter().enumerate().all(|(i, v)| *v == expected[i / n]), "{object:?}");
    }

    fn bits_set_by_all_pes_at_once_are_all_there(world) on [2, 4, 8] {
        let (me, n) = (world.pe() as u32, world.n_pes() as u32);
        let mut masks = world.alloc_one(0u32).unwrap();
        let mut odd = world.alloc_one(0u64).unwrap();
        world.share((&mut masks, &mut odd), |phase, (masks, odd)| {
            for round in 0..500 {
                assert_eq!(masks.fetch_or(0, 0, 1 << me) >> me & 1, 0, "round {round}");
                odd.xor(0, 0, 1 << (8 * me));
                assert_eq!(masks.fetch_and(0, 0, !(1 << me)) >> me & 1, 1, "round {round}");
            }
            masks.or(0, 0, 1 << me);
            odd.fetch_xor(0, 0, 0x81 << (8 * me));
            phase.barrier();
            assert_eq!(masks.get_one(0, 0), (1 << n) - 1);
            assert_eq!(odd.get_one(0, 0), (0..n).map(|pe| 0x81 << (8 * pe)).sum::<u64>());
        });
    }
}
