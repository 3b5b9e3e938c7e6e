//! The rendezvous with threads as PEs, on one host and on several, which see each other's memory or reach each other over a network.

#[cfg(not(loom))]
mod between;

use std::sync::Arc;
use std::thread;

use memheap::Bytes;
use memheap::place::Reach;

use crate::node::event::Event;
use crate::node::signature::Kind;
use crate::node::zone::Zone;
#[cfg(not(loom))]
use crate::team::rendezvous::tests::between::Between;
use crate::team::rendezvous::*;
use crate::team::upper::Landing;
use crate::transport;
use crate::types::host_of::HostOf;
use crate::types::object::ObjectType;

/// What each PE has in its segment, one kind after the other.
struct Segments {
    mailboxes: Vec<Mailbox>,
    /// None on one host.
    zones: Vec<Zone>,
    events: Vec<Event>,
}

/// The PEs of a job.
pub(crate) struct Job {
    segments: Arc<Segments>,
    hosts: HostOf,
    /// How hosts reach each other; else all see the memory of all.
    #[cfg(not(loom))]
    between: Option<Between>,
}

impl Job {
    /// `of`: the host of each PE.
    pub(crate) fn new(of: &[u32]) -> Job {
        let (n, hosts) = (of.len(), HostOf::by(of));
        let segments = Segments {
            mailboxes: (0..n).map(|_| Mailbox::new()).collect(),
            zones: (0..if hosts.are_several() { n } else { 0 }).map(|_| Zone::new()).collect(),
            events: (0..n).map(|_| Event::new()).collect(),
        };
        Job {
            segments: Arc::new(segments),
            hosts,
            #[cfg(not(loom))]
            between: None,
        }
    }

    /// The same on hosts that reach each other over a network.
    #[cfg(not(loom))]
    pub(crate) fn over_network(of: &[u32], seed: u64) -> Job {
        let job = Job::new(of);
        let between = Between::new(&job.segments, &job.hosts, seed);
        Job { between: Some(between), ..job }
    }

    pub(crate) fn n_pes(&self) -> usize {
        self.segments.mailboxes.len()
    }

    /// As many calls as take their time where `n` do that see each other's memory.
    pub(crate) fn calls(&self, n: u64) -> u64 {
        #[cfg(not(loom))]
        if self.between.is_some() {
            return n.div_ceil(20);
        }
        n
    }

    /// That of a PE in the team of all, which this thread is from now on.
    pub(crate) fn place(&self, pe: usize) -> Place<'_> {
        #[cfg(not(loom))]
        if let Some(between) = &self.between {
            between.enter(pe);
        }
        let Segments { mailboxes, zones, events } = &*self.segments;
        let part = |other| self.part(0, mailboxes, pe, other);
        let members = Members {
            mailboxes: (0..self.n_pes()).map(part).collect(),
            pes: (0..self.n_pes() as u32).map(PeId).collect(),
        };
        let landing = |first: PeId| {
            let other = first.0 as usize;
            Some(Landing {
                first,
                zone: self.part(1, zones, pe, other),
                event: self.part(2, events, pe, other),
            })
        };
        if self.hosts.are_several()
            && let Some(upper) = Upper::new(&members, (PeId(pe as u32), 0), &self.hosts, &landing)
        {
            return Place::on_host(&mailboxes[pe], upper, pe);
        }
        Place::new(&mailboxes[pe], members, pe)
    }

    /// One of a kind, that of PE `other`, as `me` reaches it.
    fn part<'m, T>(&'m self, kind: usize, all: &'m [T], me: usize, other: usize) -> Part<'m, T> {
        #[cfg(not(loom))]
        if let Some(between) = &self.between
            && let Some(far) = between.part(&self.hosts, kind, all, [me, other])
        {
            return Part::Far(far);
        }
        let (_, _) = (kind, me);
        Part::Mapped(&all[other])
    }
}

/// Jobs of PEs on these hosts: those see each other's memory, or not.
#[cfg(not(loom))]
pub(crate) fn jobs(of: &[u32]) -> impl Iterator<Item = Job> {
    let several = of.iter().any(|host| *host != of[0]);
    std::iter::once(Job::new(of)).chain(several.then(|| Job::over_network(of, of.len() as u64)))
}

/// The same, for models, which have no network.
#[cfg(loom)]
pub(crate) fn jobs(of: &[u32]) -> impl Iterator<Item = Job> {
    std::iter::once(Job::new(of))
}

/// Waiting that never sleeps.
pub(crate) struct Yields;

impl Waits for Yields {
    fn wait(&self, _: Part<'_, Event>, ready: impl Fn() -> bool) {
        while !ready() {
            transport::progress();
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

/// Runs `calls` on the PEs of a job; `signature(pe, call)` is what a PE shows. Returns the results, by PE and call.
fn run(
    job: &Job,
    calls: u64,
    signature: impl Fn(u32, u64) -> (Signature, bool) + Sync,
) -> Vec<Vec<Result<Agreed, Box<Differs>>>> {
    thread::scope(|s| {
        let pe = |pe: usize| {
            let signature = &signature;
            s.spawn(move || {
                let place = job.place(pe);
                let one = |call| {
                    let (signature, raised) = signature(pe as u32, call);
                    meet(&place, call, signature, raised)
                };
                (1..=calls).map(one).collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..job.n_pes()).map(pe).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

/// Where PEs can be: on one host, on several, of which some have one, in stretches and mixed.
const SHAPES: [&[u32]; 9] = [
    &[0],
    &[0, 0],
    &[0, 0, 0, 0, 0],
    &[0, 1],
    &[0, 0, 1, 1],
    &[0, 1, 1, 1],
    &[0, 1, 0, 1, 0],
    &[0, 0, 1, 1, 2, 2],
    &[2, 0, 1, 3, 4, 1, 2],
];

#[test]
fn all_agree_on_one_host_and_on_two() {
    for job in SHAPES.into_iter().flat_map(jobs) {
        let results = run(&job, job.calls(300), |_, call| (ask(call), false));
        for r in results.iter().flatten() {
            assert_eq!(*r, Ok(Agreed { raised: false }));
        }
    }
}

#[test]
fn a2_the_one_that_differs_is_named_on_every_pe_and_the_next_call_agrees() {
    for job in SHAPES[1..].iter().flat_map(|of| jobs(of)) {
        let total = job.n_pes() as u32;
        let odd = |call: u64| (call.is_multiple_of(3)).then_some((call as u32 / 3) % total);
        let results = run(&job, job.calls(300), |pe, call| {
            (ask(if odd(call) == Some(pe) { 1 } else { 100 + call }), false)
        });
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
    let results = jobs(&[0, 0, 1]).flat_map(|job| {
        run(&job, 2, |pe, call| match (pe, call) {
            (2, 1) => (Signature::new(Kind::Barrier), false),
            (2, 2) => (Signature::new(Kind::Exit), false),
            _ => (Signature::new(Kind::Enter), false),
        })
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
    for job in SHAPES.into_iter().flat_map(jobs) {
        let results = run(&job, job.calls(200), |pe, call| (ask(8), u64::from(pe) == call % 7));
        for calls in results {
            for (i, r) in calls.iter().enumerate() {
                let call = i as u64 + 1;
                assert_eq!(r.as_ref().unwrap().raised, call % 7 < job.n_pes() as u64);
            }
        }
    }
}

/// PEs that have made different numbers of calls: every one hears of it in the next rendezvous, though none of them is
/// where it is waited for.
#[test]
fn a1_numbers_that_differ_are_found_out_by_all() {
    for of in SHAPES.iter().filter(|of| of.len() > 2) {
        let n = of.len();
        for (ahead, job) in (0..n).flat_map(|ahead| jobs(of).map(move |job| (ahead, job))) {
            let results: Vec<_> = thread::scope(|s| {
                let pe = |rank: usize| {
                    let job = &job;
                    s.spawn(move || meet(&job.place(rank), if rank == ahead { 2 } else { 1 }, ask(8), false))
                };
                (0..n).map(pe).collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).collect()
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
    for job in SHAPES[1..].iter().flat_map(|of| jobs(of)) {
        let n = job.n_pes();
        let results: Vec<_> = thread::scope(|s| {
            let pe = |rank: usize| {
                let job = &job;
                s.spawn(move || {
                    let place = job.place(rank);
                    let root = u64::from(rank == 1);
                    let given = Signature::new(Kind::Broadcast).with(&[1, 8, 0, root]);
                    let cell = &place.here.cells[1];
                    cell.lay(given.args());
                    cell.show(given.word(1), false);
                    place.meet(Signature::new(Kind::Barrier).word(2), &[], 7 + root, &Yields)
                })
            };
            (0..n).map(pe).collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).collect()
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
        for job in SHAPES[1..].iter().flat_map(|of| jobs(of)) {
            let n = job.n_pes();
            let results: Vec<_> = thread::scope(|s| {
                let pe = |rank: usize| {
                    let (job, history) = (&job, 7 + u64::from(rank == 1));
                    s.spawn(move || {
                        job.place(rank).meet(
                            signature(kind).word(3),
                            signature(kind).args(),
                            history,
                            &Yields,
                        )
                    })
                };
                (0..n).map(pe).collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).collect()
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
