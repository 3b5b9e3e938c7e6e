//! Statics of the executable as symmetric objects.

use std::sync::atomic::{AtomicU64, Ordering};

use shmem_api::testing::{self, Boot, Launch};
use shmem_api::{Cmp, World, multi_pe, raw, sym_static};

sym_static! {
    /// In `.bss`, in `.data`, and large.
    static ZERO: SymStatic<u64> = 0;
    static SEVEN: SymStatic<i64> = 7;
    static LARGE: SymStatic<[u64; 10_000]> = [0; 10_000];
}
/// An ordinary static with interior mutability, for the raw calls.
static PLAIN: [AtomicU64; 3] = [AtomicU64::new(1), AtomicU64::new(2), AtomicU64::new(3)];

multi_pe! {
    fn statics_can_be_put_got_changed_and_waited_for(world) on [1, 2, 4] {
        let (me, n) = (world.pe(), world.n_pes());
        let (zero, seven, large) = (ZERO.on(world), SEVEN.on(world), LARGE.on(world));
        assert_eq!((zero.read(0), seven.read(0)), (0, 7));
        world.barrier();
        for _ in 0..1000 {
            (0..n).for_each(|pe| zero.add(pe, 0, 1));
        }
        zero.wait_until(0, Cmp::Ge, 1000 * n as u64);
        assert_eq!(zero.read(0), 1000 * n as u64);
        large.put_one((me + 1) % n, 0, [me as u64 + 1; 10_000]);
        world.barrier();
        assert_eq!(large.get_one(me, 0), [((me + n - 1) % n) as u64 + 1; 10_000]);
        assert_eq!(seven.compare_swap((me + 1) % n, 0, 7, me as i64), 7);
    }

    /// Declared inside of a function, with all that may stand before one.
    fn statics_are_items_like_others(world) on [2] {
        sym_static! {
            /// Documented.
            #[doc = concat!("And ", "again.")]
            #[cfg(all())]
            #[allow(dead_code)]
            pub(crate) static HERE: SymStatic<u32> = { const SIX: u32 = 6; SIX + 1 };
            #[cfg(any())]
            static NOWHERE: SymStatic<u32> = 0;
            static RUNG: StaticSignal;
            static TURN: StaticLock;
        }
        let (me, n) = (world.pe(), world.n_pes());
        assert_eq!(HERE.on(world).get_one((me + 1) % n, 0), 7);
        RUNG.on(world).add((me + 1) % n, 1);
        assert_eq!(RUNG.on(world).wait_until(Cmp::Eq, 1), 1);
        drop(TURN.lock(world));
    }

    fn raw_calls_take_statics(world) on [1, 3] {
        let (me, n) = (world.pe(), world.n_pes());
        let at = PLAIN[1].as_ptr().cast::<u8>();
        let value = (me as u64 + 100).to_ne_bytes();
        // SAFETY: PLAIN is a static of atomics, and each PE writes another's.
        #[allow(unsafe_code)]
        unsafe { raw::putmem(at, value.as_ptr(), 8, ((me + 1) % n) as i32) };
        world.barrier();
        assert_eq!(PLAIN[1].load(Ordering::Relaxed), ((me + n - 1) % n) as u64 + 100);
        assert_eq!((PLAIN[0].load(Ordering::Relaxed), PLAIN[2].load(Ordering::Relaxed)), (1, 3));
        let mut got = [0u8; 8];
        // SAFETY: as above.
        #[allow(unsafe_code)]
        unsafe { raw::getmem(got.as_mut_ptr(), at, 8, ((me + 1) % n) as i32) };
        assert_eq!(u64::from_ne_bytes(got), me as u64 + 100);
    }
}

/// One PE's data stays private, since a thread of its keeps running: the others are told so.
#[test]
fn static_data_that_stayed_private_is_named() {
    let test = here!("static_data_that_stayed_private_is_named");
    if testing::is_pe() {
        // On one of the two only.
        if std::process::id() % 2 == 1 {
            std::thread::spawn(|| {
                loop {
                    std::hint::spin_loop();
                }
            });
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
        let world = World::init().unwrap();
        world.barrier();
        ZERO.on(&world).add((world.pe() + 1) % 2, 0, 1);
        world.barrier();
        return world.finalize().map(drop).unwrap();
    }
    // Process numbers follow each other; where another process came in between, both PEs may be alike.
    for _ in 0..20 {
        let outcome = Launch::of_test(test, 2, Boot::Local).run();
        let theirs = outcome.stderr.contains("does not share its static data")
            && outcome.stderr.contains("and has no such static");
        let ours = outcome.stderr.contains("static data is not symmetric here: thread");
        assert!(outcome.status.success() || theirs || ours, "{outcome}");
        assert!(!outcome.stderr.contains("another executable"), "{outcome}");
        if theirs {
            return;
        }
    }
    panic!("in 20 launches no PE told of another");
}
