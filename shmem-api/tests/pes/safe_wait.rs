//! Waits and tests of the safe API for several elements at once: any, some, all; on objects and on signals.

use std::collections::BTreeSet;

use shmem_api::{Cmp, multi_pe};

type Model = fn(&i64, &i64) -> bool;

const COMPARISONS: [(Cmp, Model); 6] = [
    (Cmp::Eq, i64::eq),
    (Cmp::Ne, i64::ne),
    (Cmp::Gt, i64::gt),
    (Cmp::Ge, i64::ge),
    (Cmp::Lt, i64::lt),
    (Cmp::Le, i64::le),
];

multi_pe! {
    /// Every comparison, every subset of five elements, with one value and with one each.
    fn tests_tell_what_the_model_tells(world) on [1, 2] {
        let values = [-3i64, 0, 0, 2, i64::MAX];
        let mut object = world.alloc_with(5, |i| values[i]).unwrap();
        world.share(&mut object, |_, object| {
            for (cmp, model) in COMPARISONS {
                for mask in 0..32u32 {
                    let set: Vec<usize> = (0..5).filter(|i| mask >> i & 1 == 1).collect();
                    let each = |i: usize| [0, -1, 0, 2, 1][i];
                    for one in [true, false] {
                        let value = |i: usize| if one { 0 } else { each(i) };
                        let expected: Vec<usize> =
                            set.iter().copied().filter(|i| model(&values[*i], &value(*i))).collect();
                        let watch = match one {
                            true => object.watch(set.iter().copied(), cmp, 0),
                            false => object.watch_each(set.iter().map(|i| (*i, each(*i))), cmp),
                        };
                        assert_eq!(watch.test_some(), expected, "{cmp:?} {set:?}");
                        assert_eq!(watch.test_all(), expected == set, "{cmp:?} {set:?}");
                        match watch.test_any() {
                            Some(i) => assert!(expected.contains(&i), "{cmp:?} {set:?}: {i}"),
                            None => assert!(expected.is_empty(), "{cmp:?} {set:?}"),
                        }
                        // What is true already is not waited for; of no elements, nothing is.
                        if !expected.is_empty() || set.is_empty() {
                            assert_eq!(watch.wait_some(), expected);
                            assert_eq!(watch.wait_any().is_some(), !expected.is_empty());
                        }
                        if expected == set {
                            watch.wait_all();
                        }
                    }
                    assert_eq!(set.iter().all(|i| object.test(*i, cmp, 0)), set.iter().all(|i| model(&values[*i], &0)));
                }
            }
        });
    }

    fn any_some_and_all_wait_for_every_pe(world) on [1, 2, 3, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let mut flags = world.alloc::<u32>(n).unwrap();
        let mut signals = world.alloc_signals(n).unwrap();
        world.share((&mut flags, &mut signals), |phase, (flags, signals)| {
            let tell = |round: u32| {
                for pe in (0..n).map(|i| (me + i) % n) {
                    // An atomic, a plain put that rings nobody, and a signal.
                    match round % 2 {
                        0 => flags.set(pe, me, round),
                        _ => flags.put_one(pe, me, round),
                    }
                    signals.at(me).set(pe, u64::from(round));
                }
            };
            tell(1);
            let mut done = BTreeSet::new();
            while let Some(pe) = flags.watch((0..n).filter(|i| !done.contains(i)), Cmp::Eq, 1).wait_any() {
                assert!(done.insert(pe), "PE {pe} twice");
            }
            assert_eq!(done.len(), n);
            signals.watch(0..n, Cmp::Ge, 1).wait_all();
            phase.barrier();

            tell(2);
            let mut done = BTreeSet::new();
            while done.len() < n {
                let rest = signals.watch((0..n).filter(|i| !done.contains(i)), Cmp::Gt, 1);
                let more = rest.wait_some();
                assert!(!more.is_empty());
                assert!(more.iter().all(|pe| done.insert(*pe)), "{more:?} again");
            }
            flags.watch(0..n, Cmp::Eq, 2).wait_all();
            phase.barrier();

            tell(3);
            signals.watch_each((0..n).map(|i| (i, 3)), Cmp::Eq).wait_all();
            flags.watch_each((0..n).map(|i| (i, 3)), Cmp::Ge).wait_all();
            assert!(signals.watch(0..n, Cmp::Eq, 3).test_all() && flags.watch(0..n, Cmp::Lt, 3).test_any().is_none());
        });
        assert!(flags.iter().all(|v| *v == 3));
    }

    /// Fair: with many elements true all the time, each is told by one of few calls, also to one caller of two.
    fn no_element_is_passed_over_for_ever(world) on [1] {
        let mut flags = world.alloc_with(10, |_| 1u64).unwrap();
        world.share(&mut flags, |_, flags| {
            let watch = flags.watch(0..10, Cmp::Eq, 1);
            let other = flags.watch(3..6, Cmp::Eq, 1);
            let (mut seen, mut seen_by_other) = (BTreeSet::new(), BTreeSet::new());
            for _ in 0..40 {
                seen.extend(watch.wait_any());
                seen_by_other.extend(other.test_any());
            }
            assert_eq!((seen.len(), seen_by_other.len()), (10, 3));
        });
    }
}
