//! Memory between guards, and an engine that looks at what it is given.

use std::time::Duration;

use memheap::PeId;
use parking_lot::Mutex;

use super::world::SECRET;
use crate::memory::copy;
use crate::process::private::{AtomicU64, Ordering};
use crate::transport::far::execute::Memory;
use crate::transport::far::message::{self, LONGEST};
use crate::transport::wire::{Event, Lane, Outgoing, Token, Wire};

/// Of the memory, and of each guard.
pub(super) const WORDS: usize = 512;
pub(super) const COPIED: usize = 1024;
const SILENCE: u64 = 0x5a5a_5a5a_5a5a_5a5a;

/// PE 1's memory, between guards that nobody may touch.
pub(super) struct Guarded(Vec<AtomicU64>);

impl Guarded {
    pub(super) fn new() -> Guarded {
        Guarded((0..3 * WORDS).map(|_| AtomicU64::new(SILENCE)).collect())
    }

    pub(super) fn start(&self) -> *mut u8 {
        self.0[WORDS..].as_ptr().cast_mut().cast()
    }

    /// How many words have been written.
    pub(super) fn written(&self) -> usize {
        let words = &self.0[WORDS..2 * WORDS];
        words.iter().filter(|word| word.load(Ordering::Relaxed) != SILENCE).count()
    }

    pub(super) fn check(&self) {
        let guards = self.0[..WORDS].iter().chain(&self.0[2 * WORDS..]);
        assert!(
            guards.into_iter().all(|word| word.load(Ordering::Relaxed) == SILENCE),
            "a guard was written"
        );
    }
}

// SAFETY: FAR-X4: only what is between the guards, which are atomics and live as long.
unsafe impl Memory for Guarded {
    fn resolve(&self, pe: PeId, at: u64, len: u64, align: u64) -> Option<*mut u8> {
        let fits =
            pe == PeId(1) && len > 0 && at.is_multiple_of(align) && at.checked_add(len)? <= WORDS as u64 * 8;
        fits.then(|| self.start().wrapping_add(at as usize))
    }

    fn ring(&self, pe: PeId) {
        assert_eq!(pe, PeId(1), "no PE of this host");
    }

    fn gone(&self) {}
}

/// An engine that sends nothing, and receives zeroes.
#[derive(Default)]
pub(super) struct Sink {
    /// From there on so many bytes may be written.
    pub(super) allowed: Mutex<Vec<(usize, usize)>>,
    pub(super) received: Mutex<Vec<u64>>,
    pub(super) refused: Mutex<usize>,
    sent: Mutex<usize>,
}

impl Wire for Sink {
    fn describe(&self) -> String {
        String::new()
    }
    fn address(&self) -> Vec<u8> {
        Vec::new()
    }
    fn meet(&self, _: Vec<Vec<u8>>) {}
    fn limits(&self) -> (usize, usize) {
        (LONGEST, COPIED)
    }
    unsafe fn send(&self, to: PeId, lane: Lane, header: &[u8], payload: Outgoing<'_>) {
        assert_eq!((to, lane), (PeId(0), Lane::Replies));
        assert!(message::open(header, SECRET).is_some());
        *self.sent.lock() += 1;
        match payload {
            Outgoing::Copied(bytes) => assert!(bytes.len() <= COPIED),
            Outgoing::Lent { at, len, .. } => assert!(self.may(at, len), "bytes from outside are lent"),
        }
    }
    fn poll(&self, _: Lane, _: &mut dyn FnMut(Event<'_>)) -> usize {
        0
    }
    unsafe fn receive(&self, _: Token, to: *mut u8, len: usize, id: u64) {
        // A batch is received into memory of the server's own.
        if self.may(to, len) || len > COPIED {
            assert!(self.may(to, len), "bytes are to be received outside");
            // SAFETY: WIRE-W1: the receiver gave it, and it is inside.
            unsafe { copy::fill(to, 0, len) };
        }
        self.received.lock().push(id);
    }
    fn refuse(&self, _: Token) {
        *self.refused.lock() += 1;
    }
    fn sleep(&self, _: Lane, _: Duration) {}
    fn wake(&self, _: Lane) {}
    fn close(&self) {}
}

impl Sink {
    /// How many messages were sent.
    pub(super) fn sent(&self) -> usize {
        *self.sent.lock()
    }

    fn may(&self, at: *const u8, len: usize) -> bool {
        self.allowed.lock().iter().any(|&(from, n)| {
            let offset = at.addr().wrapping_sub(from);
            len <= n && offset <= n - len
        })
    }
}
