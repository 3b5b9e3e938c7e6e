//! Hosts that meet, with threads as PEs, by shared memory and over a simulated network: who is told what, and what members show to each other.

use std::thread;

use crate::node::signature::{ARGS, Kind, Signature};
use crate::team::rendezvous::tests::{Job, Yields, jobs};
use crate::testing::Random;

/// Words that a member shows in a call: how many, and which.
fn shows(pe: usize, call: u64, room: usize) -> Vec<u64> {
    let mut random = Random::new(call * 1000 + pe as u64);
    (0..random.below(room + 1)).map(|i| call << 32 | (pe as u64) << 16 | i as u64).collect()
}

/// A job whose members show words in each of its calls, and read those of all others.
fn show_and_read(of: &[u32], job: &Job, calls: u64, room: usize) {
    thread::scope(|s| {
        for pe in 0..of.len() {
            s.spawn(move || {
                let place = job.place(pe);
                let upper = place.upper.as_ref().expect("several hosts");
                let far = |rank: &usize| of[*rank] != of[pe];
                for call in 1..=calls {
                    let mut signature = Signature::new(Kind::Gather).with(&[call, 7]);
                    signature.show(&shows(pe, call, room));
                    let met = place.meet(signature.word(call), signature.args(), 0, &Yields);
                    assert!(met.is_ok());
                    for rank in (0..of.len()).filter(far) {
                        let there = shows(rank, call, room);
                        let read: Vec<u64> =
                            (0..there.len()).map(|i| upper.shown(rank, call, 2 + i)).collect();
                        assert_eq!(read, there, "PE {pe}, of PE {rank}, call {call}, {of:?}");
                    }
                    // The words of the next call are laid elsewhere, those of the one after it not before all have been there.
                    assert!(place.meet(signature.word(call).next(), &[], 0, &Yields).is_ok());
                }
            });
        }
    });
}

#[test]
fn members_read_what_those_on_other_hosts_show() {
    for of in [&[0, 1][..], &[0, 0, 1, 1], &[0, 1, 1, 1], &[0, 1, 2, 0, 1, 0], &[0, 0, 1, 2, 3, 4, 4]] {
        jobs(of).for_each(|job| show_and_read(of, &job, job.calls(60), ARGS - 2));
    }
}

/// With as many hosts as meet so there is no room for all that members may show.
#[test]
fn two_to_64_hosts_meet() {
    for hosts in [2, 3, 4, 5, 7, 8, 9, 17, 31, 33, 64] {
        let of: Vec<u32> = (0..hosts).chain(0..hosts / 2).collect();
        // Over a network so many threads take their time.
        let most = if [3, 8, 17, 64].contains(&hosts) { 2 } else { 1 };
        jobs(&of).take(most).for_each(|job| show_and_read(&of, &job, job.calls(6), ARGS - 2));
    }
}

#[test]
fn the_last_of_a_host_to_drop_a_team_tells_all_hosts() {
    let of = [0, 1, 0, 1, 2];
    let job = Job::new(&of);
    let places: Vec<_> = (0..of.len()).map(|pe| job.place(pe)).collect();
    let upper = |pe: usize| places[pe].upper.as_ref().expect("several hosts");
    let mut random = Random::new(5);
    let mut left: Vec<usize> = (0..of.len()).collect();
    while !left.is_empty() {
        assert!((0..of.len()).all(|pe| !upper(pe).all_gone()));
        upper(left.swap_remove(random.below(left.len()))).drop_here();
    }
    assert!((0..of.len()).all(|pe| upper(pe).all_gone()));
}

#[test]
fn a_team_on_more_hosts_than_have_room_meets_otherwise() {
    let of: Vec<u32> = (0..crate::node::zone::MAX_HOSTS as u32 + 1).collect();
    assert!(Job::new(&of).place(0).upper.is_none());
}
