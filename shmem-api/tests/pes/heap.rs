//! Collective heap calls: agreement, divergence, exhaustion, drops, wrong frees.

use shmem_api::memheap::{FreeError, PeId};
use shmem_api::testing::mix;
use shmem_api::{Error, Near, Reach, World, multi_pe, raw};

/// Whether all PEs see the same value.
fn equal_everywhere(world: &World, value: u64) -> bool {
    let mine = world.alloc_one(value).unwrap();
    world.share(&mine, |phase, all| (0..phase.n_pes()).all(|pe| all.get_one(pe, 0) == value))
}

/// A way to have 8 bytes, aligned to 8 or less, and what a line says of it.
type Making = (&'static str, fn(&World) -> Result<(), Error>);

const MAKINGS: [Making; 12] = [
    ("an array of i64,", |world| world.alloc::<i64>(1).map(drop)),
    ("an array of u64,", |world| world.alloc::<u64>(1).map(drop)),
    ("an array of usize,", |world| world.alloc::<usize>(1).map(drop)),
    ("an array of f64,", |world| world.alloc::<f64>(1).map(drop)),
    ("an array of u32,", |world| world.alloc::<u32>(2).map(drop)),
    ("an array of [8 bytes at multiples of 4],", |world| world.alloc::<[u32; 2]>(1).map(drop)),
    ("an array of [8 bytes at multiples of 1],", |world| world.alloc::<[u8; 8]>(1).map(drop)),
    ("one i64,", |world| world.alloc_one(0i64).map(drop)),
    ("one f64,", |world| world.alloc_one(0f64).map(drop)),
    ("a lock,", |world| world.alloc_lock().map(drop)),
    ("a signal,", |world| world.alloc_signal().map(drop)),
    ("signals,", |world| world.alloc_signals(1).map(drop)),
];

multi_pe! {
    /// Size, alignment, reach and history are the same; what it is to be is not.
    fn what_an_object_is_belongs_to_its_allocation(world) on [2, 3] {
        let (me, n) = (world.pe(), world.n_pes());
        let culprit = n - 1;
        for (one, make_one) in MAKINGS {
            for (other, make_other) in MAKINGS {
                let made = if me == culprit { make_other(world) } else { make_one(world) };
                if one == other {
                    made.unwrap();
                    continue;
                }
                let e = made.unwrap_err();
                let Error::Diverged(d) = &e else { panic!("{e}") };
                assert!(d.expected.contains(one) && d.got.contains(other) && d.pe.0 as usize == culprit, "{e}");
            }
        }
        // A block of the calls on pointers is nothing of those, either.
        for (name, make) in MAKINGS {
            if me == culprit {
                // SAFETY: the World is up, in one thread.
                #[allow(unsafe_code)]
                let block = unsafe { raw::malloc(8) };
                assert!(block.is_null());
            } else {
                let e = make(world).unwrap_err();
                assert!(e.to_string().contains(name), "{e}");
            }
        }
        world.reclaim().unwrap();
        assert_eq!(world.heap().figures.live_blocks, 0);
        drop(world.alloc_lock().unwrap().lock());
    }

    fn offsets_are_equal_and_memory_is_zeroed_and_reused(world) on [1, 2, 4, 8] {
        let mut live = Vec::new();
        let mut sum = 0u64;
        for i in 0..400u64 {
            let len = 1 + (mix(i, 0) % 3000) as usize;
            let mut a = world.alloc::<u8>(len).unwrap();
            assert!(a.iter().all(|b| *b == 0), "block {i} is not zeroed");
            assert_eq!(a.as_ptr() as usize % 16, 0);
            a.fill(0xff);
            sum = sum.wrapping_mul(31).wrapping_add(a.offset());
            live.push(a);
            if live.len() > 20 {
                drop(live.swap_remove(mix(i, 1) as usize % 20));
            }
        }
        assert!(equal_everywhere(world, sum));
        drop(live);
        world.reclaim().unwrap();
        assert_eq!(world.heap().figures.live_blocks, 0);
        assert!(world.heap().figures.high_water.0 > 0);
    }

    /// After each injected difference the next thousand calls agree again, on equal offsets.
    fn one_pe_asks_for_something_else(world) on [2, 3, 4] {
        let (me, n) = (world.pe(), world.n_pes());
        for (round, culprit) in (0..n).cycle().take(2 * n).enumerate() {
            let before = world.heap();
            let odd = me == culprit;
            let e = match round % 4 {
                0 => world.alloc::<u8>(if odd { 100 } else { 200 }).map(drop),
                1 => if odd { world.alloc::<u16>(64).map(drop) } else { world.alloc::<u8>(64).map(drop) },
                2 if culprit == 1 => if odd { world.alloc::<u64>(usize::MAX).map(drop) } else { world.alloc::<u64>(4).map(drop) },
                2 => if odd { world.alloc::<[u64; 64]>(2).map(drop) } else { world.reclaim() },
                _ => if odd { world.try_barrier().map_err(Error::from) } else { world.alloc::<u8>(0).map(drop) },
            }.unwrap_err();
            let Error::Diverged(d) = &e else { panic!("{e}") };
            // Of two PEs that differ from each other, the higher is named.
            let named = if n == 2 { 1 } else { culprit };
            assert_eq!((d.pe.0 as usize, d.here.0 as usize), (named, me), "{e}");
            assert_ne!(d.got, d.expected);
            assert_eq!(world.heap(), before, "nothing has changed");
            let mut sum = 0u64;
            for i in 0..1000 {
                let a = world.alloc::<u64>(1 + (i % 50)).unwrap();
                sum = sum.wrapping_mul(31).wrapping_add(a.offset());
            }
            assert!(equal_everywhere(world, sum));
        }
    }

    fn no_room_is_the_same_error_everywhere_and_changes_nothing(world) on [1, 3] {
        let total = world.heap().total.0 as usize;
        let all = world.alloc::<u8>(total).unwrap();
        assert_eq!(all.len(), total, "one block of the whole advertised heap");
        let e = world.alloc::<u8>(1).unwrap_err();
        let text = e.to_string();
        assert!(matches!(e, Error::Alloc { .. }));
        assert!(text.contains("alloc(1 B") && text.contains("raise SHMEM_SYMMETRIC_SIZE"), "{text}");
        drop(all);
        assert!(world.alloc::<u8>(1).is_ok());
        assert!(world.alloc::<u64>(usize::MAX / 4).is_err());
    }

    /// More drops than fit in one showing, and one PE that keeps what the others dropped.
    fn any_number_of_drops_is_freed(world) on [2] {
        let me = world.pe();
        let kept: Vec<_> = (0..70_000).map(|_| world.alloc::<u8>(1).unwrap()).collect();
        let last = world.alloc::<u8>(1 << 20).unwrap();
        let dropped: Vec<_> = (0..70_000).map(|_| world.alloc::<u8>(1).unwrap()).collect();
        let mut kept = Some(kept);
        if me == 0 { kept = None }
        drop((dropped, last));
        world.reclaim().unwrap();
        assert_eq!(world.heap().figures.live_blocks, 70_000, "all that both dropped");
        drop(kept);
        world.reclaim().unwrap();
        assert_eq!(world.heap().figures.live_blocks, 0);
    }

    /// What one PE still holds is not freed, whatever the others dropped.
    fn drops_are_freed_when_every_pe_has_dropped(world) on [2, 4] {
        let me = world.pe();
        let a = world.alloc::<u64>(100).unwrap();
        let b = world.alloc::<u64>(100).unwrap();
        let (at_a, at_b) = (a.offset(), b.offset());
        let mut kept = Some(a);
        if me != 0 { kept = None }
        drop(b);
        world.reclaim().unwrap();
        assert_eq!(world.heap().figures.live_blocks, 1, "only what everybody dropped");
        let c = world.alloc::<u64>(100).unwrap();
        assert_eq!(c.offset(), at_b);
        drop(kept);
        drop(c);
        let d = world.alloc::<u64>(100).unwrap();
        assert!([at_a, at_b].contains(&d.offset()));
        assert_eq!(world.heap().figures.live_blocks, 1);
    }

    /// Every reach has a space of its own; asking for another than the rest is a difference.
    fn reach_chooses_the_space_and_must_be_equal(world) on [1, 2, 4] {
        let me = world.pe();
        let mut spaces = Vec::new();
        for reach in [Reach::World, Reach::Host, Reach::Dma] {
            let mut a = world.alloc_at::<u64>(100, reach, Near::Any).unwrap();
            let next = (me + 1) % world.n_pes();
            world.share(&mut a, |_, a| a.put_one(next, 99, 7 + me as u64));
            assert_eq!(a[99] as usize, 7 + (me + world.n_pes() - 1) % world.n_pes());
            spaces.push(a.offset() >> 21);
        }
        spaces.dedup();
        assert_eq!(spaces.len(), 3, "three windows");
        // Nearness is each PE's own affair: it moves no offset.
        let nears = [Near::Any, Near::Pe(PeId(0)), Near::Numa(0), Near::Interleave];
        for i in 0..4 {
            let a = world.alloc_at::<u8>(100_000, Reach::World, nears[(me + i) % 4]).unwrap();
            assert!(equal_everywhere(world, a.offset()));
        }
        if world.n_pes() > 1 {
            let mine = if me == 1 { Reach::Host } else { Reach::World };
            let e = world.alloc_at::<u8>(8, mine, Near::Any).unwrap_err();
            assert!(matches!(&e, Error::Diverged(d) if d.pe.0 == 1 && d.got.contains("for the PEs of the host")), "{e}");
        }
    }

    /// A space without room falls back where all PEs can agree on it, and nowhere else.
    fn the_host_space_falls_back_to_the_users_and_the_dma_space_does_not(world) on [1, 2] {
        let host = world.alloc_at::<u8>(256 << 20, Reach::Host, Near::Any).unwrap();
        let more = world.alloc_at::<u8>(1 << 20, Reach::Host, Near::Any).unwrap();
        assert!(equal_everywhere(world, more.offset()));
        assert!(host.offset().abs_diff(more.offset()) >= 1 << 20);
        let e = world.alloc_at::<u8>(65 << 20, Reach::Dma, Near::Any).unwrap_err().to_string();
        assert!(e.contains("raise SHMEM_HEAP_DMA_SIZE (now 64 MiB)"), "{e}");
    }

    fn memory_of_one_pe_is_local(world) on [1, 3] {
        let me = world.pe();
        let mut kept = Vec::new();
        // Every PE as often as it likes, without the others.
        for i in 0..me * 10 + 5 {
            let mut own = world.alloc_own::<u32>(1000 + i, Near::Any).unwrap();
            assert!(own.iter().all(|v| *v == 0));
            own.fill(u32::MAX);
            kept.push(own);
        }
        assert!(kept.iter().all(|own| own.iter().all(|v| *v == u32::MAX)));
        let e = world.alloc_own::<u8>(1 << 30, Near::Any).err().unwrap().to_string();
        assert!(e.contains("raise SHMEM_HEAP_PE_SIZE (now 256 MiB)"), "{e}");
        assert_eq!(world.heap().figures.live_blocks, 0);
        drop(kept);
        assert!(world.alloc_own::<u8>(256 << 20, Near::Any).is_ok(), "all of it is free again");
        world.barrier();
    }

    /// A thousand differences at random places of random calls, each found, named, and harmless.
    fn a_thousand_random_differences_are_all_found(world) on [2, 4] {
        let (me, n) = (world.pe() as u64, world.n_pes() as u64);
        let reaches = [Reach::World, Reach::Host, Reach::Dma];
        let mut live = Vec::new();
        for i in 0..1000u64 {
            let culprit = mix(i, 0) % n;
            let odd = u64::from(me == culprit);
            let (mut size, mut reach) = ((1 + mix(i, 1) % 5000) as usize, (mix(i, 2) % 3) as usize);
            match mix(i, 3) % 2 {
                0 => size += (odd * (1 + mix(i, 4) % 100)) as usize,
                _ => reach = (reach + (odd * (1 + mix(i, 4) % 2)) as usize) % 3,
            }
            let e = world.alloc_at::<u8>(size, reaches[reach], Near::Any).unwrap_err();
            let Error::Diverged(d) = &e else { panic!("{i}: {e}") };
            assert_eq!(u64::from(d.pe.0), if n == 2 { 1 } else { culprit }, "{i}: {e}");
            let (size, reach) = ((mix(i, 5) % 3000) as usize, reaches[(mix(i, 6) % 2) as usize]);
            live.push(world.alloc_at::<u8>(size, reach, Near::Any).unwrap());
            if live.len() > 30 {
                live.swap_remove(mix(i, 7) as usize % 30);
            }
        }
        let sum = live.iter().fold(0u64, |sum, a| sum.wrapping_mul(31).wrapping_add(a.offset()));
        assert!(equal_everywhere(world, sum));
    }

    /// Resident memory before and after: freed in bulk, the pages go back to the system.
    fn freed_memory_goes_back_to_the_system(world) on [1, 2] {
        const MIB: usize = 1 << 20;
        let resident = || {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find(|l| l.starts_with("RssShmem:")).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() >> 10
        };
        let before = resident();
        let mut blocks: Vec<_> = (0..12).map(|_| world.alloc::<u8>(32 * MIB).unwrap()).collect();
        blocks.iter_mut().for_each(|b| b.fill(1));
        let full = resident();
        assert!(full >= before + 12 * 32, "{before} MiB, then {full} MiB");
        let kept = blocks.pop();
        drop(blocks);
        world.reclaim().unwrap();
        let after = resident();
        assert!(after < before + 200, "{before} MiB, {full} MiB when full, {after} MiB after the frees");
        assert!(kept.unwrap().iter().all(|b| *b == 1), "what is live is untouched");
        if world.pe() == 0 { eprintln!("resident: {before} MiB, full {full} MiB, freed {after} MiB") }
    }

    fn wrong_frees_are_found_at_the_call_and_change_nothing(world) on [1, 2] {
        let malloc = |size| {
            // SAFETY: the world is up, and there is one thread.
            #[allow(unsafe_code)]
            unsafe { raw::malloc(size) }
        };
        let block = malloc(1000);
        assert!(!block.is_null());
        let other = malloc(64);
        let free = |p: *mut u8| {
            // SAFETY: nobody uses the blocks.
            #[allow(unsafe_code)]
            unsafe { raw::free(p) }
        };
        let why = |r: Result<(), Error>| match r { Err(Error::Free { why, .. }) => why, r => panic!("{r:?}") };
        let before = world.heap();
        assert!(matches!(why(free(block.wrapping_add(8))), FreeError::Interior { .. }));
        assert!(matches!(why(free(block.wrapping_add(1 << 45))), FreeError::Foreign { .. }));
        let mut on_stack = 0u8;
        assert!(matches!(why(free(&raw mut on_stack)), FreeError::Foreign { .. }));
        assert_eq!(world.heap(), before);
        free(block).unwrap();
        assert!(matches!(why(free(block)), FreeError::NotAllocated { .. }));
        assert!(free(std::ptr::null_mut()).is_ok());
        assert!(malloc(0).is_null());
        if world.n_pes() == 2 {
            let mine = if world.pe() == 0 { other } else { other.wrapping_add(16) };
            assert!(matches!(free(mine), Err(Error::Diverged(_))));
        }
        free(other).unwrap();
        assert_eq!(world.heap().figures.live_blocks, 0);
    }

    fn raw_alloc_takes_reach_and_nearness(world) on [1, 2] {
        use shmem_api::memheap::Align;
        for reach in Reach::ALL {
            // A block of this PE only is taken by one PE alone.
            if reach == Reach::Pe && world.pe() == 1 { continue }
            // SAFETY: the world is up, there is one thread, and nobody uses the block.
            #[allow(unsafe_code)]
            let block = unsafe { raw::alloc(1000, Align::PAGE, reach, Near::Any) };
            assert!(!block.is_null() && block.addr().is_multiple_of(4096), "{reach}");
            // SAFETY: as above.
            #[allow(unsafe_code)]
            unsafe { raw::free(block) }.unwrap();
        }
        // SAFETY: as above.
        #[allow(unsafe_code)]
        let hinted = unsafe { raw::malloc_with_hints(64, raw::MALLOC_ATOMICS_REMOTE | raw::MALLOC_SIGNAL_REMOTE) };
        assert!(!hinted.is_null());
        // SAFETY: as above.
        #[allow(unsafe_code)]
        unsafe { raw::free(hinted) }.unwrap();
    }

    fn raw_put_and_get_reach_every_pe(world) on [1, 2, 4] {
        let (me, n) = (world.pe(), world.n_pes());
        assert_eq!((raw::my_pe() as usize, raw::n_pes() as usize), (me, n));
        // SAFETY: the world is up, and there is one thread.
        #[allow(unsafe_code)]
        let block = unsafe { raw::malloc(4096) };
        for len in [0usize, 1, 2, 3, 4, 5, 8, 16, 100] {
            for skew in [0usize, 1, 4] {
                let src: Vec<u8> = (0..len).map(|i| (i + me * 7 + len) as u8).collect();
                let expected = |pe: usize| (0..len).map(|i| (i + pe * 7 + len) as u8).collect::<Vec<u8>>();
                let slot = |pe: usize| block.wrapping_add(pe * 256 + skew);
                for pe in 0..n {
                    // SAFETY: each PE writes a range of its own on every PE.
                    #[allow(unsafe_code)]
                    unsafe { raw::putmem(slot(me), src.as_ptr(), len, pe as i32) };
                }
                world.barrier();
                for pe in 0..n {
                    let mut got = vec![0; len];
                    // SAFETY: written before the barrier, and not after it.
                    #[allow(unsafe_code)]
                    unsafe { raw::getmem(got.as_mut_ptr(), slot(pe), len, ((me + pe) % n) as i32) };
                    assert_eq!(got, expected(pe), "{len} bytes at skew {skew} from PE {pe}");
                }
                world.barrier();
            }
        }
    }
}
