//! Atomics, signals, order and contexts on PE 1 of one host, each beside the bare instruction it stands for.
//!
//! ```text
//!   plain   the instruction through the peer's pointer, on the same word
//!   ours    the call
//! ```
//!
//! PE 1 sleeps at a barrier meanwhile. Where two rows differ in the plain side only, they show what a choice
//! costs: `set` is an exchange, and could have been a store and a look for sleepers behind a fence, or a
//! store and a look that may miss one.
#![allow(unsafe_code, reason = "the calls take pointers")]

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::*, fence};

use shmem_api::raw;

use crate::transfers::{Row, loops};

/// The peer's word as an atomic.
///
/// # Safety
/// It is a word that is changed atomically only, while the reference lives.
#[inline(always)]
unsafe fn word<'w>(at: *mut u64) -> &'w AtomicU64 {
    // SAFETY: changed atomically only, which the caller vouches for.
    unsafe { AtomicU64::from_ptr(at) }
}

/// What a ring looks at, in this program.
static ASLEEP: AtomicU32 = AtomicU32::new(0);

/// How many atomics a row does between two looks at the clock.
const TIMES: usize = 5_000;

// SAFETY, for all below: the words are those of `Pair`, which only PE 0 touches.

loops! {
    fetch_add_plain |s, i| black_box(word(s.peer).fetch_add(i as u64, AcqRel));
    fetch_add |s, i| black_box(raw::atomic_fetch_add(s.at, i as u64, s.pe));
    fetch_add_ctx |s, i| black_box(raw::ctx_atomic_fetch_add(black_box(raw::Ctx::DEFAULT), s.at, i as u64, s.pe));
    inc_plain |s, _i| word(s.peer).fetch_add(1, AcqRel);
    inc |s, _i| raw::atomic_inc(s.at, s.pe);
    swap_plain |s, i| black_box(word(s.peer).swap(i as u64, AcqRel));
    swap |s, i| black_box(raw::atomic_swap(s.at, i as u64, s.pe));
    cswap_plain |s, i| black_box(word(s.peer).compare_exchange(black_box(0), i as u64, AcqRel, Acquire).is_ok());
    cswap |s, i| black_box(raw::atomic_compare_swap(s.at, black_box(0), i as u64, s.pe) == 0);
    fetch_xor_plain |s, i| black_box(word(s.peer).fetch_xor(i as u64, AcqRel));
    fetch_xor |s, i| black_box(raw::atomic_fetch_xor(s.at, i as u64, s.pe));
    xor_plain |s, i| word(s.peer).fetch_xor(i as u64, AcqRel);
    xor |s, i| raw::atomic_xor(s.at, i as u64, s.pe);
    fetch_plain |s, _i| black_box(word(s.peer).load(Acquire));
    fetch |s, _i| black_box(raw::atomic_fetch(s.at.cast_const(), s.pe));
    exchange |s, i| { word(s.peer).swap(i as u64, AcqRel); black_box(ASLEEP.load(Relaxed)); };
    store_and_look |s, i| { word(s.peer).store(i as u64, Release); black_box(ASLEEP.load(Relaxed)); };
    store_fence_look |s, i| { word(s.peer).store(i as u64, Release); fence(SeqCst); black_box(ASLEEP.load(Relaxed)); };
    set |s, i| raw::atomic_set(s.at, i as u64, s.pe);
    signal_plain |s, i| { s.peer.add(16).write_volatile(s.private.read_volatile()); word(s.peer).swap(i as u64, AcqRel); };
    signal |s, i| raw::put_signal(s.at.add(16), black_box(s.private), 1, s.at, i as u64, raw::SIGNAL_SET, s.pe);
    signal_4k_plain |s, i| { s.peer.add(272).copy_from_nonoverlapping(black_box(s.private), 512); word(s.peer).swap(i as u64, AcqRel); };
    signal_4k |s, i| raw::put_signal(s.at.add(272), black_box(s.private), 512, s.at, i as u64, raw::SIGNAL_SET, s.pe);
    // A locked instruction on a word of our own, as the cheapest full fence that there is.
    quiet_plain |_s, _i| std::arch::asm!("lock or dword ptr [rsp], 0");
    quiet_mfence |_s, _i| std::arch::asm!("mfence");
    quiet |_s, _i| raw::quiet();
    fence_plain |_s, _i| std::arch::asm!("");
    fence_ours |_s, _i| raw::fence();
    contexts |_s, _i| raw::ctx_destroy(black_box(raw::ctx_create(raw::CTX_PRIVATE)));
}

/// All that is measured.
pub const ROWS: &[Row] = &[
    Row { what: "fetch_add", times: TIMES, runs: &[("plain", fetch_add_plain), ("ours", fetch_add)] },
    Row {
        what: "fetch_add on a ctx",
        times: TIMES,
        runs: &[("plain", fetch_add_plain), ("ours", fetch_add_ctx)],
    },
    Row { what: "inc", times: TIMES, runs: &[("plain", inc_plain), ("ours", inc)] },
    Row { what: "swap", times: TIMES, runs: &[("plain", swap_plain), ("ours", swap)] },
    Row { what: "compare_swap", times: TIMES, runs: &[("plain", cswap_plain), ("ours", cswap)] },
    Row { what: "fetch_xor", times: TIMES, runs: &[("plain", fetch_xor_plain), ("ours", fetch_xor)] },
    Row { what: "xor", times: TIMES, runs: &[("plain", xor_plain), ("ours", xor)] },
    Row { what: "fetch", times: TIMES, runs: &[("plain", fetch_plain), ("ours", fetch)] },
    Row { what: "set", times: TIMES, runs: &[("plain", exchange), ("ours", set)] },
    Row { what: "set beside a store", times: TIMES, runs: &[("plain", store_and_look), ("ours", set)] },
    Row {
        what: "set beside store and fence",
        times: TIMES,
        runs: &[("plain", store_fence_look), ("ours", set)],
    },
    Row { what: "put_signal of 8", times: TIMES, runs: &[("plain", signal_plain), ("ours", signal)] },
    Row { what: "put_signal of 4 KiB", times: 500, runs: &[("plain", signal_4k_plain), ("ours", signal_4k)] },
    Row { what: "quiet", times: TIMES, runs: &[("plain", quiet_plain), ("ours", quiet)] },
    Row { what: "quiet beside mfence", times: TIMES, runs: &[("plain", quiet_mfence), ("ours", quiet)] },
    Row { what: "fence", times: TIMES, runs: &[("plain", fence_plain), ("ours", fence_ours)] },
    Row { what: "ctx create and destroy", times: TIMES, runs: &[("plain", quiet_plain), ("ours", contexts)] },
];
