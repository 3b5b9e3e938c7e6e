//! A token goes round the ring of PEs a hundred times; every PE adds its number to it. `ring ROUNDS`
//! sends it round more often.
//!
//! Each PE waits for its turn on its own memory, and hands the token on with an atomic set, which also
//! wakes the next PE if it sleeps.

use std::process::ExitCode;

use shmem_api::{Cmp, Error, World};

fn main() -> ExitCode {
    shmem_api::run(ring)
}

fn ring(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let next = (me + 1) % n;
    let rounds: u64 = std::env::args().nth(1).map_or(Ok(100), |r| r.parse()).expect("ROUNDS is a number");
    let mut token = world.alloc_one(0u64)?;
    let mut turn = world.alloc_one(0u64)?;

    world.share((&mut token, &mut turn), |phase, (token, turn)| {
        for round in 1..=rounds {
            if me > 0 || round > 1 {
                // PE 0 begins a round when the token has come back; the others when it arrives.
                let arrived = if me == 0 { round - 1 } else { round };
                turn.wait_until(0, Cmp::Ge, arrived);
            }
            let value = token.read(0);
            token.put_one(next, 0, value + me as u64);
            phase.fence();
            turn.set(next, 0, round);
        }
        if me == 0 {
            turn.wait_until(0, Cmp::Ge, rounds);
        }
    });

    let expected = rounds * (n as u64 * (n as u64 - 1) / 2);
    if me == 0 {
        assert_eq!(*token, expected, "the token's sum");
        eprintln!("ring: {rounds} rounds over {n} PEs, the token is {} as it must be", *token);
    }
    Ok(())
}
