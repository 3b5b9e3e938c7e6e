//! A network within one process, for tests: it delays, interleaves, reorders and cuts, the same way for the same seed.
//!
//! ```text
//!   send ──► under way ── deliver(): any one of them, by the seed ──► the receiver's queue of that lane ── poll ──► tell
//!   receive ──► under way ── deliver(): the bytes are copied ──► Received at the one end, Sent under way to the other
//! ```
//!
//! Nothing happens by itself: somebody calls [`Net::deliver`]. With a *driver* (`drive_by`) a test runs on one thread: a call that
//! sleeps calls the driver, which does the next thing of the test: a delivery, a turn of some process' server, a whole call of
//! another PE. So calls are nested in each other's waits, and a run depends on its seed only. Without a driver, sleepers and pollers deliver,
//! and real threads may wait for each other as they like.
//!
//! Time passes when a test says so (`pass`): messages may take some of it (`delay`), and a link between two processes may be dead, which
//! nobody is told (`silence`).
//!
//! A payload that is lent comes to the receiver as the engine likes it: at once, or to be received; so does a batch.
//!
//! Invariants: **SIM-S1** what is lent is read, and what is to be received written, only between the call that gave it and the `Sent` or
//! `Received` that ends it; of a process that was cut off, not at all. **SIM-S2** with a driver, one thread uses the network, and all choices
//! come from its random numbers.
#![allow(unsafe_code)]

mod losses;
mod state;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use memheap::PeId;
use parking_lot::{Condvar, Mutex};

pub(crate) use self::state::Held;
use self::state::{Body, Item, Lent, State, Told};
use super::wire::{Event, Lane, Outgoing, Payload, Token, Wire};

/// The longest that a thread sleeps, whatever it asks for.
const LONGEST_SLEEP: Duration = Duration::from_millis(2);

thread_local! {
    static DRIVER: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
}

/// On this thread, from now on, sleepers call `driver`.
pub(crate) fn drive_by(driver: Rc<dyn Fn()>) {
    DRIVER.with(|slot| *slot.borrow_mut() = Some(driver));
}

/// See above.
pub(crate) struct Net {
    state: Mutex<State>,
    news: Condvar,
    /// The longest payload that is copied.
    copied: usize,
}

impl Net {
    pub(crate) fn new(seed: u64, processes: usize, copied: usize) -> Arc<Net> {
        Arc::new(Net { state: Mutex::new(State::new(seed, processes)), news: Condvar::new(), copied })
    }

    /// The engine of a process.
    pub(crate) fn wire(self: &Arc<Net>, me: PeId) -> Box<dyn Wire> {
        Box::new(SimWire { net: self.clone(), me: me.0 as usize })
    }

    /// Something that is under way arrives; whether there was anything.
    pub(crate) fn deliver(&self) -> bool {
        let delivered = self.state.lock().deliver();
        self.news.notify_all();
        delivered
    }

    /// Whether nothing is under way, but what is held, and nothing waits to be polled.
    pub(crate) fn is_quiet(&self) -> bool {
        self.state.lock().is_quiet()
    }

    /// Requests that fulfil this do not arrive for now.
    pub(crate) fn hold(&self, held: Option<Held>) {
        self.state.lock().held = held;
    }

    /// A process dies.
    pub(crate) fn cut(&self, pe: PeId) {
        self.state.lock().cut(pe.0 as usize);
        self.news.notify_all();
    }

    /// From now on nothing goes between these two processes, and nobody is told.
    pub(crate) fn silence(&self, between: [PeId; 2]) {
        self.state.lock().silence(between.map(|pe| pe.0 as usize));
        self.news.notify_all();
    }

    /// What is sent from now on takes so many milliseconds at most.
    pub(crate) fn delay(&self, most: u64) {
        self.state.lock().most_delayed = most;
    }

    /// So many milliseconds pass.
    pub(crate) fn pass(&self, time: u64) {
        self.state.lock().now += time;
        self.news.notify_all();
    }

    /// Copied bytes that have been sent from one process to another and not been polled.
    pub(crate) fn bytes_between(&self, from: PeId, to: PeId) -> usize {
        self.state.lock().bytes_between(from.0 as usize, to.0 as usize)
    }

    /// How many requests and replies have been sent.
    pub(crate) fn sent(&self) -> [usize; 2] {
        self.state.lock().sent
    }

    /// A number that says what has been delivered so far, and in which order.
    pub(crate) fn trace(&self) -> u64 {
        self.state.lock().trace
    }
}

struct SimWire {
    net: Arc<Net>,
    me: usize,
}

impl Wire for SimWire {
    fn describe(&self) -> String {
        "sim, an in-process network for tests".to_owned()
    }

    fn address(&self) -> Vec<u8> {
        self.me.to_le_bytes().to_vec()
    }

    fn meet(&self, _: Vec<Vec<u8>>) {}

    fn limits(&self) -> (usize, usize) {
        (128, self.net.copied)
    }

    unsafe fn send(&self, to: PeId, lane: Lane, header: &[u8], payload: Outgoing<'_>) {
        let (from, to) = (self.me, to.0 as usize);
        let body = match payload {
            Outgoing::Copied(bytes) => {
                assert!(bytes.len() <= self.net.copied, "{} bytes are more than can be copied", bytes.len());
                Body::Copied(bytes.to_vec())
            }
            Outgoing::Lent { at, len, id } => {
                // The sending thread polls the other lane.
                let tell = if lane == Lane::Requests { Lane::Replies } else { Lane::Requests };
                Body::Lent(Lent { at, len, id, owner: from, reader: to, tell })
            }
        };
        self.net.state.lock().send(from, to, lane, Item::Message { from, header: header.to_vec(), body });
        self.net.news.notify_all();
    }

    fn poll(&self, lane: Lane, tell: &mut dyn FnMut(Event<'_>)) -> usize {
        let driven = DRIVER.with(|driver| driver.borrow().is_some());
        if !driven {
            self.net.deliver();
        }
        let most = self.net.state.lock().some();
        let next = || self.net.state.lock().next(self.me, lane);
        std::iter::from_fn(next)
            .take(most)
            .map(|told| match told {
                Told::Here(header, bytes) => {
                    tell(Event::Message { header: &header, payload: Payload::Here(&bytes) })
                }
                Told::Coming(header, token, len) => {
                    let payload = Payload::Coming { token: Token(token), len };
                    tell(Event::Message { header: &header, payload });
                }
                Told::Sent(id) => tell(Event::Sent(id)),
                Told::Received(id) => tell(Event::Received(id)),
                Told::Failed(id, why) => tell(Event::Failed(id, why)),
                Told::Lost(pe, why) => tell(Event::Lost(pe, why)),
            })
            .count()
    }

    unsafe fn receive(&self, token: Token, to: *mut u8, len: usize, id: u64) {
        self.net.state.lock().receive(self.me, token.0, (to, len, id));
        self.net.news.notify_all();
    }

    fn refuse(&self, token: Token) {
        self.net.state.lock().refuse(token.0);
    }

    fn sleep(&self, lane: Lane, most: Duration) {
        if let Some(driver) = DRIVER.with(|driver| driver.borrow().clone()) {
            return driver();
        }
        let mut state = self.net.state.lock();
        if state.deliver() {
            self.net.news.notify_all();
        } else if !state.wakes(self.me, lane) {
            self.net.news.wait_for(&mut state, most.min(LONGEST_SLEEP));
        }
    }

    fn wake(&self, lane: Lane) {
        self.net.state.lock().wake(self.me, lane);
        self.net.news.notify_all();
    }

    fn close(&self) {}
}
