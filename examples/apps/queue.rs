//! A queue that a lock protects: it lives on PE 0, every PE puts numbers in and takes numbers out, and only who holds
//! the lock touches it.
//!
//! ```text
//!   lock ─► head, tail ─► slots[tail mod ROOM] = number, tail + 1     or     slots[head mod ROOM], head + 1
//! ```
//!
//! `queue [NUMBERS]` for each PE. The check: every number comes out once, and those of one PE in the order in which it put
//! them in, for whoever takes two of them.

use std::process::ExitCode;

use shmem_api::{Error, World};

use examples::{arguments, sum_of_all};

/// Numbers the queue has room for: fewer than are put in, so that it is full at times.
const ROOM: usize = 16;
/// The PE the queue lives on.
const HOME: usize = 0;

fn main() -> ExitCode {
    shmem_api::run(queue)
}

fn queue(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let (each, _) = arguments(300usize, 0);
    let lock = world.alloc_lock()?;
    let mut ends = world.alloc::<u64>(2)?;
    let mut slots = world.alloc::<u64>(ROOM)?;

    let mut taken: Vec<u64> = Vec::new();
    world.share((&mut ends, &mut slots), |_, (ends, slots)| {
        let mut put = 0;
        let mut left = each;
        while put < each || left > 0 {
            {
                let _turn = lock.lock();
                let (head, tail) = (ends.get_one(HOME, 0), ends.get_one(HOME, 1));
                if put < each && tail - head < ROOM as u64 {
                    slots.put_one(HOME, tail as usize % ROOM, (me * each + put) as u64);
                    ends.put_one(HOME, 1, tail + 1);
                    put += 1;
                } else if left > 0 && head < tail {
                    taken.push(slots.get_one(HOME, head as usize % ROOM));
                    ends.put_one(HOME, 0, head + 1);
                    left -= 1;
                }
            }
            // Whoever finds nothing to do lets the others at it.
            std::thread::yield_now();
        }
    });

    assert_eq!(taken.len(), each, "PE {me} takes as many as it puts");
    for pe in 0..n {
        let of_pe: Vec<u64> = taken.iter().copied().filter(|v| *v as usize / each == pe).collect();
        assert!(of_pe.is_sorted_by(|a, b| a < b), "PE {me} took PE {pe}'s numbers out of turn: {of_pe:?}");
    }
    let sum = |f: fn(u64) -> u64| taken.iter().fold(0u64, |sum, v| sum.wrapping_add(f(*v)));
    let found = sum_of_all(world, &[taken.len() as u64, sum(|v| v), sum(|v| v.wrapping_mul(v))]);
    let all = (n * each) as u64;
    let square = |v: u64| v.wrapping_mul(v);
    let expected = [all, (0..all).sum(), (0..all).map(square).fold(0, u64::wrapping_add)];
    assert_eq!(found, expected, "count, sum and sum of squares of what came out");
    if me == 0 {
        eprintln!("queue: {all} numbers of {n} PEs went through {ROOM} places, each once");
    }
    Ok(())
}
