//! The deprecated collectives, on active sets.
#![allow(unsafe_code, reason = "raw calls")]

use crate::bed::{Bed, Moves, Op, Static, Together, Value, check_move, check_reduction};
use shmem_api::raw::active_set::{self as aset, SYNC_SIZE, SYNC_VALUE};
use shmem_api::testing::{self, Boot, Launch};
use shmem_api::{World, multi_pe, raw};

/// Elements, from none to more than any shortcut takes.
const SIZES: [usize; 6] = [0, 1, 5, 130, 1031, 9001];

/// Some PEs of the world, and their `pSync`.
#[derive(Clone, Copy, Debug)]
struct Set {
    start: i32,
    log_stride: i32,
    size: i32,
    psync: *mut i64,
}

/// `pSync`s of the executable.
static PSYNC: Static<{ 8 * SYNC_SIZE * 4 }> = Static::new();

fn static_psync(i: usize) -> *mut i64 {
    PSYNC.at().cast::<i64>().wrapping_add(i * SYNC_SIZE)
}

/// A `pSync` on the heap; collective.
fn heap_psync() -> *mut i64 {
    // SAFETY: the World is up; every PE calls.
    let at = unsafe { raw::malloc(8 * SYNC_SIZE) }.cast::<i64>();
    for i in 0..SYNC_SIZE {
        // SAFETY: inside the block just made.
        unsafe { at.wrapping_add(i).write(SYNC_VALUE) };
    }
    at
}

fn free_psync(at: *mut i64) {
    // SAFETY: made by `heap_psync`, and used by nobody any more.
    unsafe { raw::free(at.cast()) }.expect("the pSync is freed");
}

/// All sets that `n` PEs have, up to some.
fn sets(n: usize, psyncs: [*mut i64; 2]) -> Vec<Set> {
    let shapes = [
        (0, 0, n),
        (0, 1, n.div_ceil(2)),
        (1, 0, n - 1),
        (1, 1, n / 2),
        (n - 1, 0, 1),
        (0, 2, n.div_ceil(4)),
    ];
    let some = shapes.into_iter().filter(|(_, _, size)| *size > 0);
    let set = |(i, (start, log_stride, size))| Set {
        start: start as i32,
        log_stride,
        size: size as i32,
        psync: psyncs[i % 2],
    };
    some.enumerate().map(set).collect()
}

impl Together for Set {
    fn pes(&self) -> Vec<usize> {
        (0..self.size).map(|i| (self.start + (i << self.log_stride)) as usize).collect()
    }
    fn root_gets_it(&self) -> bool {
        false
    }
    fn broadcast<T: Value>(&self, dest: *mut T, src: *const T, n: usize, root: usize) {
        let &Set { start, log_stride, size, psync } = self;
        // SAFETY: the bed's arrays; every member calls.
        unsafe { aset::broadcast(dest, src, n, root as i32, start, log_stride, size, psync) }
    }
    fn collect<T: Value>(&self, dest: *mut T, src: *const T, n: usize) {
        let &Set { start, log_stride, size, psync } = self;
        // SAFETY: the bed's arrays.
        unsafe { aset::collect(dest, src, n, start, log_stride, size, psync) }
    }
    fn fcollect<T: Value>(&self, dest: *mut T, src: *const T, n: usize) {
        let &Set { start, log_stride, size, psync } = self;
        // SAFETY: the bed's arrays.
        unsafe { aset::fcollect(dest, src, n, start, log_stride, size, psync) }
    }
    fn alltoall<T: Value>(&self, dest: *mut T, src: *const T, n: usize) {
        let &Set { start, log_stride, size, psync } = self;
        // SAFETY: the bed's arrays.
        unsafe { aset::alltoall(dest, src, n, start, log_stride, size, psync) }
    }
    fn alltoalls<T: Value>(&self, dest: *mut T, src: *const T, dst: usize, sst: usize, n: usize) {
        let &Set { start, log_stride, size, psync } = self;
        let (dst, sst) = (dst as isize, sst as isize);
        // SAFETY: the bed's arrays.
        unsafe { aset::alltoalls(dest, src, dst, sst, n, start, log_stride, size, psync) }
    }
}

impl Set {
    fn barrier(&self) {
        // SAFETY: every member calls.
        unsafe { aset::barrier(self.start, self.log_stride, self.size, self.psync) }
    }

    fn has(&self, pe: usize) -> bool {
        self.pes().contains(&pe)
    }

    /// This PE's copy is as it was before the call.
    fn assert_restored(&self) {
        for i in 0..SYNC_SIZE {
            // SAFETY: inside the array; no call uses it.
            let word = unsafe { self.psync.wrapping_add(i).read_volatile() };
            assert_eq!(word, SYNC_VALUE, "pSync[{i}] of {self:?}");
        }
    }
}

fn every_move(world: &World, bed: &mut Bed, set: &Set) {
    macro_rules! each {
        ([$($size:tt)*]) => {$(
            for what in Moves::ALL {
                for n in SIZES {
                    check_move::<shmem_api::c_type!($size)>(bed, set, what, n, &|| world.barrier());
                    // Before anybody has begun the next.
                    set.assert_restored();
                    world.barrier();
                }
            }
        )*};
    }
    each!([32 64]);
}

fn every_reduction(world: &World, bed: &mut Bed, set: &Set) {
    let &Set { start, log_stride, size, psync } = set;
    macro_rules! each {
        ([$($name:ident)*] $call:ident $op:ident) => {$({
            type T = shmem_api::c_type!($name);
            for n in SIZES {
                check_reduction::<T>(
                    bed, set, (stringify!($call), n),
                    // SAFETY: the bed's arrays; every member calls. pWrk is not used.
                    &|dest, src, n| unsafe {
                        aset::$call(dest, src, n as i32, start, log_stride, size, std::ptr::null_mut(), psync)
                    },
                    &|seed, pes, _, i| Op::$op.of_all(seed, pes, i),
                    &|| world.barrier(),
                );
                set.assert_restored();
                world.barrier();
            }
        })*};
    }
    shmem_api::type_table!(aset_bitwise => each, and_to_all And);
    shmem_api::type_table!(aset_bitwise => each, or_to_all Or);
    shmem_api::type_table!(aset_bitwise => each, xor_to_all Xor);
    shmem_api::type_table!(aset_minmax => each, max_to_all Max);
    shmem_api::type_table!(aset_minmax => each, min_to_all Min);
    shmem_api::type_table!(aset_arith => each, sum_to_all Sum);
    shmem_api::type_table!(aset_arith => each, prod_to_all Prod);
}

multi_pe! {
    /// Every routine and type on sets of every shape; what a call leaves in `pSync` is what it found.
    fn every_collective_on_sets_of_every_shape(world) on [1, 2, 3, 4, 7, 8] {
        let mut bed = Bed::new(world);
        let heap = heap_psync();
        for set in sets(world.n_pes(), [static_psync(0), heap]) {
            every_move(world, &mut bed, &set);
            every_reduction(world, &mut bed, &set);
        }
        free_psync(heap);
        bed.done();
    }

    /// A mebibyte and a little more of each.
    fn large_ones(world) on [2, 3] {
        const LARGE: usize = (1 << 17) + 3;
        let mut bed = Bed::new(world);
        let n = world.n_pes() as i32;
        let set = Set { start: 0, log_stride: 0, size: n, psync: static_psync(0) };
        let ready = || world.barrier();
        for what in [Moves::Broadcast, Moves::Broadcast, Moves::Collect, Moves::Fcollect, Moves::Alltoall] {
            check_move::<u64>(&mut bed, &set, what, LARGE / if what == Moves::Collect { 2 } else { 1 }, &ready);
            set.assert_restored();
            ready();
        }
        for _ in 0..3 {
            check_reduction::<i64>(
                &mut bed, &set, ("sum_to_all", LARGE),
                // SAFETY: the bed's arrays; every member calls. pWrk is not used.
                &|dest, src, len| unsafe {
                    aset::sum_to_all(dest, src, len as i32, 0, 0, n, std::ptr::null_mut(), set.psync)
                },
                &|seed, pes, _, i| Op::Sum.of_all(seed, pes, i),
                &ready,
            );
            ready();
        }
        bed.done();
    }

    /// A barrier and a sync may use one pSync back to back, on one set; nobody leaves before all have arrived.
    fn barriers_back_to_back_on_one_psync(world) on [2, 3, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let counts = world_counters(n);
        let set = Set { start: 0, log_stride: 0, size: n as i32, psync: static_psync(1) };
        for round in 1..=500u64 {
            for pe in 0..n {
                // SAFETY: one counter for each PE.
                unsafe { raw::put(counts.wrapping_add(me), &raw const round, 1, pe as i32) };
            }
            if round % 2 == 0 {
                set.barrier();
            } else {
                // SAFETY: every member calls.
                unsafe { aset::sync(0, 0, n as i32, set.psync) };
            }
            for pe in 0..n {
                // SAFETY: as above; whoever is ahead writes larger numbers.
                let seen = unsafe { counts.wrapping_add(pe).read_volatile() };
                assert!(seen == round || seen == round + 1, "PE {pe} is at {seen}, this one at {round}");
            }
        }
        world.barrier();
        set.assert_restored();
        free_counters(counts);
    }

    /// Halves of the world at the same time, then sets that overlap them, each with its own pSync: no sync between.
    fn sets_at_the_same_time_and_overlapping_ones_in_sequence(world) on [4, 7, 8] {
        let (me, n) = (world.pe() as i32, world.n_pes() as i32);
        let sums = world_counters(16);
        let half = n / 2;
        let set = |start, log_stride, size, i| Set { start, log_stride, size, psync: static_psync(i) };
        let lower = set(0, 0, half, 0);
        let upper = set(half, 0, n - half, 1);
        let even = set(0, 1, (n + 1) / 2, 2);
        let all = set(0, 0, n, 3);
        world.barrier();
        for round in 0..200i64 {
            let mine = if me < half { lower } else { upper };
            for (i, set) in [mine, even, all].into_iter().enumerate().filter(|(_, s)| s.has(me as usize)) {
                let (dest, src) = (sums.wrapping_add(i).cast::<i64>(), sums.wrapping_add(i + 8).cast::<i64>());
                let value = i64::from(me) * 1000 + round;
                // SAFETY: this PE's own words; the last call that used them has returned.
                unsafe { src.write_volatile(value) };
                let Set { start, log_stride, size, psync } = set;
                // SAFETY: every member calls.
                unsafe { aset::sum_to_all(dest, src, 1, start, log_stride, size, std::ptr::null_mut(), psync) };
                let expected: i64 = set.pes().iter().map(|pe| *pe as i64 * 1000 + round).sum();
                // SAFETY: as above.
                assert_eq!(unsafe { dest.read_volatile() }, expected, "round {round} of {set:?}");
                // SYNC: the set's pSync is used again only after all have finished (the standard's rule).
                set.barrier();
            }
        }
        world.barrier();
        for set in [lower, upper, even, all] {
            set.assert_restored();
        }
        free_counters(sums);
    }

    /// The root may be many broadcasts ahead of the others, with alternating pSyncs or with one.
    fn the_root_of_broadcasts_may_run_ahead(world) on [2, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let words = world_counters(2 * 64);
        for round in 0..20u64 {
            for i in 0..64 {
                // SAFETY: this PE's own words; all have passed the barrier below.
                unsafe { words.wrapping_add(64 + i).write_volatile(round * 1000 + i as u64 + 1) };
            }
            world.barrier();
            for i in 0..64 {
                let psync = static_psync(if round % 2 == 0 { i % 2 } else { 0 });
                let (dest, src) = (words.wrapping_add(i), words.wrapping_add(64 + i));
                // SAFETY: every member calls.
                unsafe { aset::broadcast(dest, src, 1, 0, 0, 0, n as i32, psync) };
                // SAFETY: as above.
                let got = unsafe { dest.read_volatile() };
                assert!(me == 0 || got == round * 1000 + i as u64 + 1, "{got} in broadcast {i} of round {round}");
            }
            world.barrier();
        }
        free_counters(words);
    }

    /// Roots that take turns on one pSync: who is early is not taken for who is late.
    fn roots_take_turns(world) on [3, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let words = world_counters(n + 1);
        // SAFETY: this PE's own word.
        unsafe { words.wrapping_add(n).write_volatile(me as u64 + 1) };
        for _ in 0..200 {
            world.barrier();
            for root in 0..n {
                let dest = words.wrapping_add(root);
                // SAFETY: every member calls.
                unsafe {
                    aset::broadcast(dest, words.wrapping_add(n), 1, root as i32, 0, 0, n as i32, static_psync(2))
                };
                // SAFETY: as above.
                assert!(root == me || unsafe { dest.read_volatile() } == root as u64 + 1);
            }
            // SAFETY: as above; dest is ready again only after the barrier.
            (0..n).for_each(|i| unsafe { words.wrapping_add(i).write_volatile(0) });
        }
        world.barrier();
        free_counters(words);
    }

    /// An active-set broadcast leaves the root's dest alone; one of nothing may have NULL.
    fn broadcast_leaves_the_roots_dest_alone(world) on [1, 2, 4] {
        let (me, n) = (world.pe(), world.n_pes());
        let words = world_counters(8192);
        for len in [1, 3, 4096] {
            // SAFETY: this PE's own words.
            unsafe { words.wrapping_add(4096).write_volatile(me as u64) };
            // SAFETY: as above.
            unsafe { words.write_volatile(77) };
            world.barrier();
            let root = n - 1;
            // SAFETY: every member calls.
            unsafe {
                aset::broadcast(words, words.wrapping_add(4096), len, root as i32, 0, 0, n as i32, static_psync(0))
            };
            // SAFETY: as above.
            assert_eq!(unsafe { words.read_volatile() }, if me == root { 77 } else { root as u64 });
            world.barrier();
        }
        let null = std::ptr::null_mut::<u64>();
        // SAFETY: nothing is moved.
        unsafe { aset::broadcast(null, null, 0, 0, 0, 0, n as i32, static_psync(0)) };
        // SAFETY: as above.
        unsafe { aset::fcollect(null, null, 0, 0, 0, n as i32, static_psync(0)) };
        // SAFETY: as above.
        unsafe { aset::sum_to_all(null, null, 0, 0, 0, n as i32, null, static_psync(0)) };
        world.barrier();
        free_counters(words);
    }
}

/// `n` symmetric words, all zero; collective.
fn world_counters(n: usize) -> *mut u64 {
    // SAFETY: the World is up; every PE calls.
    let at = unsafe { raw::malloc(8 * n) }.cast::<u64>();
    // SAFETY: just made.
    unsafe { at.write_bytes(0, n) };
    let n_pes = raw::n_pes();
    // SAFETY: every PE calls.
    unsafe { aset::barrier(0, 0, n_pes, static_psync(3)) };
    at
}

fn free_counters(at: *mut u64) {
    // SAFETY: made by `world_counters`, and used by nobody any more.
    unsafe { raw::free(at.cast()) }.expect("the words are freed");
}

/// What is called with arguments that cannot be, and what the line says.
const BAD: [(&str, &str); 9] = [
    ("size", "shmem_barrier: the active set of 0 PEs from PE 0, 2^0 apart, has no PE"),
    ("stride", "shmem_barrier: the active set of 2 PEs from PE 0, 2^-1 apart, is none"),
    (
        "last",
        "shmem_barrier: the active set of 2 PEs from PE 0, 2^1 apart, does not fit: the job has PEs 0 to 1",
    ),
    ("start", "shmem_barrier: the active set of 1 PEs from PE -1, 2^0 apart, does not fit"),
    ("member", "shmem_barrier: the active set of 1 PEs from PE "),
    ("root", "shmem_broadcast: PE_root is 2: it must be 0 to 1"),
    ("nreduce", "shmem_sum_to_all: nreduce is -1: it must be at least 0"),
    ("alltoalls", "shmem_alltoalls: dst is 0: a stride must be at least 1"),
    ("psync", "neither in the symmetric heap nor in the executable's static data"),
];

#[test]
fn what_cannot_be_is_one_clear_line() {
    let test = here!("what_cannot_be_is_one_clear_line");
    if testing::is_pe() {
        let world = World::init().expect("the library comes up");
        let mut on_stack = [SYNC_VALUE; SYNC_SIZE];
        let (psync, at) = (static_psync(0), static_psync(1));
        // SAFETY: none of these touches any memory before it fails.
        #[allow(clippy::multiple_unsafe_ops_per_block, reason = "one of them")]
        unsafe {
            match &*std::env::var("BAD").unwrap() {
                "size" => aset::barrier(0, 0, 0, psync),
                "stride" => aset::barrier(0, -1, 2, psync),
                "last" => aset::barrier(0, 1, 2, psync),
                "start" => aset::barrier(-1, 0, 1, psync),
                "member" => aset::barrier(1 - world.pe() as i32, 0, 1, psync),
                "root" => aset::broadcast(at, at, 1, 2, 0, 0, 2, psync),
                "nreduce" => aset::sum_to_all(at, at, -1, 0, 0, 2, at, psync),
                "alltoalls" => aset::alltoalls(at, at, 0, 1, 1, 0, 0, 2, psync),
                _ => aset::barrier(0, 0, 2, on_stack.as_mut_ptr()),
            }
        }
        unreachable!("the job has ended");
    }
    for (bad, line) in BAD {
        let outcome = Launch::of_test(test, 2, Boot::Local).env("BAD", bad).run();
        assert!(!outcome.status.success() && !outcome.timed_out, "{bad}: {outcome}");
        assert!(outcome.stderr.lines().any(|l| l.contains(line) && l.contains("PE ")), "{bad}: {outcome}");
    }
}
