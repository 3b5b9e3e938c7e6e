use shmem_api::{Error, Max, Sum, World};

fn main() -> std::process::ExitCode {
    shmem_api::run(collectives)
}

fn collectives(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());

    // Values: each PE gives one, and every PE has the result.
    let len = 3 + me % 2;
    let longest = world.reduce_one(Max, len);
    let start = world.exscan_one(len); // the lengths of the PEs before this one
    assert_eq!(world.collect_one(start)[0], 0);
    assert_eq!(world.broadcast_one(me, n - 1), n - 1);

    // Objects: element by element, or one PE's after the other's.
    let counts = world.alloc_with(1000, |i| (i * me) as u64)?;
    let mut totals = world.alloc::<u64>(1000)?;
    world.reduce(Sum, &mut totals, &counts);
    assert_eq!(totals[7], 7 * (n * (n - 1) / 2) as u64);

    // Parts that differ in length: this PE gives `len` elements.
    let mut mine = world.alloc_with(longest, |i| (start + i) as u32)?;
    let mut all = world.alloc::<u32>(longest * n)?;
    let (given, _) = mine.parts_mut(len);
    let in_all = world.collect(&mut all, &given);
    assert!(all[..in_all].iter().enumerate().all(|(i, v)| *v == i as u32));

    // Each PE gives each other a block: a transpose.
    let rows = world.alloc_with(n, |column| (10 * me + column) as u32)?;
    let mut columns = world.alloc::<u32>(n)?;
    world.alltoall(&mut columns, &rows);
    assert!(columns.iter().enumerate().all(|(row, v)| *v == (10 * row + me) as u32));
    Ok(())
}
