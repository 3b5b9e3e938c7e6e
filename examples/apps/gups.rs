//! Random access (GUPS): every PE changes random words of a table that is spread over all PEs, by atomic
//! exclusive or.
//!
//! ```text
//!   random number r ─► word r mod (words of all PEs) ─► its PE:  word ^= r
//! ```
//!
//! `gups [WORDS] [UPDATES]`, both for each PE. The check: exclusive or undoes itself, so when every PE has made the
//! same updates again, each word must be what it was at first. (HPCC allows one word of a hundred to be wrong,
//! where updates are not atomic; these are, and none may be.)

use std::process::ExitCode;
use std::time::Instant;

use shmem_api::{Error, Max, World};

use examples::{arguments, sum_of_all};

fn main() -> ExitCode {
    shmem_api::run(gups)
}

fn gups(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let (words, updates) = arguments(1usize << 16, 200_000usize);
    assert!(words > 0, "a table has a word at least");
    let first = |at: usize| (me * words + at) as u64;
    let mut table = world.alloc_with(words, first)?;

    let mut update_all = || {
        let mut random = fastrand::Rng::with_seed(0x6095 + me as u64);
        let start = Instant::now();
        world.share(&mut table, |_, table| {
            for _ in 0..updates {
                let r = random.u64(..);
                let at = (r % (words * n) as u64) as usize;
                table.xor(at / words, at % words, r);
            }
        });
        start.elapsed().as_secs_f64()
    };
    let seconds = update_all();
    update_all();

    let wrong = (0..words).filter(|at| table[*at] != first(*at)).count();
    let [wrong] = sum_of_all(world, &[wrong as u64]);
    assert_eq!(wrong, 0, "words of {} that are not what they were", words * n);
    let slowest = world.reduce_one(Max, seconds);
    if me == 0 {
        let rate = (updates * n) as f64 / slowest / 1e9;
        eprintln!(
            "gups: {} updates of {} words by {n} PEs, no error; {rate:.4} GUPS",
            updates * n,
            words * n
        );
    }
    Ok(())
}
