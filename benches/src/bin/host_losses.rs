//! One kind of call between hosts, over and over, until the job ends: what `scripts/hosts-losses.sh` kills hosts and cuts links in.
//!
//! ```text
//!   host_losses KIND        under a launcher, on two hosts; a line "begins" of PE 0 when the first calls have come through
//!   host_losses kinds       prints their names
//! ```
#![allow(clippy::print_stdout, reason = "it is what the program is for")]
#![allow(unsafe_code, reason = "it calls the routines on pointers")]

use std::process::ExitCode;

use shmem_api::Cmp;
use shmem_api::raw::{self, TeamHandle};

/// Elements of the large transfers: 2 MiB.
const LONG: usize = 1 << 18;
/// Of those that are copied.
const SHORT: usize = 64;
/// Calls before it begins.
const FIRST: u64 = 20;

/// Symmetric arrays, and who calls.
struct Bed {
    src: *mut i64,
    dest: *mut i64,
    words: *mut u64,
    lock: *mut i64,
    me: i32,
    n: i32,
    private: Vec<i64>,
}

type Kind = (&'static str, fn(&mut Bed, u64));

// SAFETY, for all below: the library is up; every PE makes the same calls; the arrays have LONG elements for each of up to four PEs,
// `words` four; bytes that are put or got are read by nobody else, words are changed by atomics and signals only.
const KINDS: [Kind; 15] = [
    ("put", |bed, i| bed.put(1 + i as usize % SHORT)),
    ("put_large", |bed, _| bed.put(LONG)),
    ("iput", |bed, _| {
        // SAFETY: see above.
        unsafe { raw::iput(bed.dest, bed.src, 3, 2, SHORT, bed.far()) };
        quiet();
    }),
    ("get", |bed, i| bed.get(1 + i as usize % SHORT)),
    ("get_large", |bed, _| bed.get(LONG)),
    ("fetch_add", |bed, _| {
        // SAFETY: see above.
        unsafe { raw::atomic_fetch_add(bed.words, 1, bed.far()) };
    }),
    ("add", |bed, _| {
        // SAFETY: see above.
        unsafe { raw::atomic_add(bed.words, 1, bed.far()) };
    }),
    ("put_signal", |bed, i| bed.signal(1 + i as usize % SHORT, i)),
    ("put_signal_large", |bed, i| bed.signal(LONG, i)),
    ("lock", |bed, _| {
        // SAFETY: see above.
        unsafe { raw::set_lock(bed.lock) };
        // SAFETY: see above; it is held.
        unsafe { raw::clear_lock(bed.lock) };
    }),
    ("barrier", |_, _| {
        // SAFETY: see above.
        unsafe { raw::barrier_all() };
    }),
    ("sum", |bed, i| {
        let n = if i.is_multiple_of(2) { 1 } else { LONG };
        // SAFETY: see above.
        unsafe { raw::sum_reduce(TeamHandle::WORLD, bed.dest, bed.src, n) };
    }),
    ("broadcast", |bed, i| {
        let n = if i.is_multiple_of(2) { 1 } else { LONG };
        // SAFETY: see above.
        unsafe { raw::broadcast(TeamHandle::WORLD, bed.dest, bed.src, n, 0) };
    }),
    ("alltoall", |bed, _| {
        // SAFETY: see above.
        unsafe { raw::alltoall(TeamHandle::WORLD, bed.dest, bed.src, LONG) };
    }),
    ("malloc", |_, i| {
        // SAFETY: see above.
        let block = unsafe { raw::malloc(64 + i as usize % 1000) };
        // SAFETY: see above; all PEs free the same.
        _ = unsafe { raw::free(block) };
    }),
];

fn quiet() {
    // SAFETY: see above.
    unsafe { raw::quiet() };
}

impl Bed {
    fn new() -> Bed {
        // SAFETY: one thread, before every other call.
        unsafe { raw::init() };
        let (me, n) = (raw::my_pe(), raw::n_pes());
        // SAFETY: collective.
        let array = |len: usize| unsafe { raw::calloc(len, 8) };
        let [src, dest] = [(); 2].map(|()| array(LONG * n as usize).cast::<i64>());
        let (words, lock) = (array(4).cast(), array(1).cast());
        assert!(!src.is_null() && !dest.is_null(), "no room");
        Bed { src, dest, words, lock, me, n, private: vec![1; LONG] }
    }

    /// The PE on another host that this one has to do with.
    fn far(&self) -> i32 {
        (self.me + self.n / 2) % self.n
    }

    fn put(&self, n: usize) {
        // SAFETY: see above.
        unsafe { raw::put(self.dest, self.private.as_ptr(), n, self.far()) };
        quiet();
    }

    fn get(&mut self, n: usize) {
        let from = self.far();
        // SAFETY: see above.
        unsafe { raw::get(self.private.as_mut_ptr(), self.src, n, from) };
    }

    /// There, and what comes from there.
    fn signal(&self, n: usize, i: u64) {
        let signal = self.words.wrapping_add(1);
        let from = self.private.as_ptr();
        // SAFETY: see above.
        unsafe { raw::put_signal(self.dest, from, n, signal, i, raw::SIGNAL_SET, self.far()) };
        // SAFETY: see above.
        unsafe { raw::signal_wait_until(signal, Cmp::Ge, i) };
    }
}

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    if name == "kinds" {
        KINDS.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    let Some((_, call)) = KINDS.iter().find(|(known, _)| *known == name) else {
        eprintln!("host_losses: it takes a kind of call, or \"kinds\"");
        return ExitCode::FAILURE;
    };
    let mut bed = Bed::new();
    for i in 1.. {
        call(&mut bed, i);
        if i == FIRST && bed.me == 0 {
            println!("begins");
        }
    }
    ExitCode::SUCCESS
}
