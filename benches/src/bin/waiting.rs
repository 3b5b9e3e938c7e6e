//! Locks and waits beside the bare instructions and beside Open MPI's OSHMEM, in rounds of fresh jobs; minima.
//!
//! See [`benches::beside`] for its arguments.
//!
//! | row | plain | ours |
//! |---|---|---|
//! | lock here, lock there | a swap and a compare-swap of the tail | `set_lock`, `clear_lock`; its home is this PE, or the other |
//! | test | a load and a compare | `test` that is true |
//! | wait satisfied | a load and a compare | `wait_until` that need not wait |
//! | ping-pong | swap through the peer's pointer, loop on the own word | `atomic_set`, `wait_until`; there and back |
#![allow(clippy::print_stdout, reason = "it is what the program is for")]
#![allow(unsafe_code, reason = "the calls take pointers")]

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use benches::beside::{self, Failure};
use benches::results::Results;
use shmem_api::{Cmp, World, raw};

/// Where an object of `pe` is here.
#[allow(unsafe_code)]
fn ptr(at: *const u8, pe: i32) -> *mut u8 {
    // SAFETY: the library stays up.
    unsafe { raw::ptr(at, pe) }
}

const ROWS: [&str; 5] = ["lock_here", "lock_there", "test", "wait_satisfied", "ping-pong"];
/// Runs of a contender in a child, and operations of a run.
const RUNS: usize = 300;
const TIMES: i64 = 1000;

fn main() -> ExitCode {
    beside::main("waiting", child, print)
}

fn print(results: &Results) {
    println!("| ns | plain | ours | OSHMEM | ours / plain | ours / OSHMEM |\n|---|---|---|---|---|---|");
    for row in ROWS {
        let [plain, ours, oshmem] = ["plain", "ours", "oshmem"].map(|who| results.least(who, row));
        let over = |by: Option<f64>| ours.zip(by).map(|(ours, by)| ours / by);
        let cells = [plain, ours, oshmem, over(plain), over(oshmem)];
        let shown = cells.map(|cell| cell.map_or("-".to_owned(), |value| format!("{value:.2}")));
        println!("| {} | {} |", row.replace('_', " "), shown.join(" | "));
    }
}

/// A symmetric word of this PE, as the atomic it is.
fn word(at: *mut i64) -> &'static AtomicI64 {
    // SAFETY: mapped as long as the library is up, and only accessed atomically.
    unsafe { AtomicI64::from_ptr(at) }
}

/// Nanoseconds per operation of one run.
fn clock(body: impl FnOnce()) -> f64 {
    let start = Instant::now();
    body();
    start.elapsed().as_secs_f64() * 1e9 / TIMES as f64
}

fn child() -> Result<(), Failure> {
    let world = World::init()?;
    let me = world.pe();
    let other = 1 - me as i32;
    // SAFETY: collective.
    let block = unsafe { raw::malloc(4096) }.cast::<i64>();
    (0..512).for_each(|i| word(block.wrapping_add(i)).store(0, Ordering::Relaxed));
    world.barrier();
    // Which lock has its home where shows when it is held.
    let home_is_here = |lock: *mut i64| {
        // SAFETY: a symmetric lock, zero at first; so for all calls below.
        unsafe { raw::set_lock(lock) };
        let tail = word(lock).load(Ordering::Relaxed) as u32 != 0;
        // SAFETY: as above.
        unsafe { raw::clear_lock(lock) };
        tail
    };
    let locks = || (0..64).map(|i| block.wrapping_add(i));
    if me == 0 {
        let here = locks().find(|lock| home_is_here(*lock)).ok_or("no lock has its home here")?;
        let there = locks().find(|lock| !home_is_here(*lock)).ok_or("no lock has its home there")?;
        let (tail, node) = (word(block.wrapping_add(100)), word(block.wrapping_add(101)));
        let ours = |lock: *mut i64| {
            clock(|| {
                for _ in 0..TIMES {
                    // SAFETY: as above.
                    unsafe { raw::set_lock(lock) };
                    // SAFETY: as above.
                    unsafe { raw::clear_lock(lock) };
                }
            })
        };
        let plain = || {
            clock(|| {
                for _ in 0..TIMES {
                    node.store(1, Ordering::Relaxed);
                    black_box(tail.swap(1, Ordering::AcqRel));
                    let _ = black_box(tail.compare_exchange(1, 0, Ordering::Release, Ordering::Relaxed));
                }
            })
        };
        let five = word(block.wrapping_add(102));
        five.store(5, Ordering::Relaxed);
        let looks = || {
            clock(|| {
                for _ in 0..TIMES {
                    assert!(black_box(five).load(Ordering::Acquire) > 4);
                }
            })
        };
        let tests = || {
            clock(|| {
                for _ in 0..TIMES {
                    // SAFETY: a symmetric variable; so below.
                    assert!(unsafe { raw::test(black_box(five.as_ptr()), Cmp::Gt, 4) });
                }
            })
        };
        let waits = || {
            clock(|| {
                for _ in 0..TIMES {
                    // SAFETY: as above.
                    unsafe { raw::wait_until(black_box(five.as_ptr()), Cmp::Gt, 4) };
                }
            })
        };
        let mut least = [f64::INFINITY; 6];
        for _ in 0..RUNS {
            let now = [plain(), ours(here), ours(there), looks(), tests(), waits()];
            least.iter_mut().zip(now).for_each(|(least, now)| *least = least.min(now));
        }
        let [plain, here, there, looks, tests, waits] = least;
        println!("plain lock_here {plain:.3}\nplain lock_there {plain:.3}");
        println!("ours lock_here {here:.3}\nours lock_there {there:.3}");
        println!("plain test {looks:.3}\nplain wait_satisfied {looks:.3}");
        println!("ours test {tests:.3}\nours wait_satisfied {waits:.3}");
    }
    world.barrier();
    let ball = block.wrapping_add(200);
    let (mine, theirs) = (word(ball), word(ptr(ball.cast(), other).cast()));
    let ours = |first: i64| {
        clock(|| {
            for i in first..first + TIMES {
                if me == 0 {
                    // SAFETY: as above.
                    unsafe { raw::atomic_set(ball, i, other) };
                }
                // SAFETY: as above.
                unsafe { raw::wait_until(ball, Cmp::Ge, i) };
                if me == 1 {
                    // SAFETY: as above.
                    unsafe { raw::atomic_set(ball, i, other) };
                }
            }
        })
    };
    let plain = |first: i64| {
        clock(|| {
            for i in first..first + TIMES {
                if me == 0 {
                    theirs.swap(i, Ordering::AcqRel);
                }
                while mine.load(Ordering::Acquire) < i {
                    std::hint::spin_loop();
                }
                if me == 1 {
                    theirs.swap(i, Ordering::AcqRel);
                }
            }
        })
    };
    let (mut first, mut least) = (1, [f64::INFINITY; 2]);
    for _ in 0..RUNS / 3 {
        for (least, run) in least.iter_mut().zip([&plain as &dyn Fn(i64) -> f64, &ours]) {
            *least = least.min(run(first));
            first += TIMES;
        }
    }
    if me == 0 {
        println!("plain ping-pong {:.3}\nours ping-pong {:.3}", least[0], least[1]);
    }
    world.finalize()?;
    Ok(())
}
