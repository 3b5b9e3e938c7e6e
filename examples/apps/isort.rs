//! Integer sort by bucket exchange, as the ISx benchmark does it: every PE draws keys, sends each to the PE
//! whose range it is in, and sorts what it received.
//!
//! ```text
//!   draw ─► count by range ─► add to each PE's inbox count ─► take room there (fetch-add), put ─► sort
//! ```
//!
//! `isort [weak|strong] [KEYS]`: KEYS for each PE (weak, the default) or for all together (strong).
//! Then it checks that every key is in its PE's range, that the ranges are in order, and that nothing was lost:
//! as many keys as were drawn, with the same sum and the same sum of squares.

use std::process::ExitCode;

use shmem_api::{Error, Max, World};

use examples::{Share, arguments, sum_of_all};

/// Keys are below this.
const KEYS_BELOW: u64 = 1 << 28;

fn main() -> ExitCode {
    shmem_api::run(isort)
}

fn isort(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let (mode, keys) = arguments("weak".to_owned(), 100_000usize);
    let mine = match mode.as_str() {
        "weak" => keys,
        "strong" => Share::of(keys, me, n).len(),
        other => panic!("isort weak|strong KEYS, not {other:?}"),
    };
    let mut random = fastrand::Rng::with_seed(0x15 + me as u64);
    let drawn: Vec<u32> = (0..mine).map(|_| random.u64(..KEYS_BELOW) as u32).collect();

    let mut by_pe: Vec<Vec<u32>> = vec![Vec::new(); n];
    drawn.iter().for_each(|key| by_pe[owner(*key, n)].push(*key));

    let mut coming = world.alloc::<u64>(1)?;
    world.share(&mut coming, |_, coming| {
        for (pe, keys) in by_pe.iter().enumerate() {
            coming.add(pe, 0, keys.len() as u64);
        }
    });
    let received = coming[0] as usize;
    let room = world.reduce_one(Max, coming[0]) as usize;
    let mut taken = world.alloc::<u64>(1)?;
    let mut inbox = world.alloc::<u32>(room)?;
    world.share((&mut taken, &mut inbox), |phase, (taken, inbox)| {
        // Everybody begins with its right neighbour, so that not all write to one PE at a time.
        for pe in (1..=n).map(|i| (me + i) % n) {
            let at = taken.fetch_add(pe, 0, by_pe[pe].len() as u64) as usize;
            phase.batch(|q| q.put(inbox, pe, at, &by_pe[pe]));
        }
    });
    let sorted = &mut inbox[..received];
    sorted.sort_unstable();

    assert!(sorted.iter().all(|key| owner(*key, n) == me), "PE {me} has keys of other ranges");
    let figures = |keys: &[u32]| {
        let sum = |f: fn(u64) -> u64| keys.iter().fold(0u64, |s, k| s.wrapping_add(f(u64::from(*k))));
        [keys.len() as u64, sum(|k| k), sum(|k| k.wrapping_mul(k))]
    };
    let before = sum_of_all(world, &figures(&drawn));
    let after = sum_of_all(world, &figures(sorted));
    assert_eq!(before, after, "count, sum and sum of squares of the keys before and after");
    if me == 0 {
        eprintln!("isort: {} keys of {n} PEs sorted, {mode} scaling", after[0]);
    }
    Ok(())
}

/// The PE in whose range a key is.
fn owner(key: u32, n_pes: usize) -> usize {
    (u64::from(key) * n_pes as u64 / KEYS_BELOW) as usize
}
