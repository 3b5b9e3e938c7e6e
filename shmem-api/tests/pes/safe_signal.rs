//! Signals and contexts of the safe API, on 1 to 8 PEs.
#![forbid(unsafe_code)]

use shmem_api::{Cmp, Private, Serialized, SignalOp, multi_pe, sym_static};

sym_static! {
    static BELL: StaticSignal;
}

fn block(round: u64, pe: usize, len: usize) -> Vec<u32> {
    (0..len).map(|i| (round * 100_000 + pe as u64 * 1000 + i as u64) as u32).collect()
}

multi_pe! {
    /// Every PE sends to every PE; who sees the signal of a sender sees its data, of all lengths.
    fn the_data_is_there_when_the_signal_is(world) on [1, 2, 3, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        for len in [0, 1, 2, 7, 300] {
            let mut inbox = world.alloc::<u32>(len * n).unwrap();
            let mut full = world.alloc_signals(n).unwrap();
            let mut empty = world.alloc_signals(n).unwrap();
            world.share((&mut inbox, &mut full, &mut empty), |phase, (inbox, full, empty)| {
                for round in 1..=20 {
                    for to in 0..n {
                        // The receiver has read what came before.
                        empty.at(to).wait_until(Cmp::Ge, round - 1);
                        let op = if round % 2 == 0 { SignalOp::Set(round) } else { SignalOp::Add(1) };
                        let (mine, data) = (full.at(me), block(round, me, len));
                        if round % 3 == 0 {
                            phase.batch(|q| q.put_signal(mine, inbox, to, me * len, &data, op));
                        } else {
                            mine.put_signal(inbox, to, me * len, &data, op);
                        }
                    }
                    for from in 0..n {
                        assert_eq!(full.at(from).wait_until(Cmp::Ge, round), round);
                        let mut got = vec![0; len];
                        inbox.get(me, from * len, &mut got);
                        assert_eq!(got, block(round, from, len), "round {round} from PE {from}");
                        empty.at(me).add(from, 1);
                    }
                }
            });
            assert!(full.values().iter().all(|v| *v == 20));
            full.reset(0);
            assert_eq!(full.values().iter().filter(|v| **v == 0).count(), 1);
            full.reset_all();
            assert!(full.values().iter().all(|v| *v == 0) && full.len() == n && !full.is_empty());
        }
    }

    fn a_signal_is_set_added_to_tested_and_reset(world) on [1, 2, 3, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let next = (me + 1) % n;
        let mut signal = world.alloc_signal().unwrap();
        world.share(&mut signal, |phase, signal| {
            assert_eq!(signal.fetch(), 0);
            phase.barrier();
            signal.set(next, 5);
            assert_eq!(signal.wait_until(Cmp::Ne, 0), 5);
            phase.barrier();
            for pe in 0..n {
                signal.add(pe, 10);
            }
            assert_eq!(signal.wait_until(Cmp::Eq, 5 + 10 * n as u64), 5 + 10 * n as u64);
            assert!(signal.test(Cmp::Gt, 5) && !signal.test(Cmp::Lt, 5));
            phase.barrier();
            // It wraps around, as the standard's unsigned words do.
            signal.set(next, u64::MAX);
            signal.wait_until(Cmp::Eq, u64::MAX);
            phase.barrier();
            signal.add(next, 3);
            signal.wait_until(Cmp::Eq, 2);
        });
        assert_eq!(signal.value(), 2);
        signal.reset();
        world.share(&mut signal, |_, signal| assert_eq!(signal.fetch(), 0));
    }

    fn a_static_can_be_a_signal(world) on [1, 2, 4] {
        let (me, n) = (world.pe(), world.n_pes());
        let mut data = world.alloc::<u64>(n).unwrap();
        let bell = BELL.on(world);
        world.share(&mut data, |_, data| {
            for pe in 0..n {
                bell.put_signal(data, pe, me, &[me as u64 + 1], SignalOp::Add(1));
            }
            bell.wait_until(Cmp::Eq, n as u64);
            assert!((0..n).all(|pe| data.read(pe) == pe as u64 + 1));
        });
    }

    /// A signal object and one of plain words are different things, though they are as long.
    fn signals_and_words_do_not_meet(world) on [2] {
        let mut words = world.alloc::<u64>(1).unwrap();
        let mut signal = world.alloc_signal().unwrap();
        let diverged = if world.pe() == 0 {
            world.try_share(&mut words, |_, _| ()).unwrap_err()
        } else {
            world.try_share(&mut signal, |_, _| ()).unwrap_err()
        };
        assert!(format!("{diverged}").contains("a signal (8 bytes"), "{diverged}");
        world.barrier();
    }

    fn contexts_complete_and_order_what_goes_through_them(world) on [1, 2, 3, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let (next, left) = ((me + 1) % n, (me + n - 1) % n);
        let one = world.ctx(Serialized).unwrap();
        let mine = world.ctx(Private).unwrap();
        assert_eq!((one.pe(), one.n_pes()), (me, n));
        let mut data = world.alloc::<u64>(65).unwrap();
        let mut flag = world.alloc::<u64>(1).unwrap();
        let mut signals = world.alloc_signals(2).unwrap();
        world.share((&mut data, &mut flag, &mut signals), |_, (data, flag, signals)| {
            let (data, flag, to_me) = (data.via(&one), flag.via(&one), signals.via(&mine).at(0));
            for round in 1..=50u64 {
                data.put(next, 0, &[round * 10 + me as u64; 64]);
                if round % 2 == 0 { one.fence() } else { one.quiet() }
                flag.set(next, 0, round);
                flag.wait_until(0, Cmp::Ge, round);
                let mut got = [0; 64];
                data.get(me, 0, &mut got);
                assert_eq!(got, [round * 10 + left as u64; 64]);
                signals.at(1).via(&one).add(left, 1);
                signals.at(1).wait_until(Cmp::Ge, round);
                to_me.put_signal(data, me, 64, &[round + 7], SignalOp::Set(round));
                assert_eq!((to_me.fetch(), data.read(64)), (round, round + 7));
            }
        });
        let contexts: Vec<_> = (0..1000).map(|_| world.ctx(Serialized).unwrap()).collect();
        world.share(&data, |_, data| {
            let data = data.via(&contexts[999]);
            assert_eq!(data.get_one(next, 64), 57);
        });
    }
}
