//! The rendezvous with threads as PEs, on one host and on two.

use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use memheap::Bytes;
use memheap::place::Reach;

use crate::node::signature::Kind;
use crate::team::rendezvous::*;
use crate::types::object::ObjectType;

struct Host {
    mailboxes: Vec<Mailbox>,
    pes: Vec<PeId>,
}

fn host(pes: std::ops::Range<u32>) -> Host {
    Host { mailboxes: pes.clone().map(|_| Mailbox::new()).collect(), pes: pes.map(PeId).collect() }
}

impl Host {
    fn place<'a>(&'a self, rank: usize, upper: Option<&'a dyn Upper>) -> Place<'a> {
        Place {
            here: &self.mailboxes[rank],
            mailboxes: self.mailboxes.iter().map(Part::Mapped).collect(),
            pes: self.pes.clone().into(),
            rank,
            upper,
        }
    }
}

/// Waiting that never sleeps.
struct Yields;

impl Waits for Yields {
    fn wait(&self, _: Part<'_, Event>, ready: impl Fn() -> bool) {
        while !ready() {
            thread::yield_now();
        }
    }
    fn notify(&self, _: &Event) {}
    fn exact(&self) -> bool {
        false
    }
}

fn meet(place: &Place<'_>, call: u64, signature: Signature, raised: bool) -> Result<Agreed, Box<Differs>> {
    place.meet(signature.word(call).raised(raised), signature.args(), 0, &Yields)
}

fn ask(size: u64) -> Signature {
    Signature::alloc(Bytes(size), 16, Reach::World, ObjectType::BYTES, 7)
}

/// What one side of a link to another host lays open: its signature, its flags, all its signatures.
type Half = Mutex<(Option<(Signature, Flags)>, Vec<(PeId, Signature)>)>;

/// A fake second host: the last PEs of both hosts meet at a barrier and look at each other's half.
struct Link {
    halves: Arc<[Half; 2]>,
    barrier: Arc<Barrier>,
    side: usize,
}

impl Upper for Link {
    fn meet(&self, signature: &Signature, flags: Flags) -> Flags {
        self.halves[self.side].lock().unwrap().0 = Some((*signature, flags));
        self.barrier.wait();
        let (theirs, their_flags) = self.halves[1 - self.side].lock().unwrap().0.unwrap();
        self.barrier.wait();
        Flags {
            differs: flags.differs || their_flags.differs || theirs != *signature,
            raised: flags.raised || their_flags.raised,
        }
    }
    fn gather(&self, own: Vec<(PeId, Signature)>) -> Vec<(PeId, Signature)> {
        self.halves[self.side].lock().unwrap().1 = own.clone();
        self.barrier.wait();
        let theirs = self.halves[1 - self.side].lock().unwrap().1.clone();
        self.barrier.wait();
        own.into_iter().chain(theirs).collect()
    }
}

/// Runs `calls` on `n` PEs of each of the hosts; `signature(pe, call)` is what a PE shows. Returns the
/// results, by PE and call.
fn run(
    hosts: u32,
    n: u32,
    calls: u64,
    signature: impl Fn(u32, u64) -> (Signature, bool) + Sync,
) -> Vec<Vec<Result<Agreed, Box<Differs>>>> {
    let all: Vec<Host> = (0..hosts).map(|h| host(h * n..(h + 1) * n)).collect();
    let halves: Arc<[Half; 2]> = Arc::default();
    let barrier = Arc::new(Barrier::new(2));
    thread::scope(|s| {
        let mut threads = Vec::new();
        for (side, host) in all.iter().enumerate() {
            for here in 0..n as usize {
                let (signature, halves, barrier) = (&signature, halves.clone(), barrier.clone());
                threads.push(s.spawn(move || {
                    let link = Link { halves, barrier, side };
                    let place = host.place(here, (hosts == 2).then_some(&link));
                    let pe = place.pes[here].0;
                    let one = |call| {
                        let (signature, raised) = signature(pe, call);
                        meet(&place, call, signature, raised)
                    };
                    (1..=calls).map(one).collect::<Vec<_>>()
                }));
            }
        }
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

#[test]
fn all_agree_on_one_host_and_on_two() {
    for (hosts, n) in [(1, 1), (1, 2), (1, 5), (2, 1), (2, 3)] {
        let results = run(hosts, n, 300, |_, call| (ask(call), false));
        for r in results.iter().flatten() {
            assert_eq!(*r, Ok(Agreed { raised: false }));
        }
    }
}

#[test]
fn a2_the_one_that_differs_is_named_on_every_pe_and_the_next_call_agrees() {
    for (hosts, n) in [(1, 2), (1, 4), (2, 2), (2, 3)] {
        let total = hosts * n;
        let odd = |call: u64| (call.is_multiple_of(3)).then_some((call as u32 / 3) % total);
        let results =
            run(hosts, n, 300, |pe, call| (ask(if odd(call) == Some(pe) { 1 } else { 100 + call }), false));
        for (pe, calls) in results.iter().enumerate() {
            for (i, r) in calls.iter().enumerate() {
                let call = i as u64 + 1;
                match odd(call) {
                    None => assert!(r.is_ok(), "PE {pe} call {call}: {r:?}"),
                    Some(culprit) => {
                        let d = r.as_ref().unwrap_err();
                        assert!(!d.fatal);
                        // Of two PEs that differ from each other, the higher is named.
                        let named = if total == 2 { 1 } else { culprit };
                        assert_eq!(
                            (d.diverged.pe, d.diverged.here),
                            (PeId(named), PeId(pe as u32)),
                            "call {call}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn kinds_do_not_pair_and_an_exit_is_fatal() {
    let results = run(1, 3, 2, |pe, call| match (pe, call) {
        (2, 1) => (Signature::new(Kind::Barrier), false),
        (2, 2) => (Signature::new(Kind::Exit), false),
        _ => (Signature::new(Kind::Enter), false),
    });
    for calls in results {
        let (first, second) = (calls[0].as_ref().unwrap_err(), calls[1].as_ref().unwrap_err());
        assert!(!first.fatal && second.fatal);
        assert_eq!(first.diverged.pe, PeId(2));
        assert!(first.diverged.got.contains("barrier"), "{}", first.diverged);
    }
}

#[test]
fn a_raised_hand_is_an_or_and_need_not_agree() {
    for hosts in [1, 2] {
        let results = run(hosts, 2, 200, |pe, call| (ask(8), u64::from(pe) == call % 7));
        for calls in results {
            for (i, r) in calls.iter().enumerate() {
                let call = i as u64 + 1;
                assert_eq!(r.as_ref().unwrap().raised, call % 7 < u64::from(hosts) * 2);
            }
        }
    }
}

/// PEs that have made different numbers of calls: every one hears of it in the next rendezvous, though none of them is
/// where it is waited for.
#[test]
fn a1_numbers_that_differ_are_found_out_by_all() {
    for n in [3, 4, 7] {
        for ahead in 0..n as usize {
            let host = host(0..n);
            let place = |rank| host.place(rank, None);
            let results: Vec<_> = thread::scope(|s| {
                let pe = |rank: usize| {
                    let place = place(rank);
                    s.spawn(move || meet(&place, if rank == ahead { 2 } else { 1 }, ask(8), false))
                };
                (0..n as usize).map(pe).collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).collect()
            });
            for r in results {
                let differs = r.unwrap_err();
                assert!(differs.fatal, "{}", differs.diverged);
                assert_eq!(differs.diverged.pe, PeId(ahead as u32), "{}", differs.diverged);
                assert!(differs.diverged.got.contains("(call 2)"), "{}", differs.diverged);
                assert!(differs.diverged.expected.contains("(call 1)"), "{}", differs.diverged);
            }
        }
    }
}

/// What was asked for where nobody was met is compared at the next rendezvous, and named if it can be.
#[test]
fn histories_that_differ_are_found_out_by_all() {
    for n in [2, 3, 5] {
        let host = host(0..n);
        let results: Vec<_> = thread::scope(|s| {
            let pe = |rank: usize| {
                let place = host.place(rank, None);
                s.spawn(move || {
                    let root = u64::from(rank == 1);
                    let given = Signature::new(Kind::Broadcast).with(&[1, 8, 0, root]);
                    let cell = &place.here.cells[1];
                    cell.lay(given.args());
                    cell.show(given.word(1), false);
                    place.meet(Signature::new(Kind::Barrier).word(2), &[], 7 + root, &Yields)
                })
            };
            (0..n as usize).map(pe).collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).collect()
        });
        for r in results {
            let diverged = r.unwrap_err().diverged;
            assert_eq!(diverged.pe, PeId(1), "{diverged}");
            assert!(diverged.got.contains("broadcast") && diverged.got.contains("from PE 1"), "{diverged}");
        }
    }
}

/// Where the call before does not tell the PEs apart either, the line says that it was before; and what follows is of the
/// call they met in.
#[test]
fn a_difference_of_long_ago_is_told_as_such() {
    let signature = |kind| Signature::new(kind).with(&[8]);
    for (kind, fatal) in [(Kind::Enter, false), (Kind::Exit, true)] {
        for n in [2, 3, 5] {
            let host = host(0..n);
            let results: Vec<_> = thread::scope(|s| {
                let pe = |rank: usize| {
                    let place = host.place(rank, None);
                    let history = 7 + u64::from(rank == 1);
                    s.spawn(move || {
                        place.meet(signature(kind).word(3), signature(kind).args(), history, &Yields)
                    })
                };
                (0..n as usize).map(pe).collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).collect()
            });
            for r in results {
                let Differs { diverged, fatal: ends, kinds } = *r.unwrap_err();
                assert_eq!((diverged.pe, ends, kinds), (PeId(1), fatal, false), "{diverged}");
                assert!(
                    diverged.got.ends_with("(call 3), after other calls in which nobody was met"),
                    "{diverged}"
                );
                assert!(diverged.expected.ends_with("(call 3)"), "{diverged}");
            }
        }
    }
}
