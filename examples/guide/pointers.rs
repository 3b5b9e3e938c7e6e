use shmem_api::{Error, GlobalPtr, World};

fn main() -> std::process::ExitCode {
    shmem_api::run(point)
}

/// Every PE points to a number of its right neighbour; PE 0 goes round by the pointers.
fn point(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let mut numbers = world.alloc_with(10, |i| i as u64)?;
    let mut links = world.alloc_one(GlobalPtr::<u64>::NULL)?;
    world.share((&mut numbers, &mut links), |phase, (numbers, links)| {
        links.write(0, numbers.global((me + 1) % n, me % 10));
        phase.barrier();
        if me == 0 {
            let mut pe = 0;
            for _ in 0..n {
                let link = links.get_one(pe, 0);
                assert_eq!(link.fetch_add(&numbers, 100), pe as u64 % 10);
                (pe, _) = numbers.locate(link).expect("it points to a number");
            }
            assert_eq!(pe, 0, "once round");
            // One PE swings a link if it is still what it was.
            let old = links.fetch(0, 0);
            assert_eq!(links.compare_swap(0, 0, old, GlobalPtr::NULL), old);
        }
    });
    assert_eq!(links.is_null(), me == 0);
    assert_eq!(numbers.iter().filter(|number| **number >= 100).count(), 1);
    Ok(())
}
