//! The standard's heap calls on pointers, one test for each of its rules, with both allocators.

#![allow(unsafe_code)]

use shmem_api::memheap::{Align, FreeError};
use shmem_api::testing::{self, Boot, Launch, mix};
use shmem_api::{Error, HeapStats, Near, Reach, World, raw, sym_static};

const HEAP: &str = "24M";

/// Tests whose body runs on several PEs, with each allocator; under MPI, one of them with one.
macro_rules! heap_tests {
    ($($(#[$meta:meta])* fn $name:ident($world:ident) on [$($n:expr),+] $body:block)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            if testing::is_pe() {
                let owned = World::init().unwrap();
                let $world = &owned;
                $body
                owned.finalize().unwrap();
                return;
            }
            for n in [$($n),+] {
                for allocator in ["buddy", "ptmalloc"] {
                    for &boot in if n == 2 && allocator == "buddy" { Boot::all() } else { &[Boot::Local] } {
                        let launch = Launch::of_test(here!(stringify!($name)), n, boot);
                        let launch = launch.env("SHMEM_MEMHEAP", allocator).env("SHMEM_SYMMETRIC_SIZE", HEAP);
                        launch.run().expect_success(&format!("{n} PEs by {boot:?} on {allocator}"));
                    }
                }
            }
        }
    )*};
}

// The calls, for a program of one thread that frees what it has, once, and uses nothing after.
fn malloc(size: usize) -> *mut u8 {
    // SAFETY: as said above.
    unsafe { raw::malloc(size) }
}
fn calloc(count: usize, size: usize) -> *mut u8 {
    // SAFETY: as said above.
    unsafe { raw::calloc(count, size) }
}
fn align(to: usize, size: usize) -> *mut u8 {
    // SAFETY: as said above.
    unsafe { raw::align(to, size) }
}
fn realloc(block: *mut u8, size: usize) -> *mut u8 {
    // SAFETY: as said above.
    unsafe { raw::realloc(block, size) }
}
fn free(block: *mut u8) -> Result<(), Error> {
    // SAFETY: as said above.
    unsafe { raw::free(block) }
}
fn why(freed: Result<(), Error>) -> FreeError {
    match freed {
        Err(Error::Free { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

/// What the bytes of a block hold by the test's account.
fn bytes(mark: u64, pe: usize) -> impl Fn(usize) -> u8 {
    let start = mix(mark, pe as u64) as usize;
    move |i| start.wrapping_add(i * 7 + (i >> 8)) as u8
}
fn fill(block: *mut u8, mark: u64, pe: usize, range: std::ops::Range<usize>) {
    let byte = bytes(mark, pe);
    for i in range {
        // SAFETY: the test's own block, at least as long.
        unsafe { block.wrapping_add(i).write(byte(i)) }
    }
}
fn holds(block: *const u8, mark: u64, pe: usize, n: usize) {
    let byte = bytes(mark, pe);
    // SAFETY: the test's own block, at least as long.
    let wrong = (0..n).find(|&i| unsafe { block.wrapping_add(i).read() } != byte(i));
    assert_eq!(wrong, None, "of {n} bytes");
}
fn zero(block: *const u8, n: usize) -> bool {
    // SAFETY: the test's own block, at least as long.
    (0..n).all(|i| unsafe { block.wrapping_add(i).read() } == 0)
}
fn put(dest: *mut u8, bytes: &[u8], pe: usize) {
    // SAFETY: a live block, and nobody else writes there.
    unsafe { raw::putmem(dest, bytes.as_ptr(), bytes.len(), pe as i32) }
}
fn get(src: *const u8, n: usize, pe: usize) -> Vec<u8> {
    let mut bytes = vec![0; n];
    // SAFETY: a live block, and nobody writes there meanwhile.
    unsafe { raw::getmem(bytes.as_mut_ptr(), src, n, pe as i32) };
    bytes
}

sym_static! {
    static A_STATIC: SymStatic<u64> = 0;
}
fn a_static() -> *mut u8 {
    (&raw const A_STATIC).cast_mut().cast()
}

heap_tests! {
    fn malloc_is_aligned_for_any_type(world) on [1, 2] {
        for size in [1, 2, 3, 7, 8, 15, 16, 17, 100, 4096, 1 << 20] {
            let block = malloc(size);
            assert!(!block.is_null() && block.addr().is_multiple_of(16), "{size}");
            let same = calloc(1, size);
            assert!(!same.is_null() && same.addr().is_multiple_of(16) && zero(same, size), "{size}");
            free(same).unwrap();
            free(block).unwrap();
        }
        assert_eq!(world.heap().figures.live_blocks, 0);
    }

    fn align_takes_every_power_of_two(world) on [1, 2, 3] {
        // SOS's own test of shmem_align goes as far as 8 MiB.
        for log in 0..=23 {
            let block = align(1 << log, 100);
            assert!(!block.is_null() && block.addr().is_multiple_of(1 << log), "{log}");
            free(block).unwrap();
        }
        let before = world.heap();
        for bad in [0, 3, 12, 24, usize::MAX, (1 << 30) + 8] {
            assert!(align(bad, 100).is_null(), "{bad}");
        }
        assert!(align(1 << 40, 100).is_null(), "more than any heap can give");
        assert_eq!(world.heap(), before);
    }

    /// NOTES: calloc zero-fills before the exit barrier: what is put right after it stays.
    fn calloc_is_zero_on_all_pes_before_it_returns_on_any(world) on [1, 2, 4] {
        const LEN: usize = 1 << 20;
        let (me, n) = (world.pe(), world.n_pes());
        for round in 0..40u8 {
            let dirty = malloc(LEN);
            // SAFETY: new, and LEN long.
            unsafe { dirty.write_bytes(0xee, LEN) };
            free(dirty).unwrap();
            let block = calloc(LEN / 16, 16);
            put(block.wrapping_add(LEN - 1 - me), &[round + 1], (me + 1) % n);
            world.barrier();
            assert!(zero(block, LEN - n), "round {round}");
            let from = (me + n - 1) % n;
            assert_eq!(get(block.wrapping_add(LEN - 1 - from), 1, me), [round + 1], "round {round}");
            free(block).unwrap();
        }
    }

    fn calloc_of_more_than_there_can_be_is_null_everywhere(world) on [1, 2, 4] {
        let before = world.heap();
        for (count, size) in [(usize::MAX, 2), (usize::MAX, usize::MAX), (1 << 32, 1 << 32), (3, usize::MAX / 2), (1 << 40, 1)] {
            assert!(calloc(count, size).is_null());
        }
        assert_eq!(world.heap(), before);
        // One PE's product overflows and the other's does not: a difference like any other.
        if world.n_pes() > 1 {
            assert!(if world.pe() == 1 { calloc(1 << 63, 4) } else { calloc(1, 4) }.is_null());
        }
        assert_eq!(world.heap(), before);
        let works = calloc(10, 10);
        assert!(zero(works, 100));
        free(works).unwrap();
    }

    /// NOTES: sizes of 0, free(NULL) and realloc(NULL, 0) do no barrier: each PE may do them before the others come; and
    /// free(NULL) alone.
    fn calls_that_do_nothing_are_no_barrier(world) on [2, 4] {
        let done = calloc(1, 8).cast::<u64>();
        for round in 0..10 {
            let (me, first) = (world.pe(), round % world.n_pes());
            if me != first {
                while u64::from_ne_bytes(get(done.cast(), 8, first).try_into().unwrap()) < round as u64 + 1 {
                    std::thread::yield_now();
                }
            }
            {
                assert!(malloc(0).is_null() && calloc(0, 8).is_null() && calloc(8, 0).is_null());
                assert!(align(64, 0).is_null() && align(3, 0).is_null() && realloc(std::ptr::null_mut(), 0).is_null());
                // SAFETY: no block.
                assert!(unsafe { raw::malloc_with_hints(0, raw::MALLOC_ATOMICS_REMOTE) }.is_null());
            }
            if me == first {
                free(std::ptr::null_mut()).unwrap();
                put(done.cast(), &(round as u64 + 1).to_ne_bytes(), me);
            }
            // Any rendezvous above would have met this one, and differed.
            let block = malloc(16 * (round + 1));
            assert!(!block.is_null());
            free(block).unwrap();
        }
    }

    /// NOTES: the malloc family has an exit barrier, quiet of the default context included; free an entry barrier.
    fn heap_calls_are_barriers(world) on [2, 4] {
        let (me, n) = (world.pe(), world.n_pes());
        let flags = calloc(n, 8).cast::<u64>();
        let mut blocks = Vec::new();
        type Call = fn(&mut Vec<*mut u8>);
        let calls: [Call; 6] = [
            |b| b.push(malloc(100)),
            |b| b.push(calloc(10, 10)),
            |b| b.push(align(256, 10)),
            // SAFETY: as the others.
            |b| b.push(unsafe { raw::malloc_with_hints(64, raw::MALLOC_SIGNAL_REMOTE) }),
            |b| b[0] = realloc(b[0], 1 << 16),
            |b| free(b.pop().unwrap()).unwrap(),
        ];
        for (k, call) in calls.iter().cycle().take(24).enumerate() {
            if me == k % n { std::thread::sleep(std::time::Duration::from_millis(3)) }
            let value = k as u64 + 1;
            for pe in 0..n {
                put(flags.wrapping_add(me).cast(), &value.to_ne_bytes(), pe);
            }
            call(&mut blocks);
            for from in 0..n {
                assert_eq!(get(flags.wrapping_add(from).cast(), 8, me), value.to_ne_bytes(), "call {k} from {from}");
            }
            world.barrier();
        }
        for b in blocks { free(b).unwrap() }
        free(flags.cast()).unwrap();
    }

    /// NOTES: realloc keeps min(old, new) bytes.
    fn realloc_keeps_what_fits(world) on [1, 2, 3, 4, 8] {
        let me = world.pe();
        let mut block = malloc(1000);
        fill(block, 1, me, 0..1000);
        // A neighbour keeps it from growing in place; then it has room; then it shrinks.
        let wall = malloc(64);
        fill(wall, 2, me, 0..64);
        let mut len = 1000;
        let mut moved = 0;
        for (step, size) in [5000, 100, 70_000, 70_001, 1 << 20, 3, 200, 200, 4096, 1].into_iter().enumerate() {
            let now = realloc(block, size);
            assert!(!now.is_null() && now.addr().is_multiple_of(16));
            moved += usize::from(now != block);
            holds(now, step as u64 + 1, me, len.min(size));
            // From the other side, too, and right after the call.
            let next = (me + 1) % world.n_pes();
            let there = get(now, len.min(size).min(64), next);
            let byte = bytes(step as u64 + 1, next);
            assert!(there.iter().enumerate().all(|(i, b)| *b == byte(i)));
            world.barrier();
            fill(now, step as u64 + 2, me, 0..size);
            world.barrier();
            (block, len) = (now, size);
        }
        assert!(moved > 0, "some step must move");
        holds(wall, 2, me, 64);
        assert!(realloc(block, 0).is_null(), "size 0 is free");
        assert!(matches!(why(free(block)), FreeError::NotAllocated { .. }));
        free(wall).unwrap();
        let as_malloc = realloc(std::ptr::null_mut(), 300);
        assert!(!as_malloc.is_null(), "no block is malloc");
        free(as_malloc).unwrap();
        assert_eq!(world.heap().figures.live_blocks, 0);
    }

    /// A fast PE puts into a moved block right after the call; a slow PE's copy must not undo it.
    fn what_is_put_right_after_a_realloc_stays(world) on [2, 4] {
        let (me, n) = (world.pe(), world.n_pes());
        const LEN: usize = 1 << 20;
        for round in 0..30u8 {
            let block = malloc(LEN);
            fill(block, 9, me, 0..LEN);
            let wall = malloc(16);
            let grown = realloc(block, 2 * LEN);
            put(grown.wrapping_add(LEN - 1), &[bytes(9, (me + 1) % n)(LEN - 1) ^ (round | 1)], (me + 1) % n);
            world.barrier();
            holds(grown, 9, me, LEN - 1);
            assert_eq!(get(grown.wrapping_add(LEN - 1), 1, me), [bytes(9, me)(LEN - 1) ^ (round | 1)], "round {round}");
            free(wall).unwrap();
            free(grown).unwrap();
        }
    }

    /// NOTES: on failure the block is untouched and every PE returns NULL.
    fn a_realloc_that_fails_changes_nothing(world) on [1, 2, 4] {
        let me = world.pe();
        let block = malloc(5000);
        fill(block, 3, me, 0..5000);
        let rest = malloc(world.heap().room.largest.0 as usize / 2);
        let before = world.heap();
        for size in [1 << 40, usize::MAX, usize::MAX - 63, world.heap().total.0 as usize] {
            assert!(realloc(block, size).is_null(), "{size}");
        }
        assert_eq!(world.heap(), before);
        holds(block, 3, me, 5000);
        for bad in [block.wrapping_add(16), block.wrapping_add(1), block.wrapping_add(1 << 45), a_static()] {
            assert!(realloc(bad, 100).is_null());
        }
        let mut on_stack = 0u64;
        assert!(realloc((&raw mut on_stack).cast(), 100).is_null());
        if world.n_pes() > 1 {
            // Another size on one PE, another block on one PE, another call on one PE.
            assert!(realloc(block, if me == 1 { 100 } else { 6000 }).is_null());
            assert!(realloc(if me == 1 { rest } else { block }, 6000).is_null());
            assert!(if me == 1 { realloc(block, 6000) } else { malloc(6000) }.is_null());
            assert!(if me == 1 { calloc(1, 6000) } else { malloc(6000) }.is_null());
            assert!(if me == 1 { free(block) } else { free(rest) }.is_err());
        }
        assert_eq!(world.heap(), before);
        holds(block, 3, me, 5000);
        let freed = free(rest).and_then(|()| free(block));
        freed.unwrap();
        assert!(realloc(block, 100).is_null(), "freed before");
        assert_eq!(world.heap().figures.live_blocks, 0);
    }

    fn wrong_frees_say_what_they_are_and_lose_nothing(world) on [1, 2, 4] {
        let block = malloc(1000);
        fill(block, 4, world.pe(), 0..1000);
        let before = world.heap();
        assert!(matches!(why(free(block.wrapping_add(8))), FreeError::Interior { .. }));
        for foreign in [block.wrapping_add(1 << 45), a_static(), (&raw const before).cast_mut().cast()] {
            let FreeError::Foreign { at } = why(free(foreign)) else { panic!("{foreign:p}") };
            assert_eq!(at.0, foreign.addr() as u64, "the line has the address that was given");
        }
        assert_eq!(world.heap(), before);
        holds(block, 4, world.pe(), 1000);
        free(block).unwrap();
        assert!(matches!(why(free(block)), FreeError::NotAllocated { .. }));
    }

    /// NOTES: hints are preserved by a realloc: the block stays in the space its reach asked for.
    fn realloc_stays_in_its_space(world) on [1, 2, 3] {
        let window = |block: *mut u8| block.addr() >> 21;
        for reach in Reach::ALL {
            // SAFETY: the World is up.
            let block = unsafe { raw::alloc(3000, Align::DEFAULT, reach, Near::Any) };
            assert!(!block.is_null(), "{reach}");
            fill(block, 5, world.pe(), 0..3000);
            // SAFETY: as above.
            let wall = unsafe { raw::alloc(100, Align::DEFAULT, reach, Near::Any) };
            let grown = realloc(block, 50_000);
            assert!(!grown.is_null(), "{reach}");
            holds(grown, 5, world.pe(), 3000);
            assert_eq!(window(grown), window(block), "{reach}");
            let shrunk = realloc(grown, 10);
            holds(shrunk, 5, world.pe(), 10);
            assert!(realloc(shrunk, 1 << 40).is_null(), "{reach}");
            free(wall).unwrap();
            free(shrunk).unwrap();
        }
    }

    /// Random calls against a plain list of blocks: contents, alignment, figures, and equal offsets.
    fn any_sequence_of_calls_keeps_every_block(world) on [1, 2, 4] {
        struct Live { at: *mut u8, len: usize, mark: u64 }
        let me = world.pe();
        let mut live: Vec<Live> = Vec::new();
        let mut sum = 0u64;
        let mut refused = 0;
        for step in 0..4000u64 {
            let r = |k: u64| mix(step, k) as usize;
            let len = match r(0) % 20 { 0 => 1 << 20, 1..4 => 50_000, _ => 600 };
            let len = 1 + r(1) % len;
            let pick = r(2) % live.len().max(1);
            let (at, keep) = match r(3) % 10 {
                0..3 => (malloc(len), 0),
                3 => {
                    let at = calloc(len, 1);
                    assert!(at.is_null() || zero(at, len), "step {step}");
                    (at, 0)
                }
                4 => {
                    let to = 8usize << (r(4) % 14);
                    let at = align(to, len);
                    assert_eq!(at.addr() % to, 0);
                    (at, 0)
                }
                5..8 if !live.is_empty() => {
                    let old = &live[pick];
                    let at = realloc(old.at, len);
                    if at.is_null() {
                        holds(old.at, old.mark, me, old.len);
                        refused += 1;
                        continue;
                    }
                    let old = live.swap_remove(pick);
                    let keep = old.len.min(len);
                    holds(at, old.mark, me, keep);
                    (at, keep)
                }
                _ if !live.is_empty() => {
                    let old = live.swap_remove(pick);
                    holds(old.at, old.mark, me, old.len);
                    free(old.at).unwrap();
                    continue;
                }
                _ => continue,
            };
            if at.is_null() { refused += 1; continue }
            assert!(keep <= len && at.addr().is_multiple_of(8));
            fill(at, step, me, 0..len);
            sum = mix(sum, (at.addr() - world.heap_base()) as u64);
            live.push(Live { at, len, mark: step });
            let HeapStats { figures, .. } = world.heap();
            assert_eq!(figures.live_blocks, live.len() as u64);
            assert!(figures.live_bytes.0 >= live.iter().map(|b| b.len as u64).sum(), "step {step}");
            if step % 500 == 0 {
                world.barrier();
                for b in &live {
                    let pe = r(5) % world.n_pes();
                    let there = get(b.at, b.len, pe);
                    let byte = bytes(b.mark, pe);
                    assert!(there.iter().enumerate().all(|(i, x)| *x == byte(i)), "step {step}");
                }
                world.barrier();
            }
        }
        assert!(refused > 0, "the heap is small enough to be full at times");
        live.iter().for_each(|b| holds(b.at, b.mark, me, b.len));
        let mine = world.alloc_one(sum).unwrap();
        assert!(world.share(&mine, |phase, all| (0..phase.n_pes()).all(|pe| all.get_one(pe, 0) == sum)), "equal offsets");
        live.iter().for_each(|b| free(b.at).unwrap());
    }
}

/// At levels 2 and 3 every realloc moves, keeps what it should, and leaves the old block to be watched.
#[test]
fn realloc_of_checked_blocks() {
    let test = here!("realloc_of_checked_blocks");
    if testing::is_pe() {
        let world = World::init().unwrap();
        let me = world.pe();
        let mut block = malloc(100);
        fill(block, 6, me, 0..100);
        for (step, size) in [100, 50, 5000, 4096, 1].into_iter().enumerate() {
            let keep = [100, 100, 50, 5000, 4096][step].min(size);
            let now = realloc(block, size);
            assert_ne!(now, block, "it moves");
            holds(now, 6 + step as u64, me, keep);
            // Exactly as long as asked for: the last byte is the block's, and the old one is freed.
            world.barrier();
            put(now.wrapping_add(size - 1), &[1], (me + 1) % world.n_pes());
            assert!(matches!(why(free(block)), FreeError::NotAllocated { .. }));
            assert!(realloc(block, 10).is_null());
            world.barrier();
            fill(now, 7 + step as u64, me, 0..size);
            block = now;
        }
        let before = world.heap();
        assert!(realloc(block, 1 << 40).is_null());
        assert!(realloc(block.wrapping_sub(64), 10).is_null(), "a zone is no block");
        assert!(free(block.wrapping_sub(64)).is_err(), "nor can it be freed");
        assert_eq!(world.heap(), before);
        let cleared = calloc(100, 3);
        assert!(zero(cleared, 300));
        free(cleared).unwrap();
        if std::env::var_os("SHMEM_TEST_OVERFLOW").is_some() {
            let short = realloc(block, 24);
            // SAFETY: it is not: the byte after the block is the checker's.
            unsafe { short.wrapping_add(24).write(0) };
            realloc(short, 30);
            unreachable!("the job has ended");
        }
        free(block).unwrap();
        assert_eq!(world.finalize().unwrap().blocks, 0);
        return;
    }
    for level in ["2", "3"] {
        for n in [1, 2, 4] {
            let launch = Launch::of_test(test, n, Boot::Local).env("SHMEM_HEAP_CHECK", level);
            launch.run().expect_success(&format!("{n} PEs at level {level}"));
        }
    }
    let overflow =
        Launch::of_test(test, 2, Boot::Local).env("SHMEM_HEAP_CHECK", "2").env("SHMEM_TEST_OVERFLOW", "1");
    let outcome = overflow.run();
    assert!(!outcome.status.success() && !outcome.timed_out, "{outcome}");
    assert!(
        outcome.stderr.contains("heap check: written 1 bytes past the end of the block of 24 B"),
        "{outcome}"
    );
}
