//! The rendezvous in every order of steps: nobody leaves before all have arrived (RENDEZVOUS-A1), all leave with the same
//! verdict (RENDEZVOUS-A2), and what each did before is seen by all after.
#![allow(unsafe_code)]

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use memheap::Bytes;
use memheap::place::Reach;

use crate::node::event::Event;
use crate::sync::primitives::explore;
use crate::sync::wait;
use crate::sync::wait::{Policy, Waker};
use crate::team::rendezvous::tests::Job;
use crate::team::rendezvous::*;
use crate::types::object::ObjectType;

/// Sleeping as where PEs outnumber cores: whoever has news sees every sleeper.
struct Sleeps;

impl Waits for Sleeps {
    fn wait(&self, event: Part<'_, Event>, ready: impl Fn() -> bool) {
        let event = event.mapped().expect("a model has no far PEs");
        Policy::SLEEPS.wait(&event.count, &event.asleep, Waker::Notifies, ready, |_| {});
    }
    fn notify(&self, event: &Event) {
        wait::notify(&event.count, &event.asleep);
    }
    fn exact(&self) -> bool {
        true
    }
}

struct Pes {
    job: Job,
    /// What each PE writes before it arrives.
    data: Vec<UnsafeCell<u64>>,
}

type Met = Result<Agreed, Box<Differs>>;

/// PEs, each on the host that `of` says, of which each meets the others once for each of the sizes it asks for; what came of it, by PE.
fn job(of: &[u32], sizes: fn(usize) -> &'static [u64]) -> Vec<Vec<Met>> {
    let n = of.len();
    let pes = Arc::new(Pes { job: Job::new(of), data: (0..n).map(|_| UnsafeCell::new(0)).collect() });
    let pe = move |pes: Arc<Pes>, rank: usize| -> Vec<Met> {
        let place = pes.job.place(rank);
        let meet = |(i, size): (usize, &u64)| {
            let call = i as u64 + 1;
            let signature = Signature::alloc(Bytes(*size), 16, Reach::World, ObjectType::BYTES, 7);
            if call == 1 {
                // SAFETY: loom checks that nobody else accesses it at the same time.
                pes.data[rank].with_mut(|data| unsafe { *data = rank as u64 + 1 });
            }
            let met = place.meet(signature.word(call).raised(rank == 1), signature.args(), 0, &Sleeps);
            for (rank, data) in pes.data.iter().enumerate() {
                // SAFETY: as above.
                assert_eq!(data.with(|data| unsafe { *data }), rank as u64 + 1);
            }
            met
        };
        sizes(rank).iter().enumerate().map(meet).collect()
    };
    let others: Vec<_> = (1..n)
        .map(|rank| {
            let pes = pes.clone();
            thread::spawn(move || pe(pes, rank))
        })
        .collect();
    let mine = pe(pes, 0);
    std::iter::once(mine).chain(others.into_iter().map(|t| t.join().unwrap())).collect()
}

/// All agree, and all hear that a hand was raised.
fn all_agree(met: Vec<Vec<Met>>) {
    assert!(met.iter().flatten().all(|m| *m == Ok(Agreed { raised: true })), "{met:?}");
}

/// All hear who differed in the first call; the second agrees.
fn the_last_differs(met: Vec<Vec<Met>>) {
    let first = met[0][0].clone().unwrap_err();
    for (pe, met) in met.iter().enumerate() {
        let differs = met[0].clone().unwrap_err();
        assert_eq!(differs.diverged, Diverged { here: PeId(pe as u32), ..first.diverged.clone() });
        assert!(met[1..].iter().all(|m| *m == Ok(Agreed { raised: true })), "{met:?}");
    }
}

#[test]
fn two_pes_watch_each_other() {
    explore(None, || all_agree(job(&[0, 0], |_| &[8])));
}

#[test]
fn two_pes_watch_each_other_twice() {
    explore(Some(3), || all_agree(job(&[0, 0], |_| &[8, 8])));
}

#[test]
fn two_pes_that_differ_come_to_one_verdict() {
    explore(None, || the_last_differs(job(&[0, 0], |pe| if pe == 1 { &[9] } else { &[8] })));
}

#[test]
fn two_hosts_meet() {
    explore(None, || all_agree(job(&[0, 1], |_| &[8])));
}

#[test]
fn two_hosts_meet_three_times() {
    explore(Some(2), || all_agree(job(&[0, 1], |_| &[8, 8, 8])));
}

#[test]
fn two_hosts_that_differ_come_to_one_verdict() {
    explore(Some(2), || the_last_differs(job(&[0, 1], |pe| if pe == 1 { &[9, 8] } else { &[8, 8] })));
}

#[test]
fn hosts_of_two_pes_and_one_meet_twice() {
    explore(Some(1), || all_agree(job(&[0, 0, 1], |_| &[8, 8])));
}

#[test]
fn three_pes_meet_at_the_gate() {
    explore(Some(2), || all_agree(job(&[0, 0, 0], |_| &[8])));
}

#[test]
fn three_pes_meet_at_the_gate_twice_and_differ_first() {
    explore(Some(1), || the_last_differs(job(&[0, 0, 0], |pe| if pe == 2 { &[9, 8] } else { &[8, 8] })));
}
