//! A worker of UCX and its endpoints, as whoever has the lock of their lane has them.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::ptr;
use std::rc::Rc;
use std::slice;
use std::time::Duration;

use super::abi::{self, AmHandlerParam, Context, Ep, EpParams, RequestCb, RequestParam, Worker, WorkerAttr};
use super::inbox::{Inbox, Link, Receiving, arrived, broken, closed, received, sent};
use super::library::{Begun, Functions};
use crate::transport::wire::Outgoing;

/// The one active message.
const MESSAGE: u32 = 0;
/// From so many bytes on, what is lent goes by rendezvous: from where it is to where it belongs, with a question and an answer before.
/// Below, it is copied by the receiver. (Over tcp on one host, there and back: 64 KiB 96 us by rendezvous, 58 eagerly; 128 KiB 140 and
/// 98; 256 KiB 208 and 180; from 512 KiB on alike. UCX itself would take it from 32 KiB on.)
pub(super) const RENDEZVOUS_FROM: usize = 128 << 10;
/// A poll does not go on longer than this for steps inside UCX that tell nothing.
const STEPS: usize = 8;
/// How often in a row a worker may be too busy to be slept on before its poller pauses all the same, and for how long.
pub(super) const BUSY: (u32, Duration) = (16, Duration::from_micros(100));

/// See above.
pub(super) struct State {
    library: Functions,
    /// Null after the end.
    pub(super) worker: *mut Worker,
    pub(super) inbox: Rc<Inbox>,
    /// Readable when there is something to do, after arming.
    pub(super) readable: RawFd,
    /// By PE; set once.
    peers: Vec<Peer>,
    /// By PE, for the endpoints' error handlers; set once.
    links: Vec<Link>,
    /// Somebody sleeps until there is something to do, or is about to. (Others may poll meanwhile, but not later.)
    pub(super) asleep: bool,
    /// How often in a row arming failed.
    busy: u32,
}

// SAFETY: UCX-U2: whoever has the state has the lock.
unsafe impl Send for State {}

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
pub(super) enum Rest {
    /// Not at all.
    No,
    /// Until there is something.
    Armed,
    /// A little: UCX has things to do that nothing will tell of.
    Pause,
    /// There is no worker any more.
    Ended,
}

impl State {
    /// A worker without peers, and the longest header it takes. `parity`: that of its tokens.
    pub(super) fn open(
        library: Functions,
        context: *mut Context,
        parity: u64,
    ) -> Result<(State, usize), String> {
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
        Ok((state, attr.max_am_header))
    }

    /// The addresses of the lanes that this one sends to, by PE. Once.
    pub(super) fn meet(&mut self, addresses: Vec<Vec<u8>>) {
        assert!(self.peers.is_empty(), "the PEs meet once");
        let inbox = Rc::as_ptr(&self.inbox);
        self.links = (0..addresses.len() as u32).map(|to| Link { inbox, to }).collect();
        self.peers = addresses.into_iter().map(|address| Peer { address, end: End::None }).collect();
    }

    pub(super) fn address(&self) -> Result<Vec<u8>, String> {
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

    pub(super) fn progress(&self) -> u32 {
        // SAFETY: UCX-U2, UCX-U4. Its callbacks borrow what is in the inbox, of which nothing is borrowed here.
        unsafe { (self.library.worker_progress)(self.worker) }
    }

    /// Moves things along.
    pub(super) fn turn(&mut self) {
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

    pub(super) fn rest(&mut self) -> Rest {
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
    pub(super) unsafe fn send(&mut self, to: u32, header: &[u8], payload: Outgoing<'_>) -> bool {
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
    pub(super) unsafe fn receive(&self, data: *mut c_void, to: *mut u8, len: usize, id: u64) {
        let receiving = Box::into_raw(Box::new(Receiving { inbox: Rc::as_ptr(&self.inbox), id }));
        let param = param(RequestCb { recv_am: received }, receiving.cast(), 0);
        // SAFETY: UCX-U2, UCX-U3, UCX-U4, WIRE-W1. The data are UCX's again, whatever it returns.
        let begun =
            unsafe { (self.library.am_recv_data)(self.worker, data, to.cast(), len, &raw const param) };
        let status = match Begun::of(begun) {
            Begun::Going => return,
            Begun::Done => abi::OK,
            Begun::Failed(status) => status,
        };
        // SAFETY: UCX-U3: the callback does not come, so it is ours again.
        drop(unsafe { Box::from_raw(receiving) });
        self.inbox.has_received(id, status);
    }

    /// Data that were kept go back to UCX; of a rendezvous, the sender hears that it is done.
    pub(super) fn release(&self, data: *mut c_void) {
        if !self.worker.is_null() {
            // SAFETY: UCX-U2, UCX-U4: kept by a callback, and taken from the queue or from what is held, so once.
            unsafe { (self.library.am_data_release)(self.worker, data) };
        }
    }

    pub(super) fn close_broken(&mut self) {
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

    /// All connections go.
    pub(super) fn cut(&mut self) {
        for peer in std::mem::take(&mut self.peers) {
            if let End::Open(ep) = peer.end {
                self.close(ep);
            }
        }
    }

    /// The worker goes.
    pub(super) fn destroy(&mut self) {
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
