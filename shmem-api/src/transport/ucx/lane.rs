//! One lane: a worker of UCX, its endpoints, and the lock that all calls on it are made under.
//!
//! ```text
//!   send: any thread ──┐                      ┌─► lock, ucp_worker_progress (callbacks fill the inbox), swap, unlock
//!                      ├─► lock ─► UCX        poll: one thread ─► tell, tell, tell ─► lock, give kept buffers back
//!   receive, refuse ───┘
//!   sleep: lock, nothing told? ucp_worker_arm, unlock ─► asleep on the worker's descriptor and the bell
//! ```
//!
//! What a sender leaves for the poller to do (a message that could not go at once, a `Sent`) rings the bell if the poller sleeps: UCX's
//! descriptor tells of what comes from outside.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, RawFd};
use std::ptr;
use std::rc::Rc;
use std::slice;
use std::time::Duration;

use memheap::PeId;
use parking_lot::Mutex;

use super::abi::{self, AmHandlerParam, Context, Ep, EpParams, RequestCb, RequestParam, Worker, WorkerAttr};
use super::bell::Bell;
use super::inbox::{Body, Entry, Inbox, Link, Queue, Receiving, arrived, broken, closed, received, sent};
use super::library::{Begun, Functions};
use crate::transport::wire::{Event, Outgoing, Payload, Token};

/// The one active message.
const MESSAGE: u32 = 0;
/// From so many bytes on, what is lent goes by rendezvous: from where it is to where it belongs, with a question and an answer before.
/// Below, it is copied by the receiver. (Over tcp on one host, there and back: 64 KiB 96 us by rendezvous, 58 eagerly; 128 KiB 140 and
/// 98; 256 KiB 208 and 180; from 512 KiB on alike. UCX itself would take it from 32 KiB on.)
pub(super) const RENDEZVOUS_FROM: usize = 128 << 10;
/// A poll does not go on longer than this for steps inside UCX that tell nothing.
const STEPS: usize = 8;
/// How often in a row a worker may be too busy to be slept on before its poller pauses all the same, and for how long.
const BUSY: (u32, Duration) = (16, Duration::from_micros(100));

/// See above.
pub(super) struct Lane {
    state: Mutex<State>,
    /// What is being told.
    told: Mutex<Queue>,
    bell: Bell,
    pub(super) address: Vec<u8>,
    pub(super) max_header: usize,
}

struct State {
    library: Functions,
    /// Null after the end.
    worker: *mut Worker,
    inbox: Rc<Inbox>,
    /// Readable when there is something to do, after arming.
    readable: RawFd,
    /// By PE; set once.
    peers: Vec<Peer>,
    /// By PE, for the endpoints' error handlers; set once.
    links: Vec<Link>,
    /// The poller sleeps, or is about to.
    asleep: bool,
    /// How often in a row arming failed.
    busy: u32,
}

// SAFETY: UCX-U2: whoever has the state has the lock.
unsafe impl Send for State {}
// SAFETY: UCX-U2: addresses of UCX's buffers, which nobody changes until they are given back.
unsafe impl Send for Queue {}

struct Peer {
    /// Of that lane of the peer which this one sends to.
    address: Vec<u8>,
    end: End,
}

#[derive(Clone, Copy)]
enum End {
    /// Nothing was sent yet.
    None,
    Open(*mut Ep),
    Lost,
}

/// How to sleep.
enum Rest {
    /// Not at all.
    No,
    /// Until there is something.
    Armed,
    /// A little: UCX has things to do that nothing will tell of.
    Pause,
    /// There is no worker any more.
    Ended,
}

impl Lane {
    /// `parity`: that of its tokens.
    pub(super) fn open(library: Functions, context: *mut Context, parity: u64) -> Result<Lane, String> {
        // SAFETY: all zero is a value of it: no field is set.
        let mut params: abi::WorkerParams = unsafe { MaybeUninit::zeroed().assume_init() };
        params.field_mask = abi::WORKER_THREAD_MODE | abi::WORKER_EVENTS | abi::WORKER_FLAGS;
        params.thread_mode = abi::THREAD_MODE_SERIALIZED;
        params.events = abi::WAKEUP_TX | abi::WAKEUP_RX;
        params.flags = abi::WORKER_IGNORE_REQUEST_LEAK;
        let mut worker = ptr::null_mut();
        // SAFETY: UCX-U1; UCX-U4: the context is there.
        let status = unsafe { (library.worker_create)(context, &raw const params, &raw mut worker) };
        library.check("ucp_worker_create", status)?;
        let inbox = Rc::new(Inbox::new(library, parity));
        let (peers, links) = (Vec::new(), Vec::new());
        let mut state = State { library, worker, inbox, readable: -1, peers, links, asleep: false, busy: 0 };
        // SAFETY: UCX-U4: it writes the descriptor, which is the worker's.
        let status = unsafe { (library.worker_get_efd)(worker, &raw mut state.readable) };
        library.check("ucp_worker_get_efd", status)?;
        let handler = AmHandlerParam {
            field_mask: abi::AM_HANDLER_ID | abi::AM_HANDLER_FLAGS | abi::AM_HANDLER_CB | abi::AM_HANDLER_ARG,
            id: MESSAGE,
            flags: abi::AM_WHOLE_MSG,
            cb: Some(arrived),
            arg: Rc::as_ptr(&state.inbox).cast_mut().cast(),
        };
        // SAFETY: UCX-U3: the inbox stays until the worker has gone.
        let status = unsafe { (library.set_am_recv_handler)(worker, &raw const handler) };
        library.check("ucp_worker_set_am_recv_handler", status)?;
        // SAFETY: all zero is a value of it.
        let mut attr: WorkerAttr = unsafe { MaybeUninit::zeroed().assume_init() };
        attr.field_mask = abi::WORKER_MAX_AM_HEADER;
        // SAFETY: UCX-U4: it fills in what the mask says.
        let status = unsafe { (library.worker_query)(worker, &raw mut attr) };
        library.check("ucp_worker_query", status)?;
        let address = state.address()?;
        let bell = Bell::new()?;
        let told = Mutex::default();
        Ok(Lane { state: Mutex::new(state), told, bell, address, max_header: attr.max_am_header })
    }

    /// The addresses of the lanes that this one sends to, by PE. Once.
    pub(super) fn meet(&self, addresses: Vec<Vec<u8>>) {
        let mut state = self.state.lock();
        assert!(state.peers.is_empty(), "the PEs meet once");
        let inbox = Rc::as_ptr(&state.inbox);
        state.links = (0..addresses.len() as u32).map(|to| Link { inbox, to }).collect();
        state.peers = addresses.into_iter().map(|address| Peer { address, end: End::None }).collect();
    }

    /// # Safety
    /// WIRE-W1, for what is lent.
    pub(super) unsafe fn send(&self, to: PeId, header: &[u8], payload: Outgoing<'_>) {
        assert!(header.len() <= self.max_header, "a header of {} bytes", header.len());
        let mut state = self.state.lock();
        // SAFETY: WIRE-W1.
        let going = unsafe { state.send(to.0, header, payload) };
        state.close_broken();
        if state.asleep && (going || !state.inbox.is_empty()) {
            state.asleep = false;
            self.bell.ring();
        }
    }

    pub(super) fn poll(&self, tell: &mut dyn FnMut(Event<'_>)) -> usize {
        // Somebody else polls, against the rule: it tells all.
        let Some(mut told) = self.told.try_lock() else { return 0 };
        told.clear();
        {
            let mut state = self.state.lock();
            state.turn();
            std::mem::swap(&mut *told, &mut *state.inbox.queue.borrow_mut());
        }
        let Queue { entries, bytes } = &mut *told;
        let (n, mut kept) = (entries.len(), Vec::new());
        for entry in entries.drain(..) {
            match entry {
                Entry::Message { header, body } => {
                    let payload = match body {
                        Body::Copied(at) => Payload::Here(&bytes[at]),
                        Body::Kept(data, len) => {
                            kept.push(data);
                            // SAFETY: UCX-U3: it is ours until it is given back below.
                            Payload::Here(unsafe { slice::from_raw_parts(data.cast::<u8>(), len) })
                        }
                        Body::Coming(token, len) => Payload::Coming { token: Token(token), len },
                    };
                    tell(Event::Message { header: &bytes[header], payload });
                }
                Entry::Sent(id) => tell(Event::Sent(id)),
                Entry::Received(id) => tell(Event::Received(id)),
                Entry::Lost(pe, why) => tell(Event::Lost(PeId(pe), why)),
            }
        }
        if !kept.is_empty() {
            let state = self.state.lock();
            kept.into_iter().for_each(|data| state.release(data));
        }
        n
    }

    /// # Safety
    /// WIRE-W1 and WIRE-W2.
    pub(super) unsafe fn receive(&self, token: u64, to: *mut u8, len: usize, id: u64) {
        let state = self.state.lock();
        let held = state.inbox.take(token);
        let Some((data, whole)) = held else { return };
        assert_eq!(len, whole, "a payload is received as it was sent");
        // SAFETY: WIRE-W1.
        unsafe { state.receive(data, to, len, id) };
    }

    pub(super) fn refuse(&self, token: u64) {
        let state = self.state.lock();
        if let Some((data, _)) = state.inbox.take(token) {
            state.release(data);
        }
    }

    pub(super) fn sleep(&self, most: Duration) {
        let (rest, readable) = {
            let mut state = self.state.lock();
            (state.rest(), state.readable)
        };
        let (other, most) = match rest {
            Rest::No => return,
            // SAFETY: UCX-U4: the worker's, which is there while a call is under way.
            Rest::Armed => (Some(unsafe { BorrowedFd::borrow_raw(readable) }), most),
            Rest::Pause => (None, most.min(BUSY.1)),
            Rest::Ended => (None, most),
        };
        self.bell.sleep(other, most);
    }

    pub(super) fn wake(&self) {
        self.bell.ring();
    }

    /// The end, step by step: from here on nothing is told, and what has not gone goes.
    pub(super) fn let_go(&self) {
        let state = self.state.lock();
        state.inbox.closing.set(true);
        state.inbox.take_all().into_iter().for_each(|data| state.release(data));
    }

    /// The connections go, whatever the peers do.
    pub(super) fn cut(&self) {
        let mut state = self.state.lock();
        for peer in std::mem::take(&mut state.peers) {
            if let End::Open(ep) = peer.end {
                state.close(ep);
            }
        }
    }

    /// Whether something has not gone yet or a connection has not, and whether something has moved.
    pub(super) fn is_ending(&self) -> (bool, bool) {
        let state = self.state.lock();
        let moved = !state.worker.is_null() && state.progress() != 0;
        (state.inbox.pending.get() != 0, moved)
    }

    /// The worker goes.
    pub(super) fn destroy(&self) {
        self.state.lock().destroy();
    }
}

impl State {
    fn address(&self) -> Result<Vec<u8>, String> {
        let (mut address, mut len) = (ptr::null_mut(), 0);
        // SAFETY: UCX-U4: it writes where it is, and how long.
        let status =
            unsafe { (self.library.worker_get_address)(self.worker, &raw mut address, &raw mut len) };
        self.library.check("ucp_worker_get_address", status)?;
        // SAFETY: UCX-U1: so many bytes, ours until they are released.
        let bytes = unsafe { slice::from_raw_parts(address.cast::<u8>(), len) }.to_vec();
        // SAFETY: UCX-U4.
        unsafe { (self.library.worker_release_address)(self.worker, address) };
        Ok(bytes)
    }

    fn progress(&self) -> u32 {
        // SAFETY: UCX-U2, UCX-U4. Its callbacks borrow what is in the inbox, of which nothing is borrowed here.
        unsafe { (self.library.worker_progress)(self.worker) }
    }

    /// Moves things along.
    fn turn(&mut self) {
        self.asleep = false;
        if self.worker.is_null() {
            return;
        }
        for _ in 0..STEPS {
            let moved = self.progress();
            self.close_broken();
            if moved == 0 || !self.inbox.is_empty() {
                break;
            }
        }
    }

    fn rest(&mut self) -> Rest {
        if self.worker.is_null() {
            return Rest::Ended;
        }
        if !self.inbox.is_empty() {
            self.busy = 0;
            return Rest::No;
        }
        // SAFETY: UCX-U2, UCX-U4.
        let status = unsafe { (self.library.worker_arm)(self.worker) };
        self.asleep = true;
        match status {
            abi::OK => {
                self.busy = 0;
                Rest::Armed
            }
            // Or it cannot be: then the pauses are the sleep.
            abi::ERR_BUSY if self.busy < BUSY.0 => {
                self.busy += 1;
                Rest::No
            }
            _ => Rest::Pause,
        }
    }

    /// The endpoint to a PE, made when it is asked for first.
    fn endpoint(&mut self, to: u32) -> Result<Option<*mut Ep>, String> {
        let peer = self.peers.get_mut(to as usize).ok_or("its address is not known")?;
        match peer.end {
            End::Open(ep) => return Ok(Some(ep)),
            End::Lost => return Ok(None),
            End::None if peer.address.is_empty() => return Err("its address is none of UCX's".to_owned()),
            End::None => {}
        }
        // SAFETY: all zero is a value of it: no field is set.
        let mut params: EpParams = unsafe { MaybeUninit::zeroed().assume_init() };
        params.field_mask = abi::EP_REMOTE_ADDRESS | abi::EP_ERR_HANDLING_MODE | abi::EP_ERR_HANDLER;
        params.address = peer.address.as_ptr().cast();
        params.err_mode = abi::ERR_HANDLING_MODE_PEER;
        params.err_handler.cb = Some(broken);
        params.err_handler.arg = (&raw const self.links[to as usize]).cast_mut().cast();
        let mut ep = ptr::null_mut();
        // SAFETY: UCX-U2, UCX-U4; UCX-U3: the link stays. The address is one that a worker gave, by the boot.
        let status = unsafe { (self.library.ep_create)(self.worker, &raw const params, &raw mut ep) };
        self.library.check("ucp_ep_create", status)?;
        peer.end = End::Open(ep);
        Ok(Some(ep))
    }

    /// Whether it is under way, and the poller has to see to it.
    ///
    /// # Safety
    /// WIRE-W1, for what is lent.
    unsafe fn send(&mut self, to: u32, header: &[u8], payload: Outgoing<'_>) -> bool {
        let ep = match self.endpoint(to) {
            Ok(Some(ep)) => ep,
            Ok(None) => return false,
            Err(why) => {
                self.inbox.lose(to, || why);
                return false;
            }
        };
        let mut sending = self.inbox.sending(to);
        sending.bytes.extend_from_slice(header);
        let (at, len, flags) = match payload {
            Outgoing::Copied(bytes) => {
                sending.bytes.extend_from_slice(bytes);
                (sending.bytes[header.len()..].as_ptr(), bytes.len(), abi::AM_SEND_EAGER)
            }
            Outgoing::Lent { at, len, id } => {
                sending.lent = Some(id);
                (at, len, if len >= RENDEZVOUS_FROM { abi::AM_SEND_RNDV } else { abi::AM_SEND_EAGER })
            }
        };
        let header_at = sending.bytes.as_ptr();
        let sending = Box::into_raw(sending);
        let param = param(RequestCb { send: sent }, sending.cast(), flags);
        // SAFETY: UCX-U2, UCX-U3, UCX-U4; header and payload are `sending`'s, which stays (UCX-U5), or lent (WIRE-W1).
        let begun = unsafe {
            (self.library.am_send)(
                ep,
                MESSAGE,
                header_at.cast(),
                header.len(),
                at.cast(),
                len,
                &raw const param,
            )
        };
        let status = match Begun::of(begun) {
            Begun::Going => {
                self.inbox.began();
                return true;
            }
            Begun::Done => abi::OK,
            Begun::Failed(status) => status,
        };
        // SAFETY: UCX-U3: the callback does not come, so it is ours again.
        self.inbox.gone(unsafe { Box::from_raw(sending) }, status);
        false
    }

    /// # Safety
    /// WIRE-W1; the data are held.
    unsafe fn receive(&self, data: *mut c_void, to: *mut u8, len: usize, id: u64) {
        let receiving = Box::into_raw(Box::new(Receiving { inbox: Rc::as_ptr(&self.inbox), id }));
        let param = param(RequestCb { recv_am: received }, receiving.cast(), 0);
        // SAFETY: UCX-U2, UCX-U3, UCX-U4, WIRE-W1. The data are UCX's again, whatever it returns.
        let begun =
            unsafe { (self.library.am_recv_data)(self.worker, data, to.cast(), len, &raw const param) };
        let done = match Begun::of(begun) {
            Begun::Going => return,
            Begun::Done => true,
            // Its sender is lost, as in `received`.
            Begun::Failed(_) => false,
        };
        // SAFETY: UCX-U3: the callback does not come, so it is ours again.
        drop(unsafe { Box::from_raw(receiving) });
        if done {
            self.inbox.push(Entry::Received(id));
        }
    }

    /// Data that were kept go back to UCX; of a rendezvous, the sender hears that it is done.
    fn release(&self, data: *mut c_void) {
        if !self.worker.is_null() {
            // SAFETY: UCX-U2, UCX-U4: kept by a callback, and taken from the queue or from what is held, so once.
            unsafe { (self.library.am_data_release)(self.worker, data) };
        }
    }

    fn close_broken(&mut self) {
        for pe in self.inbox.broken.take() {
            let Some(peer) = self.peers.get_mut(pe as usize) else { continue };
            if let End::Open(ep) = std::mem::replace(&mut peer.end, End::Lost) {
                self.close(ep);
            }
        }
    }

    /// Whatever the peer does. What has not gone by this endpoint never will.
    fn close(&self, ep: *mut Ep) {
        let inbox = Rc::as_ptr(&self.inbox).cast_mut().cast();
        let param = param(RequestCb { send: closed }, inbox, abi::EP_CLOSE_FORCE);
        // SAFETY: UCX-U2, UCX-U3, UCX-U4: it is not used again.
        let begun = unsafe { (self.library.ep_close)(ep, &raw const param) };
        if let Begun::Going = Begun::of(begun) {
            self.inbox.began();
        }
    }

    fn destroy(&mut self) {
        let worker = std::mem::replace(&mut self.worker, ptr::null_mut());
        if !worker.is_null() {
            self.inbox.closing.set(true);
            // SAFETY: UCX-U2, UCX-U4: the last call on it.
            unsafe { (self.library.worker_destroy)(worker) };
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.destroy();
    }
}

/// The parameters of an operation with a callback.
fn param(cb: RequestCb, argument: *mut c_void, flags: u32) -> RequestParam {
    RequestParam {
        op_attr_mask: abi::OP_CALLBACK | abi::OP_USER_DATA | abi::OP_FLAGS,
        flags,
        request: ptr::null_mut(),
        cb,
        datatype: 0,
        user_data: argument,
        reply_buffer: ptr::null_mut(),
        memory_type: 0,
        recv_info: ptr::null_mut(),
        memh: ptr::null_mut(),
    }
}
