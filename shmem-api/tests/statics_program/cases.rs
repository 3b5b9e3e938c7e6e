//! The cases, the static data they are about, and what they look at it with.

use std::cell::UnsafeCell;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

use shmem_api::statics::Statics;

mod alone;
mod forks;
mod others;

/// 100 MB of `.bss`, part of the executable in every case.
const BIG: usize = 100_000_000 / 8;
const ADDS: u64 = 1_000_000;
/// What a peer is told: process, file, size, and the offsets of three statics.
const PEER: &str = "SHMEM_STATICS_PEER";

struct Inner(UnsafeCell<[u64; 4]>);
// SAFETY: each case reads and writes it from one thread.
unsafe impl Sync for Inner {}

static IN_DATA: AtomicU64 = AtomicU64::new(0x0123_4567_89ab_cdef);
static COUNTER: AtomicU64 = AtomicU64::new(0);
static FLAG: AtomicU64 = AtomicU64::new(7);
static INNER: Inner = Inner(UnsafeCell::new([1, 2, 3, 4]));
static LIST: Mutex<Vec<u64>> = Mutex::new(Vec::new());
static ONCE: OnceLock<String> = OnceLock::new();
static LARGE: [AtomicU64; BIG] = [const { AtomicU64::new(0) }; BIG];
static CONSTANT: [u64; 2] = [5, 6];

type Case = (&'static str, fn());

const CASES: &[Case] = &[
    ("values", alone::values),
    ("large_bss", alone::large_bss),
    ("heap", alone::heap),
    ("unwinding", alone::unwinding),
    ("threads", alone::threads),
    ("relro", alone::relro),
    ("again", alone::again),
    ("peer", others::peer),
    ("busy_thread", others::busy_thread),
    ("thread_that_blocks_signals", others::thread_that_blocks_signals),
    ("sleeping_threads", others::sleeping_threads),
    ("waking_threads", others::waking_threads),
    ("forked", forks::forked),
    #[cfg(not(feature = "mpi"))]
    ("forked_after_a_failed_init", forks::forked_after_a_failed_init),
    ("forked_without_memory", forks::forked_without_memory),
    ("forked_by_a_command", forks::forked_by_a_command),
    ("forked_by_a_handler", forks::forked_by_a_handler),
    ("signals", others::signals),
    ("taken", alone::taken),
    ("identity", alone::identity),
];

/// Their names.
pub(crate) const NAMES: &[&str] = &{
    let mut names = [""; CASES.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = CASES[i].0;
        i += 1;
    }
    names
};

/// Runs one, or the other side of one.
pub(crate) fn run(name: &str) {
    if let Ok(told) = std::env::var(PEER) {
        return others::peer_side(&told);
    }
    CASES.iter().find(|case| case.0 == name).expect("a case of this name").1();
}

fn add(to: &AtomicU64, times: u64) {
    for _ in 0..times {
        to.fetch_add(1, Relaxed);
    }
}

fn at<T>(object: &T) -> usize {
    std::ptr::from_ref(object) as usize
}

/// The permissions of the mapping an address lies in.
fn permissions(address: usize) -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let inside = |line: &&str| {
        let (lo, hi) = line.split(' ').next().unwrap().split_once('-').unwrap();
        (usize::from_str_radix(lo, 16).unwrap()..usize::from_str_radix(hi, 16).unwrap()).contains(&address)
    };
    maps.lines().find(inside).unwrap().split(' ').nth(1).unwrap().to_owned()
}

/// That the object is in the shared spans, whole.
fn inside<T>(statics: &Statics, object: &T) -> u64 {
    let found = statics.find(at(object)).expect("a static of the executable is found");
    assert!(found.left.0 >= size_of::<T>() as u64);
    let span = statics.spans()[found.span];
    assert_eq!(at(object) - span.address, (found.offset.0 - span.offset.0) as usize);
    assert_eq!(permissions(at(object)), "rw-s");
    found.offset.0
}

/// Has the command run without address space randomisation.
pub(crate) fn with_fixed_addresses(command: &mut Command) {
    let set = || {
        const ADDR_NO_RANDOMIZE: libc::c_ulong = 0x004_0000;
        // SAFETY: a system call on this process only.
        unsafe { libc::personality(ADDR_NO_RANDOMIZE) };
        Ok(())
    };
    // SAFETY: between fork and exec, one system call is allowed.
    unsafe { command.pre_exec(set) };
}
