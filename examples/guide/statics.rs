use shmem_api::{Cmp, Error, World, sym_static};

sym_static! {
    static HITS: SymStatic<u64> = 0;
    static LIMITS: SymStatic<[f32; 2]> = [-1.0, 1.0];
    static READY: StaticSignal;
}

fn main() -> std::process::ExitCode {
    shmem_api::run(statics)
}

/// No allocation and no phase: what is static is shared all the time.
fn statics(world: &World) -> Result<(), Error> {
    let n = world.n_pes() as u64;
    assert_eq!(LIMITS.on(world).get_one(0, 0), [-1.0, 1.0]);
    HITS.on(world).inc(0, 0);
    READY.on(world).add(0, 1);
    if world.pe() == 0 {
        READY.on(world).wait_until(Cmp::Eq, n);
        assert_eq!(HITS.on(world).fetch(0, 0), n);
    }
    Ok(())
}
