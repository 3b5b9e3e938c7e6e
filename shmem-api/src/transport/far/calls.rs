//! The calls of the seam as requests.
//!
//! | call | requests | returns |
//! |---|---|---|
//! | put, blocks | `Put`; `PutBlocks` in parts of a batch, or a `Put` for each block that is larger | when the bytes are copied, or sent |
//! | get, blocks | `Get`; `GetBlocks` in parts of a batch, or a `Get` for each block that is larger | when the bytes are there |
//! | atomic | `Amo` with an id; without one if nobody wants what was there | with the value; at once |
//! | put with signal | `PutSignal` | as a put |
#![allow(unsafe_code)]

use memheap::PeId;

use super::Far;
use super::message::{Op, REQUEST, Request};
#[cfg(test)]
use super::mutation::Mutation;
use super::posting::{Post, course};
use super::user::Place;
use crate::process::private::Ordering;
use crate::transport::{FarBlocks, FarTarget};
use crate::types::amo::AmoOp;

/// A request to a target.
fn request(op: Op, to: FarTarget, len: usize) -> Request {
    Request { len: len as u64, ..Request::new(op, course(to.stream), to.pe, to.at) }
}

/// Adds what is to be done to a word.
fn with_amo(request: Request, width: usize, op: AmoOp<u64>) -> Request {
    let (kind, first, second) = op.parts();
    Request { kind, width: width as u8, words: [first, second], ..request }
}

impl Far {
    /// The host of a PE that is far.
    fn host_of(&self, pe: PeId) -> usize {
        match self.hosts.host(pe) {
            Some(host) => host,
            None => unreachable!("TRANSPORT-T1: there is no PE {pe}"),
        }
    }

    /// # Safety
    /// As [`Transport::put`](crate::transport::Transport::put).
    pub(super) unsafe fn put_row(&self, to: FarTarget, from: *const u8, n: usize) {
        if n > 0 {
            let data = Place::row(from.cast_mut(), n);
            // SAFETY: USER-U1 by TRANSPORT-T3, of which the caller made sure; it is only read.
            unsafe { self.post(self.host_of(to.pe), request(Op::Put, to, n), Post::Plain, &data) };
        }
    }

    /// # Safety
    /// As [`Transport::put_blocks`](crate::transport::Transport::put_blocks).
    pub(super) unsafe fn put_strided(&self, to: FarTarget, from: *const u8, blocks: FarBlocks) {
        for (first, blocks) in self.parts(blocks) {
            let [there, here] = blocks.strides;
            let (to, from) = (to.plus(first * there), from.wrapping_add(first * here));
            if blocks.n == 1 {
                // SAFETY: TRANSPORT-T1 and TRANSPORT-T3, of which the caller made sure: this block.
                unsafe { self.put_row(to, from, blocks.len) };
                continue;
            }
            let request = request(Op::PutBlocks, to, blocks.len);
            let request = Request { words: [there as u64, blocks.n as u64], ..request };
            let data = Place::blocks(from.cast_mut(), here, blocks);
            // SAFETY: USER-U1 by TRANSPORT-T3, of which the caller made sure; it is only read.
            unsafe { self.post(self.host_of(to.pe), request, Post::Plain, &data) };
        }
    }

    /// # Safety
    /// As [`Transport::get`](crate::transport::Transport::get).
    pub(super) unsafe fn get_row(&self, to: *mut u8, from: FarTarget, n: usize) {
        if n > 0 {
            let place = Place::row(to, n);
            // SAFETY: FAR-A1 by TRANSPORT-T3, of which the caller made sure: until `fetched`.
            let id = unsafe { self.fetch(request(Op::Get, from, n), place, Post::Fetching) };
            self.fetched(from.pe, &[id], n);
        }
    }

    /// # Safety
    /// As [`Transport::get_blocks`](crate::transport::Transport::get_blocks).
    pub(super) unsafe fn get_strided(&self, to: *mut u8, from: FarTarget, blocks: FarBlocks) {
        let (mut ids, total) = (Vec::new(), blocks.n);
        let [here, there] = blocks.strides;
        for (first, blocks) in self.parts(FarBlocks { strides: [there, here], ..blocks }) {
            let (to, from) = (to.wrapping_add(first * here), from.plus(first * there));
            let (request, place) = match blocks.n {
                1 => (request(Op::Get, from, blocks.len), Place::row(to, blocks.len)),
                n => {
                    let request = request(Op::GetBlocks, from, blocks.len);
                    (Request { words: [there as u64, n as u64], ..request }, Place::blocks(to, here, blocks))
                }
            };
            let last = first + blocks.n == total;
            let post = if last { Post::Fetching } else { Post::Releasing };
            // SAFETY: FAR-A1 by TRANSPORT-T3, of which the caller made sure: until `fetched`.
            ids.push(unsafe { self.fetch(request, place, post) });
        }
        self.fetched(from.pe, &ids, blocks.len * total);
    }

    /// Blocks in parts that can be copied, or of one block; where each begins. `strides` are those there and here.
    fn parts(&self, blocks: FarBlocks) -> impl Iterator<Item = (usize, FarBlocks)> {
        let FarBlocks { strides, len, n } = blocks;
        let (n, len) = if len == 0 { (0, 1) } else { (n, len) };
        // Those that touch are one.
        let (n, len) = if strides == [len, len] && n > 0 { (1, n * len) } else { (n, len) };
        let most = ((self.copied - REQUEST - 8) / len).max(1);
        (0..n).step_by(most).map(move |first| (first, FarBlocks { strides, len, n: most.min(n - first) }))
    }

    /// Asks for bytes.
    ///
    /// # Safety
    /// FAR-A1, until [`fetched`](Self::fetched) has the id.
    unsafe fn fetch(&self, request: Request, place: Place, post: Post) -> u64 {
        let host = self.host_of(request.target);
        // SAFETY: FAR-A1, of which the caller made sure.
        let id = unsafe { self.answers.expect(host, place) };
        // SAFETY: USER-U1: no data.
        unsafe { self.post(host, Request { id, ..request }, post, &Place::nothing()) };
        id
    }

    /// Waits for what was asked of a PE: so many bytes in all.
    fn fetched(&self, pe: PeId, ids: &[u64], bytes: usize) {
        let host = self.host_of(pe);
        // Whoever has no hope for one has none for the others.
        let there = |&id: &u64| self.wait_for(bytes, || self.answers.take(host, id)).is_some();
        if !ids.iter().all(there) {
            ids.iter().for_each(|&id| self.answers.forget(id));
        }
    }

    /// An atomic operation; what was there.
    pub(super) fn amo_fetch(&self, at: FarTarget, width: usize, op: AmoOp<u64>) -> u64 {
        let host = self.host_of(at.pe);
        let id = self.answers.expect_value(host);
        let request = with_amo(Request { id, ..request(Op::Amo, at, 0) }, width, op);
        self.will_ring(at.pe, op);
        // SAFETY: USER-U1: no data.
        unsafe { self.post(host, request, Post::Fetching, &Place::nothing()) };
        let value = self.wait(|| self.answers.take(host, id));
        self.answers.forget(id);
        value.unwrap_or(0)
    }

    /// An atomic operation of which nobody wants to know what was there.
    pub(super) fn post_amo(&self, at: FarTarget, width: usize, op: AmoOp<u64>) {
        self.will_ring(at.pe, op);
        let request = with_amo(request(Op::Amo, at, 0), width, op);
        #[cfg(test)]
        let post = if self.mutation == Mutation::PostUnordered { Post::Plain } else { Post::Releasing };
        #[cfg(not(test))]
        let post = Post::Releasing;
        // SAFETY: USER-U1: no data.
        unsafe { self.post(self.host_of(at.pe), request, post, &Place::nothing()) };
    }

    /// # Safety
    /// As [`Transport::put_signal`](crate::transport::Transport::put_signal).
    pub(super) unsafe fn put_and_signal(
        &self,
        to: FarTarget,
        from: *const u8,
        n: usize,
        signal: FarTarget,
        op: AmoOp<u64>,
    ) {
        let (kind, value, _) = op.parts();
        if n == 0 {
            return self.post_amo(signal, size_of::<u64>(), op);
        }
        self.will_ring(to.pe, op);
        let request = Request { kind, width: 8, words: [signal.at, value], ..request(Op::PutSignal, to, n) };
        let data = Place::row(from.cast_mut(), n);
        // SAFETY: USER-U1 by TRANSPORT-T3, of which the caller made sure; it is only read.
        unsafe { self.post(self.host_of(to.pe), request, Post::Releasing, &data) };
    }

    /// Whoever wakes that PE next need not.
    fn will_ring(&self, pe: PeId, op: AmoOp<u64>) {
        if let (Some(rung), true) = (self.rung.get(pe.0 as usize), op != AmoOp::Load) {
            rung.store(true, Ordering::Release);
        }
    }
}
