//! Global pointers: located exactly, followed safely whatever bits they hold, changed by several PEs.

use shmem_api::memheap::global::GlobalAddr;
use shmem_api::memheap::{Offset, PeId};
use shmem_api::testing::{self, Boot, Launch, mix};
use shmem_api::{GlobalPtr, World, multi_pe};

/// An element of an odd size.
type Triple = [u32; 3];

multi_pe! {
    /// GLOBALPTR-L1: every element of every PE, there and back; and nothing else of any bits near by.
    fn exactly_the_elements_of_the_object_are_located(world) on [1, 2, 3, 8] {
        let _before = world.alloc::<Triple>(5).unwrap();
        let mut a = world.alloc::<Triple>(41).unwrap();
        let n = world.n_pes();
        let start = a.offset();
        world.share(&mut a, |_, a| {
            for pe in 0..n {
                for at in 0..41 {
                    let ptr = a.global(pe, at);
                    assert_eq!(a.locate(ptr), Some((pe, at)));
                    assert_eq!(GlobalPtr::from_bits(ptr.to_bits()), ptr);
                    assert_eq!(ptr.addr().parts(), Some((PeId(pe as u32), Offset(start + 12 * at as u64))));
                }
            }
            for pe in 0..n as u32 + 3 {
                for offset in start.saturating_sub(100)..start + 41 * 12 + 100 {
                    let addr = GlobalAddr::new(PeId(pe), Offset(offset)).unwrap();
                    let found = a.locate(GlobalPtr::from_bits(addr.to_bits()));
                    let inside = (pe as usize) < n && (start..start + 41 * 12).contains(&offset) && (offset - start) % 12 == 0;
                    let expected = inside.then(|| (pe as usize, ((offset - start) / 12) as usize));
                    assert_eq!(found, expected, "{addr}");
                }
            }
            assert_eq!(a.locate(GlobalPtr::NULL), None);
            for i in 0..200_000 {
                let ptr = GlobalPtr::from_bits(mix(i, 0) >> (mix(i, 1) % 64));
                if let Some((pe, at)) = a.locate(ptr) {
                    assert_eq!(a.global(pe, at), ptr);
                }
            }
        });
    }

    /// A part is an object of its own: its pointers mean the same to the whole, but not to the rest.
    fn parts_and_reading_handles_locate_alike(world) on [1, 4] {
        let mut a = world.alloc_with(10, |i| i as u64).unwrap();
        let last = world.n_pes() - 1;
        let (mut low, mut high) = a.parts_mut(4);
        let ptr = world.share((&mut low, &mut high), |_, (low, high)| {
            let ptr = high.global(last, 2);
            assert_eq!((high.locate(ptr), low.locate(ptr)), (Some((last, 2)), None));
            ptr
        });
        world.share(&a, |_, a| {
            assert_eq!((a.locate(ptr), a.global(last, 6)), (Some((last, 6)), ptr));
            assert_eq!(ptr.get(&a), 6);
        });
        drop(a);
    }

    fn every_call_reaches_the_element(world) on [1, 2, 5] {
        let (me, n) = (world.pe(), world.n_pes());
        let next = (me + 1) % n;
        let mut a = world.alloc::<u64>(8).unwrap();
        world.share(&mut a, |phase, a| {
            let ptr = a.global(next, 3);
            ptr.put(&a, 10);
            assert_eq!(ptr.fetch_add(&a, 5), 10);
            ptr.add(&a, 1);
            assert_eq!(ptr.compare_swap(&a, 7, 0), 16, "not swapped");
            assert_eq!(ptr.compare_swap(&a, 16, 20), 16);
            assert_eq!(ptr.swap(&a, 30), 20);
            ptr.set(&a, 31);
            assert_eq!((ptr.fetch(&a), ptr.get(&a)), (31, 31));
            assert_eq!((ptr.fetch_inc(&a), ptr.fetch_and(&a, 0x38)), (31, 32));
            ptr.inc(&a);
            ptr.or(&a, 0x0f);
            assert_eq!((ptr.fetch_or(&a, 0x40), ptr.fetch_xor(&a, 0x4f)), (0x2f, 0x6f));
            ptr.xor(&a, 0xff);
            ptr.and(&a, 0x1f);
            phase.barrier();
            assert_eq!(a.read(3), 31);
        });
        assert!(a.iter().enumerate().all(|(i, v)| *v == if i == 3 { 31 } else { 0 }));
    }

    /// Every PE swings one link on PE 0 as often as the others let it; each swing is seen once.
    fn links_are_swung_by_all_at_once(world) on [1, 2, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let rounds = 2000 / n;
        let mut targets = world.alloc::<u64>(rounds).unwrap();
        let mut link = world.alloc_one(GlobalPtr::<u64>::NULL).unwrap();
        world.share((&mut targets, &mut link), |phase, (targets, link)| {
            for round in 0..rounds {
                let mine = targets.global(me, round);
                let mut seen = link.fetch(0, 0);
                loop {
                    match link.compare_swap(0, 0, seen, mine) {
                        old if old == seen => break,
                        other => seen = other,
                    }
                }
                if !seen.is_null() {
                    seen.add(&targets, 1);
                }
            }
            phase.barrier();
            // The one that nobody has replaced.
            if me == 0 {
                link.swap(0, 0, GlobalPtr::NULL).add(&targets, 1);
                link.set(n - 1, 0, targets.global(0, 0));
            }
            phase.barrier();
            assert_eq!(link.words().get_one(n - 1, 0), targets.global(0, 0).to_bits());
        });
        assert!(targets.iter().all(|seen| *seen == 1));
    }
}

/// What follows a pointer that leads nowhere panics with one line.
#[test]
fn a_pointer_that_leads_nowhere_is_never_followed() {
    let test = here!("a_pointer_that_leads_nowhere_is_never_followed");
    let far = GlobalAddr::new(PeId(7), Offset(0x40)).unwrap().to_bits();
    let cases: [(&str, u64, &str); 4] = [
        ("null", 0, "PE 1: get: the global pointer is null"),
        (
            "stray",
            0x1234,
            "PE 1: get: the global pointer (no byte (0x1234)) points to no element of the object of 4",
        ),
        (
            "no-pe",
            far,
            "PE 1: get: the global pointer (PE 7 + 0x40) points to no element of the object of 4 times 8 B at",
        ),
        ("global", 0, "PE 1: global: no element 4 of an object of 4 on PE 1 of 2"),
    ];
    if testing::is_pe() {
        let world = World::init().unwrap();
        let mut a = world.alloc::<u64>(4).unwrap();
        let case = std::env::var("CASE").unwrap();
        let bits = cases.iter().find(|c| c.0 == case).unwrap().1;
        world.share(&mut a, |phase, a| match phase.pe() {
            1 if case == "global" => _ = a.global(1, 4),
            1 => _ = GlobalPtr::from_bits(bits).get(&a),
            _ => (),
        });
        unreachable!("PE 1 ends the job");
    }
    for (case, _, says) in cases {
        let outcome = Launch::of_test(test, 2, Boot::Local).env("CASE", case).run();
        assert!(!outcome.status.success() && !outcome.timed_out, "{case}: {outcome}");
        assert!(outcome.stderr.lines().any(|l| l.contains(says)), "{case}: {outcome}");
    }
}
