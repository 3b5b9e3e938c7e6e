//! Put with signal (OpenSHMEM 1.6, 9.9): data, and a word that says that the data is there.
//!
//! ```text
//!   this PE:  copy the data ─► swap or add the word (release) ─► wake the PE if it sleeps
//!   that PE:                    wait, test, fetch (acquire) ─────► the data is there
//! ```
//!
//! The word is changed by a read-modify-write that releases: all that this thread stored before, the copied
//! data first of all, is visible to whoever acquires the new value. On x86-64 stores become visible in
//! their order anyhow (the copy of the C library ends with `sfence` where its stores would not); on a weakly
//! ordered machine the release is the barrier before the word's store.

use std::sync::atomic::Ordering;

use crate::call::{Call, bytes};
use crate::node::hot::HOT;
use crate::raw::rma::SOURCE;
use crate::raw::routines::routines;
use crate::team::contexts::Ctx;
use crate::types::amo::AmoOp;
use crate::types::elem::Elem;

/// The signal is set.
pub const SIGNAL_SET: i32 = 0;
/// The signal is added.
pub const SIGNAL_ADD: i32 = 1;

/// What is done to the word.
#[derive(Clone, Copy)]
enum Op {
    Set,
    Add,
}

routines! {
    /// Copies `n` elements to `dest` on `pe`, then sets the signal `sig` there to `signal` or adds it, as `op` says:
    /// [`SIGNAL_SET`] or [`SIGNAL_ADD`] (`shmem_put_signal`). Whoever sees the signal sees the data; of earlier
    /// puts it says nothing. Returns when `src` may be used again.
    ///
    /// # Safety
    /// As for [`put`](crate::raw::put); `sig` lies in a live object outside the data, is changed by signals only,
    /// and on `pe` no Rust reference to it exists.
    fn put_signal / ctx_put_signal<T: Elem>(
        call, dest: *mut T, src: *const T, n: usize, sig: *mut u64, signal: u64, op: i32, pe: i32,
    ) {
        // Everything is checked before anything is changed.
        let op = op_of(call, op);
        let word = call.amo_target(sig, pe);
        let to = call.target(dest.cast(), bytes::<T>(n), pe);
        call.local(SOURCE, src, n);
        // SAFETY: CALL-V2; RAW-R2 for the source.
        unsafe { to.put_signal(src, n, word, op.of(signal)) }
    }

    /// As [`put_signal`]; `src` is in use until the next quiet (`shmem_put_signal_nbi`).
    ///
    /// # Safety
    /// As there.
    fn put_signal_nbi / ctx_put_signal_nbi<T: Elem>(
        call, dest: *mut T, src: *const T, n: usize, sig: *mut u64, signal: u64, op: i32, pe: i32,
    ) {
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { put_signal(call, dest, src, n, sig, signal, op, pe) }
    }

    /// As [`put_signal`], in bytes (`shmem_putmem_signal`).
    ///
    /// # Safety
    /// As there.
    fn putmem_signal / ctx_putmem_signal(
        call, dest: *mut u8, src: *const u8, n: usize, sig: *mut u64, signal: u64, op: i32, pe: i32,
    ) {
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { put_signal(call, dest, src, n, sig, signal, op, pe) }
    }

    /// As [`put_signal_nbi`], in bytes (`shmem_putmem_signal_nbi`).
    ///
    /// # Safety
    /// As there.
    fn putmem_signal_nbi / ctx_putmem_signal_nbi(
        call, dest: *mut u8, src: *const u8, n: usize, sig: *mut u64, signal: u64, op: i32, pe: i32,
    ) {
        // SAFETY: RAW-R2 and RAW-R3, which our caller has promised.
        unsafe { put_signal(call, dest, src, n, sig, signal, op, pe) }
    }

    /// Adds to the signal `sig` on `pe` (`shmem_signal_add`).
    ///
    /// # Safety
    /// As for [`put_signal`].
    fn signal_add / ctx_signal_add(call, sig: *mut u64, signal: u64, pe: i32) {
        let word = call.amo_target(sig, pe);
        // SAFETY: `amo_target` checked the word.
        unsafe { word.amo_post(AmoOp::Add(signal)) };
    }

    /// Sets the signal `sig` on `pe` (`shmem_signal_set`).
    ///
    /// # Safety
    /// As for [`put_signal`].
    fn signal_set / ctx_signal_set(call, sig: *mut u64, signal: u64, pe: i32) {
        let word = call.amo_target(sig, pe);
        // SAFETY: `amo_target` checked the word.
        unsafe { word.amo_post(AmoOp::Set(signal)) };
    }

    /// This PE's own signal `sig`, as it is now (`shmem_signal_fetch`). What was put with it is visible afterwards.
    ///
    /// # Safety
    /// `sig` lies in a live object, is changed by signals only, and no Rust reference to it exists.
    fn signal_fetch(call, sig: *const u64) -> u64 {
        let word = call.amo_target(sig, HOT.me.load(Ordering::Relaxed) as i32);
        // SAFETY: `amo_target` checked the word.
        unsafe { word.amo(AmoOp::Load) }
    }
}

/// Which operation a number stands for.
#[inline]
fn op_of(call: Call, op: i32) -> Op {
    match op {
        SIGNAL_SET => Op::Set,
        SIGNAL_ADD => Op::Add,
        _ => bad_op(call.routine, call.ctx, op),
    }
}

#[cold]
#[inline(never)]
fn bad_op(call: &'static str, ctx: Ctx, op: i32) -> ! {
    Call::on(call, ctx).fail(&format!(
        "there is no signal operation {op}: it is SHMEM_SIGNAL_SET ({SIGNAL_SET}) or SHMEM_SIGNAL_ADD ({SIGNAL_ADD})"
    ))
}

impl Op {
    #[inline]
    fn of(self, signal: u64) -> AmoOp<u64> {
        match self {
            Op::Set => AmoOp::Set(signal),
            Op::Add => AmoOp::Add(signal),
        }
    }
}
