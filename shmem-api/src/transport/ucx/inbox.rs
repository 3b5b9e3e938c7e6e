//! What UCX calls back for: it is put into a queue here, and told later, when UCX is not in the middle of something.
//!
//! ```text
//!   ucp_worker_progress ──► arrived: header and few bytes copied ─┐
//!     (lock of the lane)    sent, received: the number given,     ├─► Queue ──► poll swaps it for an empty one, lets
//!                           or that it failed                     │
//!                           broken: Lost, once per PE             ┘             the lock go, and tells
//! ```
//!
//! A message of several packets, or one that UCX has put into a buffer of its own, is kept there (`Body::Kept`) and given back after
//! it was told. A rendezvous is kept (`held`) until somebody says where its payload is to go, or that nobody wants it.
//!
//! The functions that C calls are `extern "C"`: should one panic, the process ends there.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::ffi::c_void;
use std::ops::Range;
use std::slice;

use super::abi::{AM_RECV_DATA, AM_RECV_RNDV, AmRecvParam, Ep, IN_PROGRESS, OK, Status};
use super::library::Functions;

/// From so many bytes on, what UCX has in a buffer of its own stays there until it is told.
const KEPT_FROM: usize = 1 << 10;
/// So many bytes of a queue stay for the next time.
const QUEUE_STAYS: usize = 256 << 10;
/// So many messages that were sent stay for the next ones, of so many bytes at most.
const SPARE: (usize, usize) = (64, 16 << 10);

/// The argument of a lane's callbacks: UCX-U3.
pub(super) struct Inbox {
    pub(super) library: Functions,
    pub(super) queue: RefCell<Queue>,
    /// Payloads that are still to come, by their tokens: UCX's descriptor, and how many bytes.
    held: RefCell<HashMap<u64, (*mut c_void, usize)>>,
    /// The next one; those of a lane are all even, or all odd.
    next_token: Cell<u64>,
    /// PEs that `Lost` was put into the queue for.
    lost: RefCell<HashSet<u32>>,
    /// Those of them whose endpoints are still to be closed.
    pub(super) broken: RefCell<Vec<u32>>,
    /// Messages and closes whose callback is to come.
    pub(super) pending: Cell<usize>,
    /// Nothing is told any more.
    pub(super) closing: Cell<bool>,
    #[allow(clippy::vec_box)] // UCX-U3: what the library has is the address.
    spare: RefCell<Vec<Box<Sending>>>,
}

/// Events, in order, and the bytes of messages.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) entries: Vec<Entry>,
    pub(super) bytes: Vec<u8>,
}

// SAFETY: UCX-U2: addresses of UCX's buffers, which nobody changes until they are given back.
unsafe impl Send for Queue {}

pub(super) enum Entry {
    Message { header: Range<usize>, body: Body },
    Sent(u64),
    Received(u64),
    Failed(u64, String),
    Lost(u32, String),
}

/// The payload of a message.
pub(super) enum Body {
    /// In the queue's bytes.
    Copied(Range<usize>),
    /// In a buffer of UCX's.
    Kept(*mut c_void, usize),
    /// Still to come: its token.
    Coming(u64, usize),
}

/// A message on its way: the argument of its callback, UCX-U3 and UCX-U4.
pub(super) struct Sending {
    inbox: *const Inbox,
    pub(super) to: u32,
    /// The number of what was lent.
    pub(super) lent: Option<u64>,
    /// Header, and a payload that was copied.
    pub(super) bytes: Vec<u8>,
}

/// A payload on its way: the argument of its callback, UCX-U3.
pub(super) struct Receiving {
    pub(super) inbox: *const Inbox,
    pub(super) id: u64,
}

/// An endpoint: the argument of its error handler, UCX-U3.
pub(super) struct Link {
    pub(super) inbox: *const Inbox,
    pub(super) to: u32,
}

impl Queue {
    fn push_bytes(&mut self, bytes: &[u8]) -> Range<usize> {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        from..self.bytes.len()
    }

    /// Empty, for the next time.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.bytes.clear();
        self.bytes.shrink_to(QUEUE_STAYS);
    }
}

impl Inbox {
    /// `parity`: that of its tokens.
    pub(super) fn new(library: Functions, parity: u64) -> Inbox {
        Inbox {
            library,
            queue: RefCell::default(),
            held: RefCell::default(),
            next_token: Cell::new(parity),
            lost: RefCell::default(),
            broken: RefCell::default(),
            pending: Cell::new(0),
            closing: Cell::new(false),
            spare: RefCell::default(),
        }
    }

    pub(super) fn push(&self, entry: Entry) {
        if !self.closing.get() {
            self.queue.borrow_mut().entries.push(entry);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.borrow().entries.is_empty()
    }

    /// A message or a close is under way.
    pub(super) fn began(&self) {
        self.pending.set(self.pending.get() + 1);
    }

    fn ended(&self, request: *mut c_void) {
        self.pending.set(self.pending.get() - 1);
        self.library.free(request);
    }

    /// A message has come. Whether its data are kept.
    fn message(&self, header: &[u8], data: *mut c_void, len: usize, attr: u64) -> bool {
        if self.closing.get() {
            return false;
        }
        let mut queue = self.queue.borrow_mut();
        let header = queue.push_bytes(header);
        let (body, kept) = if attr & AM_RECV_RNDV != 0 {
            let token = self.next_token.get();
            self.next_token.set(token + 2);
            self.held.borrow_mut().insert(token, (data, len));
            (Body::Coming(token, len), true)
        } else if attr & AM_RECV_DATA != 0 && len >= KEPT_FROM {
            (Body::Kept(data, len), true)
        } else if len == 0 {
            (Body::Copied(0..0), false)
        } else {
            // SAFETY: UCX-U3: of neither kind above, these are the bytes themselves, and readable during the callback.
            let bytes = unsafe { slice::from_raw_parts(data.cast::<u8>(), len) };
            (Body::Copied(queue.push_bytes(bytes)), false)
        };
        queue.entries.push(Entry::Message { header, body });
        kept
    }

    /// What a token stands for, once.
    pub(super) fn take(&self, token: u64) -> Option<(*mut c_void, usize)> {
        self.held.borrow_mut().remove(&token)
    }

    /// All that UCX still keeps for us.
    pub(super) fn take_all(&self) -> Vec<*mut c_void> {
        let kept = self.queue.take().entries.into_iter().filter_map(|entry| match entry {
            Entry::Message { body: Body::Kept(data, _), .. } => Some(data),
            _ => None,
        });
        kept.chain(self.held.take().into_values().map(|(data, _)| data)).collect()
    }

    /// Nothing goes to or comes from that PE any more. Told once.
    pub(super) fn lose(&self, pe: u32, why: impl FnOnce() -> String) {
        if !self.closing.get() && self.lost.borrow_mut().insert(pe) {
            self.broken.borrow_mut().push(pe);
            self.push(Entry::Lost(pe, why()));
        }
    }

    /// A payload has come, or never will. With a status that says which.
    pub(super) fn has_received(&self, id: u64, status: Status) {
        self.push(match status {
            OK => Entry::Received(id),
            status => Entry::Failed(id, format!("a payload did not come: {}", self.library.text(status))),
        });
    }

    /// Room for a message, which knows its inbox, empty.
    pub(super) fn sending(&self, to: u32) -> Box<Sending> {
        let spare = self.spare.borrow_mut().pop();
        let mut sending =
            spare.unwrap_or_else(|| Box::new(Sending { inbox: self, to, lent: None, bytes: Vec::new() }));
        (sending.to, sending.lent) = (to, None);
        sending.bytes.clear();
        sending
    }

    /// A message has gone, or never will. With a status that says which.
    pub(super) fn gone(&self, sending: Box<Sending>, status: Status) {
        match (status, sending.lent) {
            (OK, Some(id)) => self.push(Entry::Sent(id)),
            (OK, None) => {}
            (status, _) => self
                .lose(sending.to, || format!("a message could not be sent: {}", self.library.text(status))),
        }
        let mut spare = self.spare.borrow_mut();
        let (most, bytes) = SPARE;
        if spare.len() < most && sending.bytes.capacity() <= bytes {
            spare.push(sending);
        }
    }
}

/// `ucp_am_recv_callback_t`.
pub(super) unsafe extern "C" fn arrived(
    inbox: *mut c_void,
    header: *const c_void,
    header_len: usize,
    data: *mut c_void,
    len: usize,
    param: *const AmRecvParam,
) -> Status {
    // SAFETY: UCX-U3.
    let inbox = unsafe { &*inbox.cast::<Inbox>() };
    // SAFETY: UCX-U3: valid during the callback.
    let attr = unsafe { (*param).recv_attr };
    let header = match header_len {
        0 => &[],
        // SAFETY: UCX-U3: readable during the callback.
        n => unsafe { slice::from_raw_parts(header.cast::<u8>(), n) },
    };
    if inbox.message(header, data, len, attr) { IN_PROGRESS } else { OK }
}

/// `ucp_send_nbx_callback_t` of a message.
pub(super) unsafe extern "C" fn sent(request: *mut c_void, status: Status, sending: *mut c_void) {
    // SAFETY: UCX-U3: `state` has let go of it, and this is called once.
    let sending = unsafe { Box::from_raw(sending.cast::<Sending>()) };
    // SAFETY: UCX-U3.
    let inbox = unsafe { &*sending.inbox };
    inbox.gone(sending, status);
    inbox.ended(request);
}

/// `ucp_am_recv_data_nbx_callback_t`.
pub(super) unsafe extern "C" fn received(
    request: *mut c_void,
    status: Status,
    _: usize,
    receiving: *mut c_void,
) {
    // SAFETY: UCX-U3: `state` has let go of it, and this is called once.
    let receiving = unsafe { Box::from_raw(receiving.cast::<Receiving>()) };
    // SAFETY: UCX-U3.
    let inbox = unsafe { &*receiving.inbox };
    inbox.has_received(receiving.id, status);
    inbox.library.free(request);
}

/// `ucp_send_nbx_callback_t` of a close.
pub(super) unsafe extern "C" fn closed(request: *mut c_void, _: Status, inbox: *mut c_void) {
    // SAFETY: UCX-U3.
    let inbox = unsafe { &*inbox.cast::<Inbox>() };
    inbox.ended(request);
}

/// `ucp_err_handler_cb_t`.
pub(super) unsafe extern "C" fn broken(link: *mut c_void, _: *mut Ep, status: Status) {
    // SAFETY: UCX-U3.
    let link = unsafe { &*link.cast::<Link>() };
    // SAFETY: UCX-U3.
    let inbox = unsafe { &*link.inbox };
    inbox.lose(link.to, || format!("the connection to its process ended: {}", inbox.library.text(status)));
}
