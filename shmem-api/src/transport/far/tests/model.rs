//! Random calls of all PEs against what must be there, under any order of deliveries; and that faults are found.

use std::cell::RefCell;
use std::rc::Rc;

use super::channel::{BYTES, Channel, DATA, LEN, STREAMS};
use super::slices::{get, get_blocks, put, put_blocks, put_signal};
use super::words::{self, Words};
use super::world::{Driven, Setup, Step, caught};
use memheap::PeId;

use crate::testing::Random;
use crate::transport::far::mutation::Mutation;
use crate::transport::{FarBlocks, Stream, Transport};
use crate::types::amo::AmoOp;

/// Steps of one run, of one call or of several.
const STEPS: usize = 1000;

/// What all PEs have done.
struct Model {
    /// By the PE that puts.
    channels: Vec<RefCell<Vec<Channel>>>,
    words: Words,
    left: RefCell<usize>,
}

/// Hosts of one to three PEs, two to four of them.
fn hosts(seed: u64) -> Vec<u32> {
    let mut random = Random::new(seed ^ 0x4057);
    let n = 2 + random.below(3) as u32;
    let most = if n == 2 { 3 } else { 2 };
    (0..n).flat_map(|host| vec![host; 1 + random.below(most)]).collect()
}

impl Model {
    fn new(of: &[u32]) -> Model {
        let channels = |me: usize| {
            let far = (0..of.len()).filter(|&pe| of[pe] != of[me]);
            let each = far.flat_map(|pe| (0..STREAMS.len()).map(move |stream| (pe, stream)));
            let base = |stream: usize| words::LEN + (me * STREAMS.len() + stream) as u64 * LEN;
            RefCell::new(each.map(|(pe, stream)| Channel::new(pe, STREAMS[stream], base(stream))).collect())
        };
        Model {
            channels: (0..of.len()).map(channels).collect(),
            words: Words::new(of.len()),
            left: RefCell::new(STEPS),
        }
    }

    /// One of the PE's channels, by place.
    fn with<R>(&self, me: usize, place: usize, f: impl FnOnce(&mut Channel) -> R) -> R {
        f(&mut self.channels[me].borrow_mut()[place])
    }

    /// The next calls of a PE.
    fn step(&self, driven: &Driven, me: usize) -> bool {
        if *self.left.borrow() == 0 {
            return false;
        }
        *self.left.borrow_mut() -= 1;
        let place = driven.below(self.channels[me].borrow().len());
        let (pe, stream) = self.with(me, place, |channel| (channel.target, channel.stream));
        let far = driven.far(me);
        match driven.below(20) {
            0..=3 => self.put(driven, me, place),
            4 => self.put_strided(driven, me, place),
            5 => self.get(driven, me, place),
            6 => self.get_strided(driven, me, place),
            7 | 8 => self.flagged(driven, me, place),
            9 | 10 => self.signalled(driven, me, place),
            11 => self.fence(driven, me, stream),
            12 | 13 => self.quiet(driven, me, stream),
            14..=16 => self.words.far(driven, me, pe, stream),
            17 => self.words.near(driven, me),
            18 => self.get_of_another(driven, me),
            _ => match driven.below(2) {
                0 => far.progress(),
                _ => far.wake(PeId(pe as u32)),
            },
        }
        self.look(driven);
        true
    }

    /// A random channel, as its target sees it.
    fn look(&self, driven: &Driven) {
        let me = driven.below(self.channels.len());
        let channels = self.channels[me].borrow();
        channels[driven.below(channels.len())].look(driven);
    }

    fn put(&self, driven: &Driven, me: usize, place: usize) {
        let len = 1 + if driven.below(6) == 0 { driven.below(BYTES) } else { driven.below(32) };
        let (at, first) = (driven.below(BYTES + 1 - len), driven.below(256));
        let bytes: Vec<u8> = (0..len).map(|i| (first + 7 * i) as u8).collect();
        // Some in pieces that touch.
        let pieces = 1 + driven.below(3) * driven.below(3);
        let mut at = at;
        for piece in bytes.chunks(len.div_ceil(pieces)) {
            let to = self.with(me, place, |channel| {
                channel.put(at, piece);
                channel.at(at)
            });
            put(driven.far(me), to, piece);
            at += piece.len();
        }
    }

    /// Blocks inside the bytes of a channel: at the target, where they begin, and how long they are here.
    fn blocks(driven: &Driven) -> (usize, FarBlocks, usize) {
        let (len, n) = (1 + driven.below(24), 1 + driven.below(12));
        let there = len + driven.below(3) * driven.below(12);
        let here = len + driven.below(2) * driven.below(5);
        let n = n.min((BYTES - len) / there + 1);
        let at = driven.below(BYTES + 1 - ((n - 1) * there + len));
        (at, FarBlocks { strides: [there, here], len, n }, (n - 1) * here + len)
    }

    fn put_strided(&self, driven: &Driven, me: usize, place: usize) {
        let (at, blocks, here) = Model::blocks(driven);
        let first = driven.below(256);
        let bytes: Vec<u8> = (0..here).map(|i| (first + 11 * i) as u8).collect();
        let to = self.with(me, place, |channel| {
            for i in 0..blocks.n {
                let from = i * blocks.strides[1];
                channel.put(at + i * blocks.strides[0], &bytes[from..from + blocks.len]);
            }
            channel.at(at)
        });
        put_blocks(driven.far(me), to, &bytes, blocks);
    }

    fn get(&self, driven: &Driven, me: usize, place: usize) {
        let len = 1 + driven.below(BYTES);
        let at = driven.below(BYTES + 1 - len);
        let mut bytes = vec![0xee; len];
        let from = self.with(me, place, |channel| channel.at(at));
        get(driven.far(me), &mut bytes, from);
        self.with(me, place, |channel| channel.check(at, &bytes, "a get"));
    }

    fn get_strided(&self, driven: &Driven, me: usize, place: usize) {
        let (at, blocks, here) = Model::blocks(driven);
        let mut bytes = vec![0xee; here];
        let from = self.with(me, place, |channel| channel.at(at));
        let FarBlocks { strides: [there, mine], len, n } = blocks;
        let swapped = FarBlocks { strides: [mine, there], ..blocks };
        get_blocks(driven.far(me), &mut bytes, from, swapped);
        self.with(me, place, |channel| {
            for i in 0..n {
                channel.check(at + i * there, &bytes[i * mine..i * mine + len], "a strided get");
            }
        });
    }

    /// The next number, which becomes the data of a flag or of a signal.
    fn next(&self, me: usize, place: usize, which: usize) -> [u64; DATA] {
        self.with(me, place, |channel| {
            channel.puts += 1;
            channel.last[which] += 1;
            [channel.last[which]; DATA]
        })
    }

    /// Data, and a flag that is after it: by a fence, or since an atomic operation is.
    fn flagged(&self, driven: &Driven, me: usize, place: usize) {
        let numbers = self.next(me, place, 0);
        let (data, flag) = self.with(me, place, |channel| (channel.data(0), channel.flag(0)));
        let (far, bytes) = (driven.far(me), bytemuck::bytes_of(&numbers));
        let half = FarBlocks { strides: [16, 16], len: 8, n: DATA / 2 };
        match driven.below(3) {
            0 => put(far, data, bytes),
            // None joins the one before it.
            1 => (0..DATA).rev().for_each(|i| put(far, data.plus(i * 8), &bytes[i * 8..i * 8 + 8])),
            _ => [0, 8].into_iter().for_each(|i| put_blocks(far, data.plus(i), &bytes[i..], half)),
        }
        match driven.below(3) {
            0 => {
                let op = if driven.below(2) == 0 { AmoOp::Set(numbers[0]) } else { AmoOp::Add(1) };
                far.amo_post(flag, 8, op);
            }
            all => {
                far.fence(if all == 1 { Stream::ALL } else { flag.stream });
                self.fenced(me, (all != 1).then_some(flag.stream.0));
                put(far, flag, &bytes[..8]);
            }
        }
        // The next data is after this flag.
        self.fence(driven, me, flag.stream.0);
    }

    fn signalled(&self, driven: &Driven, me: usize, place: usize) {
        let numbers = self.next(me, place, 1);
        let (data, signal) = self.with(me, place, |channel| (channel.data(1), channel.flag(1)));
        let op = if driven.below(2) == 0 { AmoOp::Set(numbers[0]) } else { AmoOp::Add(1) };
        put_signal(driven.far(me), data, bytemuck::bytes_of(&numbers), signal, op);
        self.fence(driven, me, signal.stream.0);
    }

    /// What the model knows of a fence on a stream, or on all.
    fn fenced(&self, me: usize, stream: Option<usize>) {
        let mut channels = self.channels[me].borrow_mut();
        let on = |channel: &&mut Channel| stream.is_none_or(|stream| channel.stream == stream);
        channels.iter_mut().filter(on).for_each(Channel::fence);
    }

    fn fence(&self, driven: &Driven, me: usize, stream: usize) {
        driven.far(me).fence(Stream(stream));
        self.fenced(me, Some(stream));
    }

    fn quiet(&self, driven: &Driven, me: usize, stream: usize) {
        let all = driven.below(4) == 0;
        driven.far(me).quiet(if all { Stream::ALL } else { Stream(stream) });
        for channel in self.channels[me].borrow_mut().iter_mut() {
            if all || channel.stream == stream {
                channel.check_all(driven, "a quiet");
            }
        }
    }

    /// What is known to be there is there for others.
    fn get_of_another(&self, driven: &Driven, me: usize) {
        let other = driven.below(self.channels.len());
        if other == me {
            return;
        }
        let place = driven.below(self.channels[other].borrow().len());
        let (from, puts, settled) =
            self.with(other, place, |channel| (channel.at(0), channel.puts, channel.settled));
        let of = &driven.world.of;
        if puts != settled || of[from.pe.0 as usize] == of[me] {
            return;
        }
        let mut bytes = vec![0xee; BYTES];
        get(driven.far(me), &mut bytes, from);
        self.with(other, place, |channel| {
            if channel.puts == puts {
                channel.check(0, &bytes, "a get of another PE");
            }
        });
    }
}

/// A run; a number that says what happened in it.
fn run(seed: u64, mutation: Mutation) -> u64 {
    let of = hosts(seed);
    let model = Rc::new(Model::new(&of));
    let of_step = model.clone();
    let step: Step = Box::new(move |driven, me| of_step.step(driven, me));
    let bytes = words::LEN as usize + of.len() * STREAMS.len() * LEN as usize;
    let copied = [160, 256, 1024, 4096][seed as usize % 4];
    let driven = Driven::start(&Setup { seed, of: &of, bytes, copied, mutation }, step);
    driven.until(|| *model.left.borrow() == 0);
    for me in 0..of.len() {
        driven.call(me, |far| far.quiet(Stream::ALL));
        model.channels[me].borrow_mut().iter_mut().for_each(|channel| channel.check_all(&driven, "the end"));
    }
    driven.settle();
    model.words.check(&driven);
    assert!(driven.world.lost.lock().is_empty(), "{:?}", driven.world.lost.lock());
    assert!(driven.world.fars.iter().all(|far| !far.is_under_way()));
    driven.world.net.trace()
}

/// 1,000 runs, or as many as `SHMEM_TEST_SEEDS` says.
#[test]
fn all_is_there_when_and_as_it_must() {
    let seeds = std::env::var("SHMEM_TEST_SEEDS").map_or(1000, |n| n.parse().expect("a number of seeds"));
    for seed in 0..seeds {
        caught(|| _ = run(seed, Mutation::None)).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    }
}

#[test]
fn a_run_depends_on_its_seed_only() {
    for seed in [1, 2, 3, 77] {
        assert_eq!(run(seed, Mutation::None), run(seed, Mutation::None), "seed {seed}");
    }
    assert_ne!(run(1, Mutation::None), run(5, Mutation::None));
}

/// How many of a hundred runs find a fault.
fn found(mutation: Mutation) -> Vec<String> {
    (0..100).filter_map(|seed| caught(|| _ = run(seed, mutation)).err()).collect()
}

#[test]
fn a_lost_acknowledgement_is_found() {
    let found = found(Mutation::AckLost);
    assert!(found.len() > 50 && found.iter().any(|wrong| wrong == "Hung"), "{found:?}");
}

#[test]
fn a_fence_that_does_nothing_is_found() {
    let found = found(Mutation::FenceIgnored);
    assert!(found.len() > 50, "{found:?}");
    assert!(found.iter().any(|wrong| wrong.contains("before its data")), "{found:?}");
}

#[test]
fn a_posted_atomic_before_its_data_is_found() {
    let found = found(Mutation::PostUnordered);
    assert!(found.len() > 20, "{found:?}");
    assert!(found.iter().any(|wrong| wrong.contains("before its data")), "{found:?}");
}

#[test]
fn a_posted_atomic_that_is_not_done_is_found() {
    let found = found(Mutation::PostDropped);
    assert!(found.len() > 90, "{found:?}");
}

#[test]
fn a_signal_before_its_data_is_found() {
    let found = found(Mutation::SignalFirst);
    assert!(found.len() > 50, "{found:?}");
    assert!(found.iter().any(|wrong| wrong.contains("before its data")), "{found:?}");
}
