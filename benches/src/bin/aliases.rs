//! Put, get and rows of get at every (to - from) mod 4096, beside plain memcpy and beside their own best alignment.
//!
//! `aliases` starts itself on two PEs and prints, per size, GB/s of the best alignment, of the worst, and where that
//! is; `aliases --all` every alignment. Both sides walk on by the same step through 16 KiB (or stay, if they are
//! longer), so that a copy does not run into the stores of the one before it.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]
#![allow(unsafe_code, reason = "the calls take pointers")]

use std::process::{Command, ExitCode};
use std::time::Instant;

use benches::transfers::{Pair, on_pe_0};
use shmem_api::{Error, raw};

/// What is measured; room for both sides of the largest, 4096 apart, is in a `Pair`.
const SIZES: [usize; 9] = [512, 1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20];
const WALK: usize = 16 << 10;
const ROW: usize = 4096;

/// (to - from) mod 4096: every byte near 0, every line elsewhere, and some between.
fn aliases() -> impl Iterator<Item = usize> {
    (0..=64)
        .step_by(4)
        .chain([1, 15, 17, 63, 65])
        .chain((96..4032).step_by(224))
        .chain((4032..4096).step_by(8))
        .chain([4095])
}

/// How one contender copies `n` bytes to `to`, from `from`.
type Copy = fn(pair: &Pair, to: *mut u8, from: *mut u8, n: usize);

fn memcpy(_: &Pair, to: *mut u8, from: *mut u8, n: usize) {
    // SAFETY: `gigabytes` stays inside the two.
    unsafe { to.copy_from_nonoverlapping(std::hint::black_box(from), n) }
}

fn put(pair: &Pair, to: *mut u8, from: *mut u8, n: usize) {
    // SAFETY: `gigabytes` stays inside the two; `to` is this PE's address of a block that PE 1 has, too.
    unsafe { raw::putmem(to, from, n, pair.pe) }
}

fn get(pair: &Pair, to: *mut u8, from: *mut u8, n: usize) {
    // SAFETY: `gigabytes` stays inside the two, the other way round.
    unsafe { raw::getmem(to, from, n, pair.pe) }
}

fn rows(pair: &Pair, to: *mut u8, from: *mut u8, n: usize) {
    // SAFETY: `gigabytes` stays inside the two: rows of 4096 bytes that lie 4096 apart at the one side, twice that at the other.
    unsafe { raw::ibget(to, from, ROW as isize, 2 * ROW as isize, ROW, n / ROW, pair.pe) }
}

/// The best of some runs.
fn gigabytes(pair: &Pair, copy: Copy, [to, from]: [*mut u8; 2], n: usize) -> f64 {
    let times = (1 << 20) / n.max(4096);
    let mut best = 0_f64;
    for _ in 0..12 {
        let start = Instant::now();
        let mut at = 0;
        for _ in 0..times.max(2) {
            copy(pair, to.wrapping_add(at), from.wrapping_add(at), n);
            at += n.next_multiple_of(64) + 64;
            if at + n > WALK {
                at = 0;
            }
        }
        best = best.max((n * times.max(2)) as f64 / start.elapsed().as_nanos() as f64);
    }
    best
}

fn measure(pair: &Pair) {
    let all = std::env::args().any(|arg| arg == "--all");
    let page = |at: *mut u8| at.wrapping_add(at.align_offset(4096));
    let (private, own, peer) = (page(pair.private.cast()), page(pair.at.cast()), page(pair.peer.cast()));
    let half = 8 << 20;
    let contenders: [(&str, Copy, [*mut u8; 2], usize); 5] = [
        ("memcpy to", memcpy, [peer, private], 1),
        ("put", put, [own, private], 1),
        ("memcpy from", memcpy, [private, peer], 1),
        ("get", get, [private, own], 1),
        ("rows of get", rows, [private, own], ROW),
    ];
    println!("| what | bytes | best GB/s | worst GB/s | at | worst / best |\n|---|---|---|---|---|---|");
    for n in SIZES {
        for (what, copy, [to, from], least) in contenders {
            if n < least || !n.is_multiple_of(least) {
                continue;
            }
            let of = |alias: usize| {
                let pair_at = [to.wrapping_add(alias), from];
                assert!(2 * n + alias + WALK < half, "room");
                gigabytes(pair, copy, pair_at, n)
            };
            let figures: Vec<(usize, f64)> = aliases().map(|alias| (alias, of(alias))).collect();
            let best = figures.iter().map(|f| f.1).fold(0.0, f64::max);
            let (at, worst) =
                figures.iter().copied().fold((0, f64::INFINITY), |a, f| if f.1 < a.1 { f } else { a });
            println!("| {what} | {n} | {best:.1} | {worst:.1} | {at} | {:.2} |", worst / best);
            for (alias, figure) in figures.iter().filter(|_| all) {
                println!("    {what} {n} at {alias}: {figure:.1}");
            }
        }
    }
}

fn main() -> Result<ExitCode, Error> {
    if std::env::var_os("SHMEM_LOCAL_PES").is_some() {
        on_pe_0(measure)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut args = std::env::args_os();
    let itself = args.next().unwrap_or_default();
    let status = Command::new(itself).args(args).env("SHMEM_LOCAL_PES", "2").status();
    Ok(if status.is_ok_and(|s| s.success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
