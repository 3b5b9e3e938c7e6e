//! Single promises, one test each.

use std::cell::Cell;
use std::rc::Rc;

use memheap::PeId;

use super::slices::{self, get, get_blocks, put_blocks, put_signal, put_word};
use super::world::{Driven, Setup, target};
use crate::process::private::Ordering;
use crate::transport::far::flow::{MAX_BYTES, MAX_REQUESTS};
use crate::transport::far::message::{ENVELOPE, Op, REQUEST, Request};
use crate::transport::far::mutation::Mutation;
use crate::transport::{FarBlocks, Stream, Transport};
use crate::types::amo::AmoOp;

/// Two hosts of one PE each.
const TWO: &[u32] = &[0, 1];
const ONE: PeId = PeId(1);

/// Puts a word.
fn put(driven: &Driven, at: u64, stream: usize, value: u64) {
    driven.call(0, |far| put_word(far, target(1, at, stream), value));
}

fn word(driven: &Driven, at: u64) -> u64 {
    driven.world.segments.word(ONE, at)
}

/// The requests of a batch, of those that `held` is shown.
fn requests<'b>(header: &[u8], mut batch: &'b [u8]) -> impl Iterator<Item = Request> + use<'b> {
    batch = if header.len() == ENVELOPE { batch } else { &[] };
    std::iter::from_fn(move || Some(crate::transport::far::message::next(&mut batch)??.0))
}

#[test]
fn many_small_puts_and_a_quiet_are_one_message_and_its_answer() {
    let driven = Driven::still(1, TWO, 8192);
    driven.ticks.set(false);
    for i in 0..64 {
        put(&driven, i * 8, 1, i + 1);
    }
    assert_eq!(driven.world.net.sent(), [0, 0]);
    driven.call(0, |far| far.quiet(Stream::DEFAULT));
    assert_eq!(driven.world.net.sent(), [1, 1]);
    assert!((0..64).all(|i| word(&driven, i * 8) == i + 1));
    // Nothing was put since: nothing is asked.
    driven.call(0, |far| far.quiet(Stream::ALL));
    assert_eq!(driven.world.net.sent(), [1, 1]);
}

#[test]
fn a_fetch_takes_along_what_was_put_and_comes_after_it() {
    let driven = Driven::still(2, TWO, 8192);
    driven.ticks.set(false);
    put(&driven, 8, 1, 5);
    let was = driven.call(0, |far| far.amo(target(1, 8, 1), 8, AmoOp::Add(2)));
    assert_eq!((was, word(&driven, 8), driven.world.net.sent()), (5, 7, [1, 1]));
}

#[test]
fn blocks_are_packed() {
    let driven = Driven::still(3, TWO, 8192);
    driven.ticks.set(false);
    let from: Vec<u64> = (0..200).collect();
    let blocks = FarBlocks { strides: [24, 16], len: 8, n: 100 };
    driven.call(0, |far| put_blocks(far, target(1, 0, 1), bytemuck::cast_slice(&from), blocks));
    driven.call(0, |far| far.quiet(Stream::DEFAULT));
    assert_eq!(driven.world.net.sent(), [1, 1]);
    assert!((0..100).all(|i| word(&driven, i * 24) == i * 2));
    let mut back = vec![0_u64; 200];
    let blocks = FarBlocks { strides: [16, 24], len: 8, n: 100 };
    driven.call(0, |far| get_blocks(far, bytemuck::cast_slice_mut(&mut back), target(1, 0, 1), blocks));
    assert_eq!(driven.world.net.sent(), [2, 2]);
    assert!((0..200).all(|i| back[i as usize] == if i % 2 == 0 { i } else { 0 }));
}

/// A long payload is one message with a header, whatever can be copied, and so is the answer to a long get. (The put is answered, too.)
#[test]
fn long_payloads_are_lent() {
    let driven = Driven::still(4, TWO, 256);
    driven.ticks.set(false);
    let from: Vec<u8> = (0..20_000).map(|i| (i * 7) as u8).collect();
    driven.call(0, |far| slices::put(far, target(1, 3, 1), &from));
    let mut back = vec![0; from.len()];
    driven.call(0, |far| get(far, &mut back, target(1, 3, 1)));
    assert!(back == from);
    assert_eq!(driven.world.net.sent(), [2, 2]);
    // A quiet has nothing to ask for.
    driven.call(0, |far| slices::put(far, target(1, 3, 1), &from));
    driven.call(0, |far| far.quiet(Stream::DEFAULT));
    assert_eq!(driven.world.net.sent(), [3, 3]);
}

/// What was put after a fence comes first, and waits.
#[test]
fn what_is_after_a_fence_is_held_back() {
    let driven = Driven::still(5, TWO, 8192);
    driven.world.net.hold(Some(Box::new(|header, batch| {
        requests(header, batch).any(|of| (of.course, of.number) == (1, 1))
    })));
    put(&driven, 0, 1, 1);
    driven.call(0, Transport::progress);
    driven.call(0, |far| far.fence(Stream::DEFAULT));
    put(&driven, 8, 1, 2);
    driven.call(0, Transport::progress);
    driven.settle();
    assert_eq!([word(&driven, 0), word(&driven, 8)], [0, 0]);
    // Without a fence between them it need not wait: another stream.
    put(&driven, 16, 2, 3);
    driven.call(0, Transport::progress);
    driven.settle();
    assert_eq!([word(&driven, 0), word(&driven, 8), word(&driven, 16)], [0, 0, 3]);
    driven.world.net.hold(None);
    driven.settle();
    assert_eq!([word(&driven, 0), word(&driven, 8)], [1, 2]);
}

/// The puts of one stream do not come; the quiet of another does not care, and that of all does.
#[test]
fn the_quiet_of_a_stream_does_not_wait_for_another() {
    let driven = Driven::still(6, TWO, 8192);
    driven.world.net.hold(Some(Box::new(|header, batch| requests(header, batch).any(|of| of.course == 1))));
    put(&driven, 0, 1, 1);
    driven.call(0, Transport::progress);
    put(&driven, 8, 2, 2);
    driven.call(0, |far| far.quiet(Stream(2)));
    assert_eq!([word(&driven, 0), word(&driven, 8)], [0, 2]);
    driven.world.net.hold(None);
    driven.call(0, |far| far.quiet(Stream::ALL));
    assert_eq!(word(&driven, 0), 1);
}

/// What goes to the first host does not come before what goes to the second is there.
#[test]
fn a_quiet_asks_all_hosts_before_it_waits_for_one() {
    let step = |driven: &Driven, _: usize| {
        if driven.world.segments.word(PeId(2), 0) == 2 {
            driven.world.net.hold(None);
        }
        false
    };
    let setup = Setup { seed: 14, of: &[0, 1, 2], bytes: 64, copied: 8192, mutation: Mutation::None };
    let driven = Driven::start(&setup, Box::new(step));
    driven.ticks.set(false);
    driven.world.net.hold(Some(Box::new(|header, batch| requests(header, batch).any(|of| of.target == ONE))));
    driven.call(0, |far| {
        put_word(far, target(1, 0, 1), 1);
        put_word(far, target(2, 0, 1), 2);
        far.quiet(Stream::DEFAULT);
    });
    assert_eq!([ONE, PeId(2)].map(|pe| driven.world.segments.word(pe, 0)), [1, 2]);
}

/// A fence on all, before a stream is used for the first time: it is after it, too.
#[test]
fn a_fence_on_all_orders_a_stream_that_is_new() {
    let driven = Driven::still(7, TWO, 8192);
    put(&driven, 0, 1, 1);
    driven.call(0, |far| far.fence(Stream::ALL));
    assert_eq!(driven.world.net.sent(), [0, 0]);
    put(&driven, 8, 2, 2);
    assert_eq!([word(&driven, 0), word(&driven, 8)], [1, 0]);
}

#[test]
fn a_signal_rings_and_whoever_wakes_need_not_ask_again() {
    let driven = Driven::still(8, TWO, 8192);
    let rings = || driven.world.segments.rings[1].load(Ordering::SeqCst);
    let value = 9_u64;
    driven.call(0, |far| {
        put_signal(far, target(1, 0, 1), &value.to_le_bytes(), target(1, 8, 1), AmoOp::Add(4));
        far.wake(ONE);
        far.progress();
    });
    assert_eq!(driven.world.net.sent(), [1, 0]);
    driven.settle();
    assert_eq!(([word(&driven, 0), word(&driven, 8)], rings()), ([9, 4], 1));
    driven.call(0, |far| far.wake(ONE));
    driven.settle();
    assert_eq!(rings(), 2);
}

/// No call follows, but the serving thread looks after a millisecond.
#[test]
fn a_put_goes_although_nobody_waits() {
    let driven = Driven::still(9, TWO, 8192);
    put(&driven, 0, 1, 1);
    driven.settle();
    assert_eq!(word(&driven, 0), 1);
    assert!(!driven.far(0).is_under_way());
}

/// A target that serves nobody: its sender stops, with no more under way than the bound.
#[test]
fn a_fast_sender_waits_for_a_slow_target() {
    for (len, least) in [(8_usize, MAX_REQUESTS as usize * 9 / 10), (4000, MAX_BYTES as usize / 4100)] {
        let most = Rc::new(Cell::new(0));
        let seen = most.clone();
        let step = move |driven: &Driven, _: usize| {
            let bytes = driven.world.net.bytes_between(PeId(0), ONE);
            seen.set(bytes.max(seen.get()));
            // It serves only now and then.
            driven.lazy[1].set(driven.below(20) > 0);
            false
        };
        let setup = Setup { seed: 10, of: TWO, bytes: 1 << 16, copied: 8192, mutation: Mutation::None };
        let driven = Driven::start(&setup, Box::new(step));
        driven.lazy[1].set(true);
        let from = vec![3_u8; len];
        let events = driven.events.get();
        let blocked = (0..3 * MAX_REQUESTS as usize).filter(|_| {
            let before = driven.events.get();
            driven.call(0, |far| slices::put(far, target(1, 0, 1), &from));
            driven.events.get() > before
        });
        let first = blocked.take(1).count();
        assert_eq!((first, events), (1, 0), "it is never made to wait");
        let bound = MAX_BYTES as usize + COURSES_ASKED;
        assert!(most.get() <= bound, "{} bytes are under way", most.get());
        assert!(
            most.get() >= least * (REQUEST + len.next_multiple_of(8)) * 9 / 10,
            "{} bytes only",
            most.get()
        );
    }
}

/// Questions are not counted: one for each course that is used.
const COURSES_ASKED: usize = 64 * REQUEST;

/// TRANSPORT-T1 broken: no byte moves, and nobody waits for ever.
#[test]
fn what_lies_outside_is_refused() {
    let outside = 1_u64 << 16;
    for at in [outside, outside - 4, u64::MAX - 7, (1 << 63) | (outside - 7), 1 << 62] {
        let driven = Driven::still(11, TWO, 8192);
        put(&driven, at, 1, u64::MAX);
        driven.call(0, |far| far.quiet(Stream::DEFAULT));
        let lost = driven.world.lost.lock().clone();
        let [(PeId(0), ONE, why)] = lost.as_slice() else { panic!("{lost:?}") };
        assert!(why.contains("refused"), "{why}");
        assert_eq!(word(&driven, outside - 8), 0);
    }
    // A word that is not aligned; a PE of another host.
    let driven = Driven::still(12, &[0, 1, 1], 8192);
    assert_eq!(driven.call(0, |far| far.amo(target(1, 4, 1), 8, AmoOp::Add(1))), 0);
    assert_eq!(driven.world.lost.lock().len(), 1);
    let far = Request { number: 1, len: 8, ..Request::new(Op::Put, 1, PeId(0), 0) };
    assert_eq!(Request::read(&far.bytes()), Some(far));
}

/// The library has gone down: nothing is found any more.
#[test]
fn close_tells_the_memory() {
    let driven = Driven::still(13, TWO, 8192);
    put(&driven, 0, 1, 1);
    driven.call(0, |far| far.quiet(Stream::ALL));
    driven.call(0, Transport::close);
    assert!(driven.world.segments.gone.load(Ordering::Relaxed));
}
