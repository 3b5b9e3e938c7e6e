//! Links that go dead without a word, slow ones, and hosts that nobody has anything to ask of.

use std::time::Duration;

use memheap::PeId;

use super::cuts::{KINDS, LONG, call};
use super::world::{Driven, LINK_TIMEOUT, Setup, target};
use crate::transport::Transport;
use crate::transport::far::links::LOOK;
use crate::transport::far::mutation::Mutation;
use crate::types::amo::AmoOp;

/// Between whoever is of the first and whoever is of the second nothing goes any more.
fn silence(driven: &Driven, those: &[u32], these: &[u32]) {
    for &one in those {
        these.iter().for_each(|&other| driven.world.net.silence([one, other].map(PeId)));
    }
}

/// All links are watched, and time passes.
fn watched(driven: &Driven) {
    driven.step_of_time.set(LOOK);
    driven.world.fars.iter().for_each(|far| far.watch_links());
}

/// The link dies in the middle of each kind of call: the call ends, in time, and names who does not answer.
#[test]
fn every_call_ends_on_a_dead_link() {
    let mut cut_within = [0; KINDS];
    for seed in 0..600 {
        let kind = seed as usize % KINDS;
        let setup = Setup { seed, of: &[0, 1, 1, 2], bytes: 1 << 16, copied: 256, mutation: Mutation::None };
        let when = (seed / 9) % 40;
        let cut = move |driven: &Driven, _: usize| {
            if driven.events.get() > when && driven.step_of_time.get().is_zero() {
                silence(driven, &[0], &[1, 2]);
                watched(driven);
            }
            true
        };
        let driven = Driven::start(&setup, Box::new(cut));
        driven.lazy[1].set(kind == KINDS - 1);
        let mut bytes = vec![5; LONG];
        driven.call(0, |far| call(far, kind, &mut bytes));
        let said = |lost: &[(PeId, PeId, String)]| {
            lost.iter().all(|(me, pe, why)| {
                (*me, *pe) == (PeId(0), PeId(1)) && why == "nothing was heard of it for 7 seconds"
            })
        };
        let lost = std::mem::take(&mut *driven.world.lost.lock());
        assert!(said(&lost), "seed {seed}: {lost:?}");
        cut_within[kind] += usize::from(!lost.is_empty());
        assert!(driven.time.get() <= LINK_TIMEOUT + 4 * LOOK, "{:?}", driven.time.get());
        // PE 0 notices in any case, since it is the first of its host.
        driven.until(|| !lost.is_empty() || !driven.world.lost.lock().is_empty());
        assert!(said(&driven.world.lost.lock()), "seed {seed}");
        assert!(driven.time.get() <= LINK_TIMEOUT + 4 * LOOK, "{:?}", driven.time.get());
        // The next call is told at once; that of a host which is not lost is done.
        let time = driven.time.get();
        assert_eq!(driven.call(0, |far| far.amo(target(2, 0, 1), 8, AmoOp::Add(1))), 0);
        assert_eq!(driven.time.get(), time);
        let word = target(3, 0, 1);
        assert_eq!([1, 2].map(|more| driven.call(0, |far| far.amo(word, 8, AmoOp::Add(more)))), [0, 1]);
    }
    assert!(cut_within.iter().all(|&n| n > 5), "{cut_within:?}");
}

/// Each message takes up to two seconds; an answer so up to four, which is less than the limit: nobody is lost.
#[test]
fn a_slow_link_is_not_lost() {
    for seed in 0..100 {
        // The last has so many messages under way that this network, where a step takes its time, takes long for them.
        let kind = seed as usize % (KINDS - 1);
        let setup = Setup { seed, of: &[0, 1, 1, 2], bytes: 1 << 16, copied: 256, mutation: Mutation::None };
        let driven = Driven::start(&setup, Box::new(|_, _| true));
        driven.world.net.delay(2000);
        watched(&driven);
        let mut bytes = vec![5; LONG];
        driven.call(0, |far| call(far, kind, &mut bytes));
        assert_eq!(driven.call(0, |far| far.amo(target(2, 8000, 1), 8, AmoOp::Add(3))), 0);
        let end = driven.time.get() + Duration::from_secs(60);
        driven.until(|| driven.time.get() > end);
        assert!(driven.world.lost.lock().is_empty(), "seed {seed}: {:?}", driven.world.lost.lock());
        assert_eq!(driven.world.segments.word(PeId(2), 8000), 3);
    }
}

/// Nobody calls anything. However some hosts are cut off from the others, on each side somebody notices, and nobody is named who can
/// be heard.
#[test]
fn an_idle_job_notices_that_it_was_cut_in_two() {
    let of = [0, 0, 1, 2, 2, 3, 4];
    for hosts in 2..=5 {
        let of: Vec<u32> = of.into_iter().filter(|&host| host < hosts).collect();
        for side in 1..(1_u32 << hosts) - 1 {
            let setup =
                Setup { seed: side.into(), of: &of, bytes: 64, copied: 256, mutation: Mutation::None };
            let driven = Driven::start(&setup, Box::new(|_, _| false));
            watched(&driven);
            driven.until(|| driven.time.get() >= Duration::from_secs(20));
            assert!(driven.world.lost.lock().is_empty());
            let is_here = |pe: u32| side >> of[pe as usize] & 1 == 1;
            let (here, there): (Vec<u32>, Vec<u32>) = (0..of.len() as u32).partition(|&pe| is_here(pe));
            silence(&driven, &here, &there);
            driven.until(|| driven.time.get() >= Duration::from_secs(20) + LINK_TIMEOUT + 2 * LOOK);
            let lost = driven.world.lost.lock().clone();
            for (me, pe, why) in &lost {
                assert_ne!(is_here(me.0), is_here(pe.0), "PE {me} misses PE {pe}: {why}");
            }
            assert!(lost.iter().any(|(me, ..)| is_here(me.0)) && lost.iter().any(|(me, ..)| !is_here(me.0)));
        }
    }
}

/// A process that was stopped, or swapped out, has heard nobody, and does not take the others for dead.
#[test]
fn whoever_was_stopped_itself_loses_nobody() {
    let driven = Driven::still(21, &[0, 1], 256);
    driven.world.fars.iter().for_each(|far| far.watch_links());
    for _ in 0..100 {
        // What it asked before has been answered by now, but has waited to be read.
        driven.far(0).look(Duration::from_secs(3600));
        driven.settle();
    }
    assert!(driven.world.lost.lock().is_empty(), "{:?}", driven.world.lost.lock());
}

/// An idle job sends a message in a second for each host, and its answer: from its first PE to the next host.
#[test]
fn an_idle_job_is_nearly_silent() {
    let driven = Driven::still(22, &[0, 0, 0, 1, 1, 1, 2, 2], 256);
    watched(&driven);
    driven.until(|| driven.time.get() >= Duration::from_secs(600));
    let [requests, replies] = driven.world.net.sent();
    assert!(
        (3 * 250..=3 * 600).contains(&requests) && replies.abs_diff(requests) < 100,
        "{requests} {replies}"
    );
}

/// A payload of which nothing is heard until it is there may take its time: as long as its bytes take at the least rate.
#[test]
fn a_large_payload_is_waited_for_longer() {
    let bytes = vec![1_u8; 50_000_000];
    let setup = Setup { seed: 23, of: &[0, 1], bytes: bytes.len(), copied: 256, mutation: Mutation::None };
    let driven = Driven::start(
        &setup,
        Box::new(|driven, _| {
            if driven.step_of_time.get().is_zero() && driven.events.get() > 0 {
                silence(driven, &[0], &[1]);
                watched(driven);
            }
            true
        }),
    );
    driven.lazy[1].set(true);
    driven.call(0, |far| super::slices::put(far, target(1, 0, 1), &bytes));
    let (time, lost) = (driven.time.get(), driven.world.lost.lock().len());
    assert!(time >= LINK_TIMEOUT + Duration::from_secs(5) && lost > 0, "{time:?}");
}

/// What is told when: a process that ends, and a link that goes dead; while PEs are at work, while they part, and when they have.
#[test]
fn losses_are_told_as_long_as_they_matter() {
    let run = |parting: bool, closed: bool, dies: bool| {
        let driven = Driven::still(24, &[0, 1], 256);
        watched(&driven);
        driven.until(|| driven.time.get() >= Duration::from_secs(5));
        if parting {
            driven.world.fars.iter().for_each(|far| far.begin_to_part());
        }
        if closed {
            driven.world.fars.iter().for_each(|far| far.close());
        }
        match dies {
            true => {
                driven.dead[1].set(true);
                driven.world.net.cut(PeId(1));
            }
            false => silence(&driven, &[0], &[1]),
        }
        driven.until(|| driven.time.get() >= Duration::from_secs(20));
        let lost = driven.world.lost.lock();
        lost.iter().filter(|(me, ..)| *me == PeId(0)).count()
    };
    let all = [(false, false), (true, false), (true, true)];
    assert_eq!(all.map(|(parting, closed)| run(parting, closed, true)), [1, 0, 0]);
    assert_eq!(all.map(|(parting, closed)| run(parting, closed, false)), [1, 1, 0]);
}
