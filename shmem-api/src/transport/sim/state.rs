//! What is under way, and what has come but has not been polled.

use std::collections::{HashMap, VecDeque};

use memheap::PeId;

use crate::memory::copy;
use crate::testing::{Random, mix};
use crate::transport::wire::Lane;

/// Which requests do not arrive for now: by their header and what is copied of their payload.
pub(crate) type Held = Box<dyn Fn(&[u8], &[u8]) -> bool + Send>;

/// Bytes that their owner lent.
#[derive(Clone, Copy)]
pub(super) struct Lent {
    pub(super) at: *const u8,
    pub(super) len: usize,
    pub(super) id: u64,
    pub(super) owner: usize,
    pub(super) reader: usize,
    /// On which lane the owner is told.
    pub(super) tell: Lane,
}

pub(super) enum Body {
    Copied(Vec<u8>),
    Lent(Lent),
}

/// What is under way to a process, or waits there.
pub(super) enum Item {
    Message {
        from: usize,
        header: Vec<u8>,
        body: Body,
    },
    /// Bytes on their way to where they are to be received.
    Move {
        what: Source,
        to: *mut u8,
        id: u64,
    },
    Sent(u64),
    Received(u64),
    Failed(u64, String),
    Lost(PeId, String),
}

/// On its way from one process to a lane of another.
pub(super) struct Sending {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) lane: Lane,
    pub(super) item: Item,
    /// It does not arrive before.
    pub(super) due: u64,
}

/// Whence bytes are received.
pub(super) enum Source {
    Lent(Lent),
    Copied(usize, Vec<u8>),
}

/// What a poll tells.
pub(super) enum Told {
    Here(Vec<u8>, Vec<u8>),
    Coming(Vec<u8>, u64, usize),
    Sent(u64),
    Received(u64),
    Failed(u64, String),
    Lost(PeId, String),
}

#[derive(Default)]
pub(super) struct Process {
    pub(super) queues: [VecDeque<Item>; 2],
    woken: [bool; 2],
    pub(super) dead: bool,
}

pub(super) struct State {
    pub(super) random: Random,
    pub(super) processes: Vec<Process>,
    pub(super) under_way: Vec<Sending>,
    /// By token: on which lane it came, and its payload.
    pub(super) coming: HashMap<u64, (Lane, Source)>,
    tokens: u64,
    pub(super) held: Option<Held>,
    pub(super) trace: u64,
    /// How many messages were sent, by lane.
    pub(super) sent: [usize; 2],
    /// Milliseconds.
    pub(super) now: u64,
    pub(super) most_delayed: u64,
    /// Pairs of processes with a dead link between them.
    pub(super) silenced: Vec<[usize; 2]>,
}

// SAFETY: SIM-S1: the pointers in it may be used from any thread as long as they may be used at all.
unsafe impl Send for State {}

impl Source {
    fn len(&self) -> usize {
        match self {
            Source::Lent(lent) => lent.len,
            Source::Copied(_, bytes) => bytes.len(),
        }
    }

    pub(super) fn is_of(&self, pe: usize) -> bool {
        match self {
            Source::Lent(lent) => lent.owner == pe || lent.reader == pe,
            Source::Copied(from, _) => *from == pe,
        }
    }

    fn owner(&self) -> usize {
        match self {
            Source::Lent(lent) => lent.owner,
            Source::Copied(from, _) => *from,
        }
    }
}

impl State {
    pub(super) fn new(seed: u64, processes: usize) -> State {
        State {
            random: Random::new(seed),
            processes: (0..processes).map(|_| Process::default()).collect(),
            under_way: Vec::new(),
            coming: HashMap::new(),
            tokens: 0,
            held: None,
            trace: 0,
            sent: [0; 2],
            now: 0,
            most_delayed: 0,
            silenced: Vec::new(),
        }
    }

    /// How many events a poll tells at most.
    pub(super) fn some(&mut self) -> usize {
        1 + self.random.below(4)
    }

    pub(super) fn send(&mut self, from: usize, to: usize, lane: Lane, item: Item) {
        self.sent[lane as usize] += 1;
        if !self.processes[from].dead && !self.processes[to].dead {
            self.begin(from, to, lane, item);
        }
    }

    /// Something goes its way, if there is one.
    fn begin(&mut self, from: usize, to: usize, lane: Lane, item: Item) {
        if !self.is_silenced(from, to) {
            let delay =
                if self.most_delayed == 0 { 0 } else { self.random.below(self.most_delayed as usize + 1) };
            self.under_way.push(Sending { from, to, lane, item, due: self.now + delay as u64 });
        }
    }

    fn is_silenced(&self, a: usize, b: usize) -> bool {
        self.silenced.iter().any(|pair| [[a, b], [b, a]].contains(pair))
    }

    pub(super) fn is_quiet(&self) -> bool {
        let waits = |process: &Process| process.queues.iter().any(|queue| !queue.is_empty());
        self.under_way.iter().all(|sending| self.is_held(&sending.item)) && !self.processes.iter().any(waits)
    }

    fn is_held(&self, item: &Item) -> bool {
        match (item, &self.held) {
            (Item::Message { header, body: Body::Copied(bytes), .. }, Some(held)) => held(header, bytes),
            (Item::Message { header, body: Body::Lent(_), .. }, Some(held)) => held(header, &[]),
            _ => false,
        }
    }

    pub(super) fn deliver(&mut self) -> bool {
        if self.under_way.is_empty() {
            return false;
        }
        let first = self.random.below(self.under_way.len());
        let order = (first..self.under_way.len()).chain(0..first);
        let arrives = |sending: &Sending| sending.due <= self.now && !self.is_held(&sending.item);
        let Some(at) = order.into_iter().find(|&at| arrives(&self.under_way[at])) else {
            return false;
        };
        let Sending { to, lane, item, .. } = self.under_way.swap_remove(at);
        self.trace = mix(mix(self.trace, to as u64 * 2 + lane as u64), item.sum());
        let item = match item {
            Item::Move { what, to: place, id } => {
                self.copy(what, place);
                Item::Received(id)
            }
            item => item,
        };
        self.processes[to].queues[lane as usize].push_back(item);
        true
    }

    /// Received bytes are put into their place.
    fn copy(&mut self, what: Source, to: *mut u8) {
        match what {
            Source::Copied(_, bytes) => {
                // SAFETY: SIM-S1: writable for as many bytes.
                unsafe { copy::put(to, bytes.as_ptr(), bytes.len()) }
            }
            Source::Lent(lent) => {
                // SAFETY: SIM-S1: readable here, and writable there, for as many bytes.
                unsafe { copy::put(to, lent.at, lent.len) };
                self.begin(lent.reader, lent.owner, lent.tell, Item::Sent(lent.id));
            }
        }
    }

    /// The next event of a lane.
    pub(super) fn next(&mut self, me: usize, lane: Lane) -> Option<Told> {
        let item = self.processes[me].queues[lane as usize].pop_front()?;
        Some(match item {
            Item::Message { header, body: Body::Copied(bytes), .. }
                if bytes.is_empty() || self.random.below(16) > 0 =>
            {
                Told::Here(header, bytes)
            }
            Item::Message { header, body: Body::Lent(lent), .. } if self.random.below(4) == 0 => {
                let mut bytes = vec![0; lent.len];
                self.copy(Source::Lent(lent), bytes.as_mut_ptr());
                Told::Here(header, bytes)
            }
            Item::Message { from, header, body } => {
                self.tokens += 1;
                let source = match body {
                    Body::Copied(bytes) => Source::Copied(from, bytes),
                    Body::Lent(lent) => Source::Lent(lent),
                };
                let len = source.len();
                self.coming.insert(self.tokens, (lane, source));
                Told::Coming(header, self.tokens, len)
            }
            Item::Move { .. } => unreachable!("it was delivered"),
            Item::Sent(id) => Told::Sent(id),
            Item::Received(id) => Told::Received(id),
            Item::Failed(id, why) => Told::Failed(id, why),
            Item::Lost(pe, why) => Told::Lost(pe, why),
        })
    }

    pub(super) fn receive(&mut self, me: usize, token: u64, (to, len, id): (*mut u8, usize, u64)) {
        // Of a process that was cut off, nothing comes.
        let Some((lane, what)) = self.coming.remove(&token) else { return };
        assert_eq!(what.len(), len, "all of a payload is received");
        self.begin(what.owner(), me, lane, Item::Move { what, to, id });
    }

    pub(super) fn refuse(&mut self, token: u64) {
        if let Some((_, Source::Lent(lent))) = self.coming.remove(&token) {
            self.begin(lent.reader, lent.owner, lent.tell, Item::Sent(lent.id));
        }
    }

    pub(super) fn wake(&mut self, me: usize, lane: Lane) {
        self.processes[me].woken[lane as usize] = true;
    }

    /// Whether there is a reason not to sleep.
    pub(super) fn wakes(&mut self, me: usize, lane: Lane) -> bool {
        let process = &mut self.processes[me];
        std::mem::take(&mut process.woken[lane as usize]) || !process.queues[lane as usize].is_empty()
    }

    pub(super) fn bytes_between(&self, from: usize, to: usize) -> usize {
        let of = |item: &Item| match item {
            Item::Message { from: of, body: Body::Copied(bytes), .. } if *of == from => bytes.len(),
            _ => 0,
        };
        let under_way =
            self.under_way.iter().filter(|sending| sending.to == to).map(|sending| of(&sending.item));
        under_way.sum::<usize>() + self.processes[to].queues.iter().flatten().map(of).sum::<usize>()
    }
}

impl Item {
    pub(super) fn is_of(&self, pe: usize) -> bool {
        match self {
            Item::Message { from, .. } => *from == pe,
            Item::Move { what, .. } => what.is_of(pe),
            _ => false,
        }
    }

    /// What it lends.
    pub(super) fn lent(&self) -> Option<&Lent> {
        match self {
            Item::Message { body: Body::Lent(lent), .. } => Some(lent),
            _ => None,
        }
    }

    /// A number for what it is.
    fn sum(&self) -> u64 {
        let word = |bytes: &[u8]| bytes.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
        let of = |bytes: &[u8]| bytes.chunks(8).fold(0, |sum, bytes| mix(sum, word(bytes)));
        match self {
            Item::Message { header, body: Body::Copied(bytes), .. } => mix(of(header), bytes.len() as u64),
            Item::Message { header, body: Body::Lent(lent), .. } => mix(of(header), lent.len as u64),
            Item::Move { id, .. } => mix(1, *id),
            Item::Sent(id) => mix(2, *id),
            Item::Received(id) => mix(3, *id),
            Item::Lost(pe, _) => mix(4, pe.0.into()),
            Item::Failed(id, _) => mix(5, *id),
        }
    }
}
