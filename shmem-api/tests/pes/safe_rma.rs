//! Strided and interleaved-block transfers and ranges of the safe API, against loops over vectors.

use shmem_api::testing::mix;
use shmem_api::{Elem, World, multi_pe};

const LEN: usize = 97;

/// Every stride at either end and every block that fits, from and to an odd place.
fn strides<T: Elem + PartialEq + std::fmt::Debug>(world: &World, value: impl Fn(u64) -> T) {
    let (me, n) = (world.pe(), world.n_pes());
    let (next, left) = ((me + 1) % n, (me + n - 1) % n);
    let fill = |pe: usize| (0..LEN as u64).map(|i| value(mix(pe as u64, i))).collect::<Vec<T>>();
    let source = |pe: usize| (0..40).map(|i| value(mix(1000 + pe as u64, i))).collect::<Vec<T>>();
    let mut object = world.alloc::<T>(LEN).unwrap();
    for block in [1, 2, 5] {
        for there in [block, block + 1, 11] {
            for here in [block, block + 3, 7] {
                let at = 3;
                let src = source(me);
                // As many whole blocks as lie in the slice and in the object.
                let n_blocks = ((src.len() - block) / here + 1).min((LEN - at - block) / there + 1);
                let used = (n_blocks - 1) * here + block;
                let expected = |from: usize| {
                    let src = source(from);
                    let mut model = fill(left_of(from, n));
                    for b in 0..n_blocks {
                        for e in 0..block {
                            model[at + b * there + e] = src[b * here + e];
                        }
                    }
                    model
                };
                object.copy_from_slice(&fill(left_of(left, n)));
                world.share(&mut object, |_, object| match block {
                    1 => object.iput(next, at, there, &src[..used], here),
                    _ => object.ibput(next, at, there, &src[..used], here, block),
                });
                assert_eq!(*object, expected(left)[..], "block {block}, {there} there, {here} here");

                let mut got = fill(50);
                let mut model = fill(50);
                world.share(&object, |_, object| match block {
                    1 => object.iget(next, at, there, &mut got[..used], here),
                    _ => object.ibget(next, at, there, &mut got[..used], here, block),
                });
                let theirs = expected(me);
                for b in 0..n_blocks {
                    for e in 0..block {
                        model[b * here + e] = theirs[at + b * there + e];
                    }
                }
                assert_eq!(got, model, "block {block}, {there} there, {here} here");
            }
        }
    }
}

fn left_of(pe: usize, n: usize) -> usize {
    (pe + n - 1) % n
}

/// Whether `call` panics with `text`.
fn refuses(text: &str, call: impl FnOnce()) {
    let why = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).expect_err(text);
    let why = why.downcast_ref::<String>().expect("a message");
    assert!(why.contains(text), "{why:?} instead of {text:?}");
}

multi_pe! {
    fn strides_and_blocks_do_what_the_loop_does(world) on [1, 2, 3, 4, 8] {
        strides::<u8>(world, |x| x as u8);
        strides::<u16>(world, |x| x as u16);
        strides::<i32>(world, |x| x as i32);
        strides::<f64>(world, |x| x as f64);
        strides::<u128>(world, |x| u128::from(x) << 63);
        strides::<[u32; 3]>(world, |x| [x as u32, (x >> 8) as u32, (x >> 16) as u32]);
        strides::<[u64; 20]>(world, |x| [x; 20]);
    }

    fn ranges_come_as_vectors(world) on [1, 2, 3, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let object = world.alloc_with(LEN, |i| mix(me as u64, i as u64)).unwrap();
        world.share(&object, |_, object| {
            for pe in 0..n {
                for (start, end) in [(0, 0), (0, LEN), (5, 6), (LEN, LEN), (31, 64)] {
                    let expected: Vec<u64> = (start..end).map(|i| mix(pe as u64, i as u64)).collect();
                    assert_eq!(object.get_vec(pe, start..end), expected);
                }
            }
        });
    }

    /// What cannot be is refused before anything is copied, and nothing outside the object is touched.
    fn what_does_not_fit_is_refused(world) on [1, 2] {
        let n = world.n_pes();
        let mut object = world.alloc_with(10, |i| i as u32).unwrap();
        let src = [77u32; 8];
        let mut dst = [0u32; 8];
        world.share(&mut object, |_, object| {
            let gone = format!("there is no PE {n}");
            refuses(&gone, || object.put(n, 0, &src));
            refuses(&gone, || object.iput(n, 0, 1, &src, 1));
            refuses(&gone, || drop(object.get_vec(n, 0..1)));
            refuses(&format!("there is no PE {}", usize::MAX), || object.add(usize::MAX, 0, 1));
            refuses(&format!("there is no PE {}", 1usize << 32), || object.put_one(1 << 32, 0, 1));
            refuses("elements 3..11 of an object of 10", || object.put(0, 3, &src));
            refuses("elements 0..15 of an object of 10", || object.iput(0, 0, 2, &src, 1));
            refuses("elements 9..", || object.iput(0, 9, usize::MAX, &src, 1));
            refuses("elements 11..11", || object.iget(0, 11, 1, &mut dst[..0], 1));
            refuses("a stride of 0", || object.iput(0, 0, 0, &src, 1));
            refuses("a stride of 0", || object.iget(0, 0, 1, &mut [0; 8], 0));
            refuses("a stride of 1 is less than a block of 2", || object.ibput(0, 0, 1, &src, 2, 2));
            refuses("a stride of 3 is less than a block of 4", || object.ibget(0, 0, 4, &mut [0; 8], 3, 4));
            refuses("elements 5..18446744073709551610", || drop(object.get_vec(0, 5..usize::MAX - 5)));
            // Nothing to copy is nothing to refuse.
            object.iput(0, 10, 5, &[], 5);
            object.ibput(0, 10, 9, &src, 9, 9); // no whole block
            // One block is apart from nothing, whatever its strides.
            for (stride, block) in [(usize::MAX, 1), (usize::MAX / 4 + 1, 2)] {
                object.ibget(n - 1, 10 - block, stride, &mut dst[..block], stride, block);
                assert_eq!((dst[0], dst[block - 1]), (10 - block as u32, 9));
                object.ibput(0, 10 - block, stride, &dst[..block], stride, block);
            }
        });
        assert!(object.iter().enumerate().all(|(i, v)| *v == i as u32));
    }
}
