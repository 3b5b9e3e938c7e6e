//! The rendezvous in every order of steps: nobody leaves before all have arrived (RENDEZVOUS-A1), all leave with the same
//! verdict (RENDEZVOUS-A2), and what each did before is seen by all after.
#![allow(unsafe_code)]

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use memheap::Bytes;
use memheap::place::Reach;

use crate::sync::primitives::explore;
use crate::sync::wait;
use crate::sync::wait::{Policy, Waker};
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

/// Another host that always agrees: with it two PEs meet at the central barrier, too.
struct Agrees;

impl Upper for Agrees {
    fn meet(&self, _: &Signature, flags: Flags) -> Flags {
        flags
    }
    fn gather(&self, own: Vec<(PeId, Signature)>) -> Vec<(PeId, Signature)> {
        own
    }
}

struct Host {
    mailboxes: Vec<Mailbox>,
    /// What each PE writes before it arrives.
    data: Vec<UnsafeCell<u64>>,
}

type Met = Result<Agreed, Box<Differs>>;

/// `n` PEs, each of which meets the others once for each of the sizes it asks for; what came of it, by PE.
fn job(n: usize, upper: Option<&'static dyn Upper>, sizes: fn(usize) -> &'static [u64]) -> Vec<Vec<Met>> {
    let host = Arc::new(Host {
        mailboxes: (0..n).map(|_| Mailbox::new()).collect(),
        data: (0..n).map(|_| UnsafeCell::new(0)).collect(),
    });
    let pe = move |host: Arc<Host>, rank: usize| -> Vec<Met> {
        let pes = (0..n as u32).map(PeId).collect();
        let place = Place {
            here: &host.mailboxes[rank],
            mailboxes: host.mailboxes.iter().map(Part::Mapped).collect(),
            pes,
            rank,
            upper,
        };
        let meet = |(i, size): (usize, &u64)| {
            let call = i as u64 + 1;
            let signature = Signature::alloc(Bytes(*size), 16, Reach::World, ObjectType::BYTES, 7);
            if call == 1 {
                // SAFETY: loom checks that nobody else accesses it at the same time.
                host.data[rank].with_mut(|data| unsafe { *data = rank as u64 + 1 });
            }
            let met = place.meet(signature.word(call).raised(rank == 1), signature.args(), 0, &Sleeps);
            for (rank, data) in host.data.iter().enumerate() {
                // SAFETY: as above.
                assert_eq!(data.with(|data| unsafe { *data }), rank as u64 + 1);
            }
            met
        };
        sizes(rank).iter().enumerate().map(meet).collect()
    };
    let others: Vec<_> = (1..n)
        .map(|rank| {
            let host = host.clone();
            thread::spawn(move || pe(host, rank))
        })
        .collect();
    let mine = pe(host, 0);
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
    explore(None, || all_agree(job(2, None, |_| &[8])));
}

#[test]
fn two_pes_watch_each_other_twice() {
    explore(Some(3), || all_agree(job(2, None, |_| &[8, 8])));
}

#[test]
fn two_pes_that_differ_come_to_one_verdict() {
    explore(None, || the_last_differs(job(2, None, |pe| if pe == 1 { &[9] } else { &[8] })));
}

#[test]
fn two_pes_meet_at_the_gate() {
    explore(None, || all_agree(job(2, Some(&Agrees), |_| &[8])));
}

#[test]
fn two_pes_meet_at_the_gate_twice() {
    explore(Some(3), || all_agree(job(2, Some(&Agrees), |_| &[8, 8])));
}

#[test]
fn three_pes_meet_at_the_gate() {
    explore(Some(2), || all_agree(job(3, None, |_| &[8])));
}

#[test]
fn three_pes_meet_at_the_gate_twice_and_differ_first() {
    explore(Some(1), || the_last_differs(job(3, None, |pe| if pe == 2 { &[9, 8] } else { &[8, 8] })));
}
