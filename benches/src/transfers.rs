//! Put and get from PE 0 to PE 1 of one host, each beside the bare copy it stands for.
//!
//! ```text
//!   plain       a store, load or memcpy through the peer's pointer
//!   unchecked   the same, with the pointer found as a put finds it (base of the PE + offset), but nothing checked
//!   ours        the call
//! ```
//!
//! PE 1 sleeps at a barrier meanwhile. Words go round in 4 KiB, so that all that is timed stays in the cache.
#![allow(unsafe_code, reason = "the calls take pointers")]

use std::hint::black_box;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use shmem_api::{Error, World, raw, sym_static};

/// Where an object of `pe` is here.
#[allow(unsafe_code)]
fn ptr(at: *const u8, pe: i32) -> *mut u8 {
    // SAFETY: the library stays up.
    unsafe { raw::ptr(at, pe) }
}

/// The largest transfer.
const LARGEST: usize = 16 << 20;
/// Words that single elements go round in, less one.
const ROUND: usize = 511;
/// Elements of a strided transfer, and blocks of an interleaved one of half as many bytes each as the stride.
const STRIDED: usize = 256;
const BLOCKS: usize = 64;
const BLOCK: usize = 8;

sym_static! {
    static STATIC: SymStatic<[u64; ROUND + 1]> = [0; ROUND + 1];
}

/// What the unchecked contender looks up: as the library has it, in a static.
static LO: AtomicUsize = AtomicUsize::new(0);
static PEERS: AtomicPtr<[*mut u8; 2]> = AtomicPtr::new(std::ptr::null_mut());

/// Both ends of all transfers.
pub struct Pair {
    /// Symmetric.
    pub at: *mut u64,
    /// The same on PE 1, by its address here.
    pub peer: *mut u64,
    /// A static on PE 1, likewise.
    pub(crate) peer_static: *mut u64,
    /// This PE's alone, and as large.
    pub private: *mut u64,
    /// The other PE.
    pub pe: i32,
}

/// One timed loop.
type Run = fn(&Pair, usize);

/// A transfer, and how each contender does it so many times.
pub struct Row {
    /// Its name.
    pub what: &'static str,
    /// Transfers between two looks at the clock.
    pub times: usize,
    /// By contender.
    pub runs: &'static [(&'static str, Run)],
}

impl Row {
    /// Nanoseconds per transfer of each contender: the least of many short runs, taken in turn.
    pub fn least(&self, pair: &Pair, budget: Duration) -> Vec<(&'static str, f64)> {
        let mut least: Vec<_> = self.runs.iter().map(|(who, _)| (*who, f64::INFINITY)).collect();
        let start = Instant::now();
        let mut turns = 0;
        while turns < 8 || start.elapsed() < budget {
            for ((_, run), (_, least)) in self.runs.iter().zip(&mut least) {
                let took = time(pair, *run, self.times);
                *least = least.min(took.as_secs_f64() * 1e9 / self.times as f64);
            }
            turns += 1;
        }
        least
    }
}

/// How long so many transfers take.
pub fn time(pair: &Pair, run: Run, times: usize) -> Duration {
    let start = Instant::now();
    run(pair, times);
    start.elapsed()
}

/// Collective over a job of two PEs: PE 0 measures, PE 1 waits until it has.
///
/// # Errors
/// What the library says.
pub fn on_pe_0(measure: impl FnOnce(&Pair)) -> Result<(), Error> {
    let world: World = World::init()?;
    assert_eq!(world.n_pes(), 2, "start it with SHMEM_LOCAL_PES=2");
    // SAFETY: the World is up, and both PEs ask for the same.
    let at = unsafe { raw::align(4096, LARGEST) };
    assert!(!at.is_null(), "no room for {LARGEST} bytes");
    let mut private = vec![1_u64; LARGEST / 8];
    let mut bases = [at; 2].map(|_| std::ptr::null_mut());
    for (pe, base) in bases.iter_mut().enumerate() {
        *base = ptr(at, pe as i32);
    }
    LO.store(at.addr(), Relaxed);
    PEERS.store(&raw mut bases, Relaxed);
    let in_static = (&raw const STATIC).cast::<u8>();
    let pair = Pair {
        at: at.cast(),
        peer: ptr(at, 1).cast(),
        peer_static: ptr(in_static, 1).cast(),
        private: private.as_mut_ptr(),
        pe: 1,
    };
    if world.pe() == 0 {
        // All pages of both sides are there before anything is timed.
        put::<LARGEST>(&pair, 1);
        get::<LARGEST>(&pair, 1);
        measure(&pair);
    }
    world.barrier();
    // SAFETY: the block from above, which nobody uses any more; both PEs free it.
    unsafe { raw::free(at) }
}

// SAFETY, for all below: `at` on both PEs, `peer` and `private` have LARGEST bytes, statics ROUND + 1 words, and only
// PE 0 touches them; indices stay below these.

macro_rules! loops {
    ($($name:ident $(<const $N:ident>)? |$pair:ident, $i:ident| $body:expr;)*) => {$(
        #[inline(never)]
        fn $name $(<const $N: usize>)? ($pair: &$crate::transfers::Pair, times: usize) {
            // As a program has it: known at run time only.
            let pe = std::hint::black_box($pair.pe);
            let $pair = &$crate::transfers::Pair { pe, ..*$pair };
            for $i in 0..times {
                // SAFETY: see above.
                #[allow(clippy::multiple_unsafe_ops_per_block)]
                unsafe { $body };
            }
        }
    )*};
}
pub(crate) use loops;

/// Where PE `pe` has `at`, by the tables but without a check.
#[inline(always)]
fn unchecked(at: *mut u64, pe: i32) -> *mut u64 {
    let offset = at.addr().wrapping_sub(LO.load(Relaxed));
    let entry = PEERS.load(Relaxed).cast::<*mut u8>().wrapping_add(pe as usize);
    // SAFETY: the table of `on_pe_0`, which has both PEs.
    unsafe { entry.read() }.wrapping_add(offset).cast()
}

loops! {
    p_plain |s, i| s.peer.add(i & ROUND).write_volatile(i as u64);
    p_unchecked |s, i| unchecked(s.at.add(i & ROUND), s.pe).write_volatile(i as u64);
    p |s, i| raw::p(s.at.add(i & ROUND), i as u64, s.pe);
    p_static_plain |s, i| s.peer_static.add(i & ROUND).write_volatile(i as u64);
    p_static |s, i| raw::p((&raw const STATIC).cast_mut().cast::<u64>().add(i & ROUND), i as u64, s.pe);
    put8_plain |s, i| s.peer.add(i & ROUND).write_volatile(s.private.add(i & ROUND).read_volatile());
    put8_unchecked |s, i| unchecked(s.at.add(i & ROUND), s.pe).write_volatile(s.private.add(i & ROUND).read_volatile());
    put8 |s, i| raw::put(s.at.add(i & ROUND), s.private.add(i & ROUND), 1, s.pe);
    put_n |s, i| raw::put(s.at.add(i & ROUND), s.private.add(i & ROUND), black_box(1), s.pe);
    putmem8 |s, i| raw::putmem(s.at.add(i & ROUND).cast(), s.private.add(i & ROUND).cast(), black_box(8), s.pe);
    g_plain |s, i| black_box(s.peer.add(i & ROUND).read_volatile());
    g_unchecked |s, i| black_box(unchecked(s.at.add(i & ROUND), s.pe).read_volatile());
    g |s, i| black_box(raw::g(s.at.add(i & ROUND), s.pe));
    get8_plain |s, i| s.private.add(i & ROUND).write_volatile(s.peer.add(i & ROUND).read_volatile());
    get8_unchecked |s, i| s.private.add(i & ROUND).write_volatile(unchecked(s.at.add(i & ROUND), s.pe).read_volatile());
    get8 |s, i| raw::get(s.private.add(i & ROUND), s.at.add(i & ROUND), 1, s.pe);
    put_plain<const N> |s, _i| s.peer.copy_from_nonoverlapping(black_box(s.private), black_box(N / 8));
    put<const N> |s, _i| raw::put(s.at, black_box(s.private), black_box(N / 8), s.pe);
    get_plain<const N> |s, _i| s.peer.copy_to_nonoverlapping(black_box(s.private), black_box(N / 8));
    get<const N> |s, _i| raw::get(black_box(s.private), s.at, black_box(N / 8), s.pe);
    iput_plain |s, _i| strided(s.peer, black_box(s.private));
    iput |s, _i| raw::iput(s.at, black_box(s.private), black_box(2), black_box(2), black_box(STRIDED), s.pe);
    iget_plain |s, _i| strided(s.private, black_box(s.peer));
    iget |s, _i| raw::iget(s.private, black_box(s.at), black_box(2), black_box(2), black_box(STRIDED), s.pe);
    ibput_plain |s, _i| blocks(s.peer, black_box(s.private));
    ibput |s, _i| raw::ibput(s.at, black_box(s.private), black_box(16), black_box(16), black_box(BLOCK), black_box(BLOCKS), s.pe);
    ibget_plain |s, _i| blocks(s.private, black_box(s.peer));
    ibget |s, _i| raw::ibget(s.private, black_box(s.at), black_box(16), black_box(16), black_box(BLOCK), black_box(BLOCKS), s.pe);
}

/// Each load waits for the one before: what an address costs that is not known ahead.
fn chase(pair: &Pair, times: usize, load: impl Fn(&Pair, usize) -> u64) {
    let mut at = 0;
    for _ in 0..times {
        at = load(pair, at & ROUND) as usize;
    }
    black_box(at);
}

#[inline(never)]
fn chase_plain(pair: &Pair, times: usize) {
    // SAFETY: see above.
    chase(pair, times, |s, i| unsafe { s.peer.wrapping_add(i).read_volatile() });
}

#[inline(never)]
fn chase_unchecked(pair: &Pair, times: usize) {
    // SAFETY: see above.
    chase(pair, times, |s, i| unsafe { unchecked(s.at.wrapping_add(i), s.pe).read_volatile() });
}

#[inline(never)]
fn chase_g(pair: &Pair, times: usize) {
    // SAFETY: see above.
    chase(pair, times, |s, i| unsafe { raw::g(s.at.wrapping_add(i), s.pe) });
}

/// The loop one writes by hand.
///
/// # Safety
/// `2 * STRIDED` words on both sides.
unsafe fn strided(to: *mut u64, from: *const u64) {
    for i in 0..black_box(STRIDED) {
        // SAFETY: inside what the caller vouches for.
        let word = unsafe { from.wrapping_add(2 * i).read() };
        // SAFETY: inside what the caller vouches for.
        unsafe { to.wrapping_add(2 * i).write(word) };
    }
}

/// As [`strided`], with a memcpy per block.
///
/// # Safety
/// `16 * BLOCKS` words on both sides.
unsafe fn blocks(to: *mut u64, from: *const u64) {
    for i in 0..black_box(BLOCKS) {
        let (to, from) = (to.wrapping_add(16 * i), from.wrapping_add(16 * i));
        // SAFETY: inside what the caller vouches for.
        unsafe { to.copy_from_nonoverlapping(from, black_box(BLOCK)) };
    }
}

/// All that is measured.
pub const ROWS: &[Row] = &[
    Row { what: "p", times: 20_000, runs: &[("plain", p_plain), ("unchecked", p_unchecked), ("ours", p)] },
    Row { what: "p to a static", times: 20_000, runs: &[("plain", p_static_plain), ("ours", p_static)] },
    Row {
        what: "put of 8",
        times: 20_000,
        runs: &[("plain", put8_plain), ("unchecked", put8_unchecked), ("ours", put8)],
    },
    Row {
        what: "put of n = 1",
        times: 20_000,
        runs: &[("plain", put8_plain), ("unchecked", put8_unchecked), ("ours", put_n)],
    },
    Row {
        what: "putmem of 8",
        times: 20_000,
        runs: &[("plain", put8_plain), ("unchecked", put8_unchecked), ("ours", putmem8)],
    },
    Row { what: "g", times: 20_000, runs: &[("plain", g_plain), ("unchecked", g_unchecked), ("ours", g)] },
    Row {
        what: "g after g",
        times: 20_000,
        runs: &[("plain", chase_plain), ("unchecked", chase_unchecked), ("ours", chase_g)],
    },
    Row {
        what: "get of 8",
        times: 20_000,
        runs: &[("plain", get8_plain), ("unchecked", get8_unchecked), ("ours", get8)],
    },
    Row { what: "put of 64", times: 5_000, runs: &[("plain", put_plain::<64>), ("ours", put::<64>)] },
    Row { what: "put of 4 KiB", times: 500, runs: &[("plain", put_plain::<4096>), ("ours", put::<4096>)] },
    Row { what: "put of 64 KiB", times: 20, runs: &[("plain", put_plain::<65536>), ("ours", put::<65536>)] },
    Row {
        what: "put of 1 MiB",
        times: 1,
        runs: &[("plain", put_plain::<{ 1 << 20 }>), ("ours", put::<{ 1 << 20 }>)],
    },
    Row {
        what: "put of 16 MiB",
        times: 1,
        runs: &[("plain", put_plain::<LARGEST>), ("ours", put::<LARGEST>)],
    },
    Row { what: "get of 64", times: 5_000, runs: &[("plain", get_plain::<64>), ("ours", get::<64>)] },
    Row { what: "get of 4 KiB", times: 500, runs: &[("plain", get_plain::<4096>), ("ours", get::<4096>)] },
    Row { what: "get of 64 KiB", times: 20, runs: &[("plain", get_plain::<65536>), ("ours", get::<65536>)] },
    Row {
        what: "get of 1 MiB",
        times: 1,
        runs: &[("plain", get_plain::<{ 1 << 20 }>), ("ours", get::<{ 1 << 20 }>)],
    },
    Row {
        what: "get of 16 MiB",
        times: 1,
        runs: &[("plain", get_plain::<LARGEST>), ("ours", get::<LARGEST>)],
    },
    Row { what: "iput of 256", times: 200, runs: &[("plain", iput_plain), ("ours", iput)] },
    Row { what: "iget of 256", times: 200, runs: &[("plain", iget_plain), ("ours", iget)] },
    Row { what: "ibput of 64 x 8", times: 200, runs: &[("plain", ibput_plain), ("ours", ibput)] },
    Row { what: "ibget of 64 x 8", times: 200, runs: &[("plain", ibget_plain), ("ours", ibget)] },
];
