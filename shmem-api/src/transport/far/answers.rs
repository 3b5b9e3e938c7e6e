//! What comes on `Lane::Replies`: answers, and what has become of the payloads that this PE lent or receives.
//!
//! Whoever wants an answer leaves here what it waits for, under an id, which its request carries; whoever polls finds it by that.
//!
//! Invariants: **FAR-A1** the memory that [`Answers::expect`] is given stays writable until its owner has taken the id back
//! ([`Answers::take`], [`Answers::forget`]), which it does after it was told that the bytes are there, or that the process
//! that sends them is lost. **FAR-A2** the lock of this file is held in no call of the wire: it is taken within polls, and an engine
//! may hold one of its own in both.
#![allow(unsafe_code)]

use hashbrown::HashMap;
use memheap::PeId;
use parking_lot::Mutex;

use super::hosts::Hosts;
use super::message::{self, Answer, COURSES, Form, Says, Secret};
use super::user::Place;
use crate::process::private::{AtomicBool, AtomicU64, Ordering};
use crate::transport::wire::{Event, Payload, Token, Wire};

/// What somebody waits for.
enum Waiting {
    Value(Option<u64>),
    /// `packed`: they are being received: into the place, if it is a row, else to here first.
    Data {
        place: Place,
        packed: Option<Vec<u8>>,
        there: bool,
    },
    Sent {
        sent: bool,
        len: usize,
    },
}

/// What has been heard of a host.
struct Heard {
    done: [u64; COURSES],
    lost: Option<(PeId, String)>,
}

/// The same, for quick looks.
struct Counts {
    requests: AtomicU64,
    bytes: AtomicU64,
    lost: AtomicBool,
    /// Since it was taken last.
    heard: AtomicBool,
}

struct Inner {
    hosts: Vec<Heard>,
    waiting: HashMap<u64, (usize, Waiting)>,
    next: u64,
}

/// See above.
pub(super) struct Answers {
    counts: Vec<Counts>,
    inner: Mutex<Inner>,
}

/// An answer, or the end of hoping for it.
pub(super) enum Came<T> {
    Yes(T),
    NotYet,
    Lost(PeId, String),
}

impl Answers {
    pub(super) fn new(hosts: usize) -> Answers {
        let counts = || Counts {
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            lost: AtomicBool::new(false),
            heard: AtomicBool::new(false),
        };
        let heard = || Heard { done: [0; COURSES], lost: None };
        Answers {
            counts: (0..hosts).map(|_| counts()).collect(),
            inner: Mutex::new(Inner {
                hosts: (0..hosts).map(|_| heard()).collect(),
                waiting: HashMap::new(),
                next: 0,
            }),
        }
    }

    /// How many requests and bytes of all courses to that host are done.
    pub(super) fn done(&self, host: usize) -> [u64; 2] {
        let Counts { requests, bytes, .. } = &self.counts[host];
        [requests, bytes].map(|count| count.load(Ordering::Acquire))
    }

    /// How many requests to all hosts are done.
    pub(super) fn done_at_all(&self) -> u64 {
        let each = self.counts.iter().map(|counts| counts.requests.load(Ordering::Acquire));
        each.fold(0, u64::wrapping_add)
    }

    /// Whether a process of that host is lost.
    pub(super) fn is_lost(&self, host: usize) -> bool {
        self.counts[host].lost.load(Ordering::Acquire)
    }

    /// Which process of that host is lost, and why.
    pub(super) fn loss(&self, host: usize) -> Option<(PeId, String)> {
        if self.is_lost(host) { self.inner.lock().hosts[host].lost.clone() } else { None }
    }

    /// Whether it has been heard since that was taken last.
    pub(super) fn is_heard(&self, host: usize) -> bool {
        self.counts[host].heard.load(Ordering::Relaxed)
    }

    pub(super) fn take_heard(&self, host: usize) -> bool {
        self.counts[host].heard.swap(false, Ordering::Relaxed)
    }

    /// How many bytes of large payloads are under way to that host, or from there.
    pub(super) fn bytes_awaited(&self, host: usize) -> u64 {
        let inner = self.inner.lock();
        let of_host = inner.waiting.values().filter(|(of, _)| *of == host);
        let bytes = of_host.map(|(_, waiting)| match waiting {
            Waiting::Data { place, .. } => place.bytes(),
            Waiting::Sent { len, .. } => *len,
            Waiting::Value(_) => 0,
        });
        bytes.map(|bytes| bytes as u64).sum()
    }

    /// Whether `ready`, or lost.
    fn look<T>(&self, host: usize, ready: impl FnOnce(&mut Inner) -> Option<T>) -> Came<T> {
        let mut inner = self.inner.lock();
        match (ready(&mut inner), &inner.hosts[host].lost) {
            (Some(there), _) => Came::Yes(there),
            (None, Some((pe, why))) => Came::Lost(*pe, why.clone()),
            (None, None) => Came::NotYet,
        }
    }

    /// Whether the requests of a course are done up to that number.
    pub(super) fn has_done(&self, host: usize, course: usize, number: u64) -> Came<()> {
        self.look(host, |inner| (inner.hosts[host].done[course] >= number).then_some(()))
    }

    /// Whether more is done than that.
    pub(super) fn has_done_more(&self, host: usize, than: [u64; 2]) -> Came<()> {
        self.look(host, |_| (self.done(host) != than).then_some(()))
    }

    /// Nothing more of that host, if it is lost.
    pub(super) fn hopeless(&self, host: usize) -> Came<()> {
        self.look(host, |_| None)
    }

    fn await_it(&self, host: usize, waiting: Waiting) -> u64 {
        let mut inner = self.inner.lock();
        inner.next += 1;
        let id = inner.next;
        inner.waiting.insert(id, (host, waiting));
        id
    }

    /// Somebody will wait for the value of a word.
    pub(super) fn expect_value(&self, host: usize) -> u64 {
        self.await_it(host, Waiting::Value(None))
    }

    /// Somebody will wait until lent bytes have been taken.
    pub(super) fn expect_sent(&self, host: usize, len: usize) -> u64 {
        self.await_it(host, Waiting::Sent { sent: false, len })
    }

    /// Somebody will wait for these bytes.
    ///
    /// # Safety
    /// FAR-A1.
    pub(super) unsafe fn expect(&self, host: usize, place: Place) -> u64 {
        self.await_it(host, Waiting::Data { place, packed: None, there: false })
    }

    /// What came under that id, which so ends: the value, or nothing in particular.
    pub(super) fn take(&self, host: usize, id: u64) -> Came<u64> {
        self.look(host, |inner| {
            let (_, waiting) = inner.waiting.get(&id)?;
            let there = match waiting {
                Waiting::Value(value) => *value,
                Waiting::Data { there, .. } | Waiting::Sent { sent: there, .. } => there.then_some(0),
            };
            there.inspect(|_| _ = inner.waiting.remove(&id))
        })
    }

    /// Nobody waits for that any more.
    pub(super) fn forget(&self, id: u64) {
        self.inner.lock().waiting.remove(&id);
    }

    /// A process is lost, or does not do what it is asked.
    pub(super) fn lose(&self, host: Option<usize>, pe: PeId, why: String) {
        let Some(host) = host else { return };
        self.inner.lock().hosts[host].lost.get_or_insert((pe, why));
        self.counts[host].lost.store(true, Ordering::Release);
    }

    /// An event on `Lane::Replies`. What nobody wants is added to `unwanted`, to be refused when the poll is over.
    pub(super) fn tell(
        &self,
        (wire, hosts, secret): (&dyn Wire, &Hosts, Secret),
        event: Event<'_>,
        unwanted: &mut Vec<Token>,
    ) {
        match event {
            Event::Message { header, payload } => {
                let receive = self.message(hosts, secret, header, payload);
                match (receive, payload) {
                    (Some((to, id)), Payload::Coming { token, len }) => {
                        // SAFETY: WIRE-W1 by FAR-A1: `len` bytes of an expected place, or of `packed`; WIRE-W2: within this poll.
                        unsafe { wire.receive(token, to, len, id) }
                    }
                    (None, Payload::Coming { token, .. }) => unwanted.push(token),
                    _ => {}
                }
            }
            Event::Sent(id) => {
                if let Some((_, Waiting::Sent { sent, .. })) = self.inner.lock().waiting.get_mut(&id) {
                    *sent = true;
                }
            }
            Event::Received(id) => self.received(id),
            Event::Failed(id, why) => {
                let of = self.inner.lock().waiting.get(&id).map(|&(host, _)| host);
                if let Some(pe) = of.and_then(|host| hosts.server(host, hosts.me())) {
                    self.lose(of, pe, why);
                }
            }
            Event::Lost(pe, why) => self.lose(hosts.host(pe), pe, why),
        }
    }

    /// Where the payload is to be received to, and under which id.
    fn message(
        &self,
        hosts: &Hosts,
        secret: Secret,
        header: &[u8],
        payload: Payload<'_>,
    ) -> Option<(*mut u8, u64)> {
        let (Form::Answer, from, answer) = message::open(header, secret)? else { return None };
        let (host, answer) = (hosts.host(from)?, Answer::read(answer)?);
        if hosts.server(host, hosts.me()) != Some(from) {
            return None;
        }
        self.counts[host].heard.store(true, Ordering::Relaxed);
        let mut inner = self.inner.lock();
        let done = &mut inner.hosts[host].done[usize::from(answer.course)];
        *done = answer.done.max(*done);
        let counts = &self.counts[host];
        counts.requests.fetch_max(answer.requests, Ordering::AcqRel);
        counts.bytes.fetch_max(answer.bytes, Ordering::AcqRel);
        if answer.says == Says::Refused {
            drop(inner);
            let why = format!("PE {from} refused request {} of this PE", answer.value);
            self.lose(Some(host), from, why);
            return None;
        }
        let of_host = |(of, _): &&mut (usize, Waiting)| *of == host;
        let (_, waiting) = inner.waiting.get_mut(&answer.id).filter(of_host)?;
        match (answer.says, waiting, payload) {
            (Says::Value, Waiting::Value(value), Payload::Here([])) => *value = Some(answer.value),
            (Says::Data, Waiting::Data { place, packed: None, there }, Payload::Here(bytes))
                if bytes.len() == place.bytes() =>
            {
                // SAFETY: USER-U1 by FAR-A1; as many bytes.
                unsafe { place.unpack(bytes) };
                *there = true;
            }
            (
                Says::Data,
                Waiting::Data { place, packed: packed @ None, there: false },
                Payload::Coming { len, .. },
            ) if len == place.bytes() => {
                let packed = packed.insert(Vec::new());
                let to = place.in_a_row().unwrap_or_else(|| {
                    packed.resize(len, 0);
                    packed.as_mut_ptr()
                });
                return Some((to, answer.id));
            }
            _ => {}
        }
        None
    }

    fn received(&self, id: u64) {
        let mut inner = self.inner.lock();
        if let Some((_, Waiting::Data { place, packed: Some(packed), there })) = inner.waiting.get_mut(&id) {
            // SAFETY: USER-U1 by FAR-A1; as many bytes, or none, by `message`.
            unsafe { place.unpack(packed) };
            *there = true;
        }
    }
}
