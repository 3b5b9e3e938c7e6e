//! Collectives on teams, against a sequential model; and the rules for them that can be observed.
#![allow(unsafe_code, reason = "raw calls")]

use crate::arena::host;
use crate::bed::{Bed, Moves, Num, Op, Together, Value, check_move, check_reduction, source};
use crate::longs::{fill, free_all, symmetric, words};
use shmem_api::raw::active_set as aset;
use shmem_api::raw::{self, TeamHandle};
use shmem_api::testing::{self, Boot, Launch, Random};
use shmem_api::{Multiple, World, multi_pe};

/// Elements: none, one, some that fit in a line or a cell, more than a cell, more than a chunk, more than any shortcut.
const SIZES: [usize; 7] = [0, 1, 7, 31, 130, 1031, 9001];

const LARGE: usize = (1 << 17) + 3;

/// A team, and which PEs it has by rank.
struct OfTeam {
    handle: TeamHandle,
    pes: Vec<usize>,
    what: &'static str,
}

impl std::fmt::Debug for OfTeam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (PEs {:?})", self.what, self.pes)
    }
}

impl Together for OfTeam {
    fn pes(&self) -> Vec<usize> {
        self.pes.clone()
    }
    fn root_gets_it(&self) -> bool {
        true
    }
    fn broadcast<T: Value>(&self, dest: *mut T, src: *const T, n: usize, root: usize) {
        // SAFETY: the bed's arrays; every member calls.
        assert_eq!(unsafe { raw::broadcast(self.handle, dest, src, n, root as i32) }, 0);
    }
    fn collect<T: Value>(&self, dest: *mut T, src: *const T, n: usize) {
        // SAFETY: the bed's arrays.
        assert_eq!(unsafe { raw::collect(self.handle, dest, src, n) }, 0);
    }
    fn fcollect<T: Value>(&self, dest: *mut T, src: *const T, n: usize) {
        // SAFETY: the bed's arrays.
        assert_eq!(unsafe { raw::fcollect(self.handle, dest, src, n) }, 0);
    }
    fn alltoall<T: Value>(&self, dest: *mut T, src: *const T, n: usize) {
        // SAFETY: the bed's arrays.
        assert_eq!(unsafe { raw::alltoall(self.handle, dest, src, n) }, 0);
    }
    fn alltoalls<T: Value>(&self, dest: *mut T, src: *const T, dst: usize, sst: usize, n: usize) {
        // SAFETY: the bed's arrays.
        assert_eq!(unsafe { raw::alltoalls(self.handle, dest, src, dst as isize, sst as isize, n) }, 0);
    }
}

/// A team of each form; collective. Each PE has those it is a member of, and the others' shapes.
fn teams(world: &World) -> Vec<OfTeam> {
    let n = world.n_pes();
    let all: Vec<usize> = (0..n).collect();
    let mut teams = vec![
        OfTeam { handle: TeamHandle::WORLD, pes: all, what: "world" },
        OfTeam {
            handle: TeamHandle::SHARED,
            pes: host().iter().map(|pe| *pe as usize).collect(),
            what: "shared",
        },
    ];
    let (count, halved) = (n as i32, n.div_ceil(2) as i32);
    let strided = [
        ("every other", 0, 2, halved),
        ("reversed", count - 1, -1, count),
        ("without the first", 1, 1, count - 1),
    ];
    for (what, start, stride, size) in strided.into_iter().filter(|(_, _, _, size)| *size > 0) {
        let handle = split(TeamHandle::WORLD, start, stride, size);
        let pes = (0..size).map(|i| (start + i * stride) as usize).collect();
        teams.push(OfTeam { handle, pes, what });
    }
    let (width, me) = (n.div_ceil(3).max(2).min(n), world.pe());
    let (mut row, mut column) = (TeamHandle::INVALID, TeamHandle::INVALID);
    let config = std::ptr::null();
    // SAFETY: every PE calls.
    let split = unsafe {
        raw::team_split_2d(
            TeamHandle::WORLD,
            width as i32,
            config,
            0,
            &raw mut row,
            config,
            0,
            &raw mut column,
        )
    };
    assert_eq!(split, 0);
    let same =
        |f: fn(usize, usize) -> usize| (0..n).filter(move |pe| f(*pe, width) == f(me, width)).collect();
    teams.push(OfTeam { handle: row, pes: same(|pe, width| pe / width), what: "a row" });
    teams.push(OfTeam { handle: column, pes: same(|pe, width| pe % width), what: "a column" });
    teams
}

fn split(parent: TeamHandle, start: i32, stride: i32, size: i32) -> TeamHandle {
    let mut team = TeamHandle::INVALID;
    // SAFETY: every member of the parent calls.
    let status =
        unsafe { raw::team_split_strided(parent, start, stride, size, std::ptr::null(), 0, &raw mut team) };
    assert_eq!(status, 0);
    team
}

fn destroy(teams: Vec<OfTeam>) {
    for team in teams.into_iter().skip(2).filter(|team| team.handle != TeamHandle::INVALID) {
        // SAFETY: every member calls; nobody uses the team after it.
        unsafe { raw::team_destroy(team.handle) };
    }
}

/// Sizes that one type is tried with: all of them in turn, a few for each team.
fn some_sizes(random: &mut Random) -> [usize; 3] {
    let first = random.below(SIZES.len());
    [0, 2, 5].map(|step| SIZES[(first + step) % SIZES.len()])
}

fn every_move(world: &World, bed: &mut Bed, team: &OfTeam) {
    macro_rules! each {
        ([$($name:ident)*]) => {$(
            for what in Moves::ALL {
                for n in some_sizes(&mut bed.random) {
                    check_move::<shmem_api::c_type!($name)>(bed, team, what, n, &|| world.barrier());
                    world.barrier();
                }
            }
        )*};
    }
    each!([float double char schar short int long longlong uchar ushort uint ulong ulonglong]);
    each!([longdouble int8 int16 int32 int64 uint8 uint16 uint32 uint64 size ptrdiff]);
}

fn every_reduction(world: &World, bed: &mut Bed, team: &OfTeam) {
    macro_rules! each {
        ([$($name:ident)*] $call:ident $expected:expr) => {$({
            type T = shmem_api::c_type!($name);
            for n in some_sizes(&mut bed.random) {
                check_reduction::<T>(
                    bed, team, (stringify!($call), n),
                    // SAFETY: the bed's arrays; every member calls.
                    &|dest, src, n| assert_eq!(unsafe { raw::$call(team.handle, dest, src, n) }, 0),
                    &$expected,
                    &|| world.barrier(),
                );
                world.barrier();
            }
        })*};
    }
    macro_rules! reduction {
        ($table:ident $call:ident $op:ident) => {
            shmem_api::type_table!($table => each, $call |seed, pes, _, i| Op::$op.of_all(seed, pes, i));
        };
    }
    reduction!(red_bitwise and_reduce And);
    reduction!(red_bitwise or_reduce Or);
    reduction!(red_bitwise xor_reduce Xor);
    reduction!(red_minmax max_reduce Max);
    reduction!(red_minmax min_reduce Min);
    reduction!(red_arith sum_reduce Sum);
    reduction!(red_arith prod_reduce Prod);
    shmem_api::type_table!(red_arith => each, sum_inscan |seed, pes, rank, i| Op::Sum.of_all(seed, &pes[..=rank], i));
    shmem_api::type_table!(red_arith => each, sum_exscan |seed, pes, rank, i| before(seed, &pes[..rank], i));
}

/// What an exclusive scan gives.
fn before<T: Value>(seed: u64, pes: &[usize], i: usize) -> T {
    if pes.is_empty() { zero() } else { Op::Sum.of_all(seed, pes, i) }
}

fn zero<T: Value>() -> T {
    T::of(match T::draw(0).num() {
        Num::Int(_) => Num::Int(0),
        Num::Real(_) => Num::Real(0.0),
        Num::Complex(..) => Num::Complex(0.0, 0.0),
    })
}

multi_pe! {
    /// Every routine that moves data, with every type, on teams of every form.
    fn every_move_on_teams_of_every_form(world) on [1, 2, 3, 4, 7, 8] {
        let mut bed = Bed::new(world);
        let teams = teams(world);
        for team in &teams {
            every_move(world, &mut bed, team);
        }
        destroy(teams);
        bed.done();
    }

    /// Every operator with every type of its table, on teams of every form, in place and not.
    fn every_reduction_on_teams_of_every_form(world) on [1, 2, 3, 4, 7, 8] {
        let mut bed = Bed::new(world);
        let teams = teams(world);
        for team in &teams {
            every_reduction(world, &mut bed, team);
        }
        destroy(teams);
        bed.done();
    }

    /// A mebibyte and a little more of each.
    fn large_ones(world) on [2, 3] {
        let mut bed = Bed::new(world);
        let teams = teams(world);
        for team in &teams {
            let ready = || world.barrier();
            for what in [Moves::Broadcast, Moves::Fcollect, Moves::Alltoall] {
                check_move::<i64>(&mut bed, team, what, LARGE, &ready);
                ready();
            }
            check_reduction::<f64>(
                &mut bed, team, ("sum_reduce", LARGE),
                // SAFETY: the bed's arrays; every member calls.
                &|dest, src, n| assert_eq!(unsafe { raw::sum_reduce(team.handle, dest, src, n) }, 0),
                &|seed, pes, _, i| Op::Sum.of_all(seed, pes, i),
                &ready,
            );
            ready();
        }
        destroy(teams);
        bed.done();
    }

    /// 10,000 collectives in random order on random teams, nothing between them but a barrier for each 50, so that
    /// `dest` is ready; `src` is overwritten as soon as a call returns.
    fn ten_thousand_back_to_back(world) on [8] {
        let mut calls = RandomCalls::new(world);
        // On more than 8 PEs as many as those make together.
        for call in 0..80_000 / world.n_pes().max(8) {
            calls.call(call);
        }
        calls.done();
    }

    /// The same on numbers of PEs that leave teams of one, and of none.
    fn back_to_back_on_few_pes(world) on [1, 2, 3] {
        let mut calls = RandomCalls::new(world);
        for call in 0..2000 {
            calls.call(call);
        }
        calls.done();
    }

    fn a_team_broadcast_writes_the_roots_dest_and_numbers_the_root_in_the_team(world) on [1, 2, 4] {
        let (me, n) = (world.pe() as i64, world.n_pes() as i32);
        let reversed = split(TeamHandle::WORLD, n - 1, -1, n);
        for len in [1, 50, 5000] {
            let (dest, src) = (symmetric(len, -1), symmetric(len, me));
            // SAFETY: every member calls.
            assert_eq!(unsafe { raw::broadcast(reversed, dest, src, len, 0) }, 0);
            assert_eq!(words(dest, len), vec![i64::from(n) - 1; len], "from the last PE of the world");
            free_all([dest, src]);
        }
        // SAFETY: every member calls.
        unsafe { raw::team_destroy(reversed) };
    }

    fn collect_takes_differing_lengths_in_the_order_of_the_team(world) on [2, 3, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let reversed = split(TeamHandle::WORLD, n as i32 - 1, -1, n as i32);
        let total = (0..n).sum::<usize>();
        let (dest, src) = (symmetric(total, -1), symmetric(n, me as i64));
        // PE k of the world has k elements: PE 0 has none.
        // SAFETY: every member calls.
        assert_eq!(unsafe { raw::collect(reversed, dest, src, me) }, 0);
        let expected: Vec<i64> = (0..n).rev().flat_map(|pe| vec![pe as i64; pe]).collect();
        assert_eq!(words(dest, total), expected);
        free_all([dest, src]);
        // SAFETY: every member calls.
        unsafe { raw::team_destroy(reversed) };
    }

    fn an_exclusive_scan_writes_zero_on_the_first(world) on [1, 2, 4] {
        for len in [1, 500, 9000] {
            let (dest, src) = (symmetric(len, 77), symmetric(len, 1));
            // SAFETY: every PE calls.
            assert_eq!(unsafe { raw::sum_exscan(TeamHandle::WORLD, dest, src, len) }, 0);
            assert_eq!(words(dest, len), vec![world.pe() as i64; len]);
            // In place, too.
            // SAFETY: as above.
            assert_eq!(unsafe { raw::sum_exscan(TeamHandle::WORLD, src, src, len) }, 0);
            assert_eq!(words(src, len), vec![world.pe() as i64; len]);
            free_all([dest, src]);
        }
    }

    fn nothing_may_be_nowhere(world) on [1, 3] {
        let null = std::ptr::null_mut::<i64>();
        let team = TeamHandle::WORLD;
        for _ in 0..3 {
            // SAFETY: nothing is moved; every PE calls.
            let done = [
                unsafe { raw::broadcast(team, null, null, 0, 0) },
                // SAFETY: as above.
                unsafe { raw::collect(team, null, null, 0) },
                // SAFETY: as above.
                unsafe { raw::fcollect(team, null, null, 0) },
                // SAFETY: as above.
                unsafe { raw::alltoall(team, null, null, 0) },
                // SAFETY: as above.
                unsafe { raw::alltoalls(team, null, null, 2, 3, 0) },
                // SAFETY: as above.
                unsafe { raw::sum_reduce(team, null, null, 0) },
                // SAFETY: as above.
                unsafe { raw::sum_inscan(team, null, null, 0) },
                // SAFETY: as above.
                unsafe { raw::sum_exscan(team, null, null, 0) },
            ];
            assert_eq!(done, [0; 8]);
        }
        world.barrier();
    }

    /// What a call has returned from is no longer read, whoever is still inside.
    fn a_source_may_be_overwritten_at_once(world) on [2, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        for len in [1, 100, 5000] {
            let dests: Vec<_> = (0..40).map(|_| symmetric(len * n, -1)).collect();
            let src = symmetric(len, 0);
            for (round, dest) in dests.iter().enumerate() {
                fill(src, len, (round * 100 + me) as i64);
                // SAFETY: every PE calls; each dest is used once.
                assert_eq!(unsafe { raw::fcollect(TeamHandle::WORLD, *dest, src, len) }, 0);
                fill(src, len, -5);
            }
            for (round, dest) in dests.iter().enumerate() {
                let expected: Vec<i64> = (0..n).flat_map(|pe| vec![(round * 100 + pe) as i64; len]).collect();
                assert_eq!(words(*dest, len * n), expected, "round {round}");
            }
            world.barrier();
            free_all(dests);
            free_all([src]);
        }
    }

    /// Floating-point sums whose terms do not add up exactly are the same bits on all members.
    fn all_members_get_the_same_bits(world) on [3, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        for len in [1, 30, 300, 20_000] {
            let (dest, src) = (symmetric(len, 0).cast::<f64>(), symmetric(len, 0).cast::<f64>());
            let all = symmetric(len * n, 0);
            for i in 0..len {
                let value = 1.0 / (1.0 + source::<u32>(len as u64, me, i) as f64);
                // SAFETY: this PE's own memory.
                unsafe { src.wrapping_add(i).write(value) };
            }
            // SAFETY: every PE calls.
            assert_eq!(unsafe { raw::sum_reduce(TeamHandle::WORLD, dest, src, len) }, 0);
            // SAFETY: as above; the bits of all.
            assert_eq!(unsafe { raw::fcollect(TeamHandle::WORLD, all, dest.cast::<i64>(), len) }, 0);
            let all_bits = words(all, len * n);
            assert!(all_bits.chunks(len).all(|bits| bits == &all_bits[..len]), "{len} sums");
            free_all([dest.cast(), src.cast(), all]);
        }
    }

    /// Rows and columns of a grid at the same time, no step of one waiting for a step of another row.
    fn different_teams_at_the_same_time(world) on [4, 8] {
        let teams = teams(world);
        let [row, column] = [&teams[teams.len() - 2], &teams[teams.len() - 1]];
        let (dest, src) = (symmetric(400, 0), symmetric(1, 0));
        for round in 0..200 {
            // A row does more calls than the one below it.
            let extra = row.pes[0] % 3;
            for _ in 0..=extra {
                fill(src, 1, world.pe() as i64);
                // SAFETY: every member of the row calls.
                assert_eq!(unsafe { raw::sum_reduce(row.handle, dest.wrapping_add(round), src, 1) }, 0);
                assert_eq!(words(dest.wrapping_add(round), 1)[0], row.pes.iter().sum::<usize>() as i64);
            }
            let at = dest.wrapping_add(200 + round);
            // SAFETY: every member of the column calls.
            assert_eq!(unsafe { raw::max_reduce(column.handle, at, src, 1) }, 0);
            assert_eq!(words(at, 1)[0], *column.pes.iter().max().unwrap() as i64);
        }
        world.barrier();
        free_all([dest, src]);
        destroy(teams);
    }
}

/// Random collectives, the same on every PE.
struct RandomCalls {
    me: usize,
    random: Random,
    teams: Vec<OfTeam>,
    /// Elements of one call's `dest`: a block of every PE's.
    area: usize,
    dests: *mut i64,
    src: *mut i64,
    psync: *mut i64,
}

/// Calls between two barriers, each with a `dest` of its own.
const WINDOW: usize = 50;
/// Elements of a PE's block: mostly few, sometimes more than any shortcut takes.
const BLOCKS: [usize; 9] = [0, 1, 2, 5, 7, 8, 40, 150, 900];

impl RandomCalls {
    fn new(world: &World) -> RandomCalls {
        let teams = teams(world);
        let area = BLOCKS[BLOCKS.len() - 1] * world.n_pes();
        let (dests, src) = (symmetric(WINDOW * area, 0), symmetric(area, 0));
        RandomCalls {
            me: world.pe(),
            random: Random::new(3),
            teams,
            area,
            dests,
            src,
            psync: symmetric(aset::SYNC_SIZE, aset::SYNC_VALUE),
        }
    }

    fn call(&mut self, call: usize) {
        if call.is_multiple_of(WINDOW) {
            // SAFETY: every PE calls.
            unsafe { raw::barrier_all() };
        }
        let [which, what, len] = [self.teams.len(), 10, BLOCKS.len()].map(|n| self.random.below(n));
        let (seed, root) = (self.random.next(), self.random.next() as usize);
        let n = BLOCKS[len];
        let team = &self.teams[which];
        let (pes, size) = (&team.pes, team.pes.len());
        let Some(rank) = pes.iter().position(|pe| *pe == self.me) else { return };
        let (dest, src) = (self.dests.wrapping_add(call % WINDOW * self.area), self.src);
        let value = |rank: usize, i: usize| source::<i64>(seed, pes[rank], i);
        for i in 0..n * size {
            // SAFETY: this PE's own; every call that read it has returned.
            unsafe { src.wrapping_add(i).write_volatile(value(rank, i)) };
        }
        let sum = |members: &[usize], i: usize| {
            members.iter().map(|pe| source::<i64>(seed, *pe, i)).fold(0, i64::wrapping_add)
        };
        let h = team.handle;
        let root = root % size;
        let expected: Vec<i64> = match what {
            0 | 1 => {
                team.broadcast(dest, src, n, root);
                (0..n).map(|i| value(root, i)).collect()
            }
            2 => {
                let lens: Vec<usize> =
                    (0..size).map(|r| n * (seed.rotate_right(r as u32) & 1) as usize).collect();
                team.collect(dest, src, lens[rank]);
                (0..size).flat_map(|r| (0..lens[r]).map(move |i| value(r, i))).collect()
            }
            3 => {
                team.fcollect(dest, src, n);
                (0..size).flat_map(|r| (0..n).map(move |i| value(r, i))).collect()
            }
            4 => {
                team.alltoall(dest, src, n);
                (0..size).flat_map(|r| (0..n).map(move |i| value(r, rank * n + i))).collect()
            }
            5 => {
                // SAFETY: every member calls.
                assert_eq!(unsafe { raw::sum_reduce(h, dest, src, n) }, 0);
                (0..n).map(|i| sum(pes, i)).collect()
            }
            6 => {
                // SAFETY: as above.
                assert_eq!(unsafe { raw::sum_inscan(h, dest, src, n) }, 0);
                (0..n).map(|i| sum(&pes[..=rank], i)).collect()
            }
            7 => {
                // SAFETY: as above.
                assert_eq!(unsafe { raw::sum_exscan(h, dest, src, n) }, 0);
                (0..n).map(|i| sum(&pes[..rank], i)).collect()
            }
            8 => {
                // SAFETY: as above.
                assert_eq!(unsafe { raw::team_sync(h) }, 0);
                Vec::new()
            }
            _ if which == 0 => {
                let none = std::ptr::null_mut();
                // SAFETY: every PE of the world, which is the set, calls.
                unsafe { aset::sum_to_all(dest, src, n as i32, 0, 0, size as i32, none, self.psync) };
                (0..n).map(|i| sum(pes, i)).collect()
            }
            _ => Vec::new(),
        };
        assert_eq!(words(dest, expected.len()), expected, "call {call}: kind {what}, {n} elements, {team:?}");
    }

    fn done(self) {
        // SAFETY: every PE calls.
        unsafe { raw::barrier_all() };
        free_all([self.dests, self.src, self.psync]);
        destroy(self.teams);
    }
}

/// Four threads on each of four PEs, two on teams of their own, two on active sets with `pSync`s of their own: counts
/// are exact, and no thread waits for another's call.
#[test]
fn threads_on_different_teams_and_sets() {
    let test = here!("threads_on_different_teams_and_sets");
    if !testing::is_pe() {
        for boot in Boot::of(4) {
            Launch::of_test(test, 4, boot).run().expect_success(test);
        }
        return;
    }
    let world = World::<Multiple>::init_level().expect("the library comes up");
    let (me, n) = (world.pe(), world.n_pes());
    let teams =
        [split(TeamHandle::WORLD, 0, 1, n as i32), split(TeamHandle::WORLD, n as i32 - 1, -1, n as i32)];
    // For each thread: dest, source, another dest, and a pSync.
    let memory: Vec<[usize; 4]> = (0..4)
        .map(|_| {
            let psync = symmetric(aset::SYNC_SIZE, aset::SYNC_VALUE);
            [symmetric(400, 0), symmetric(1, 0), symmetric(400, 0), psync].map(|at| at.expose_provenance())
        })
        .collect();
    std::thread::scope(|scope| {
        for (thread, memory) in memory.iter().enumerate() {
            let team = teams[thread % 2];
            scope.spawn(move || {
                let [dest, src, copy, psync] = memory.map(std::ptr::with_exposed_provenance_mut::<i64>);
                for round in 0..400 {
                    fill(src, 1, (me * 10 + thread) as i64 + round);
                    let at = round as usize;
                    let (sum, word) = (dest.wrapping_add(at), copy.wrapping_add(at));
                    let none = std::ptr::null_mut();
                    let size = n as i32;
                    if thread < 2 {
                        // SAFETY: one thread of each PE calls on this team, in this order; each word is used once.
                        assert_eq!(unsafe { raw::sum_reduce(team, sum, src, 1) }, 0);
                        // SAFETY: as above.
                        assert_eq!(unsafe { raw::broadcast(team, word, sum, 1, 0) }, 0);
                    } else {
                        // SAFETY: one thread of each PE calls with this pSync, in this order; each word is used once.
                        unsafe { aset::sum_to_all(sum, src, 1, 0, 0, size, none, psync) };
                        // SAFETY: as above.
                        unsafe { aset::broadcast(word, sum, 1, 0, 0, 0, size, psync) };
                        // SAFETY: as above; nobody's pSync is used by two calls at once.
                        unsafe { aset::sync(0, 0, size, psync) };
                    }
                    let expected = (0..n).map(|pe| (pe * 10 + thread) as i64 + round).sum::<i64>();
                    assert_eq!(words(sum, 1)[0], expected, "thread {thread}, round {round}");
                    let kept = thread >= 2 && me == 0;
                    assert_eq!(
                        words(word, 1)[0],
                        if kept { 0 } else { expected },
                        "thread {thread}, round {round}"
                    );
                }
            });
        }
    });
    world.barrier();
    free_all(memory.into_iter().flatten().map(std::ptr::with_exposed_provenance_mut));
    for team in teams {
        // SAFETY: every member calls; nobody uses the team after it.
        unsafe { raw::team_destroy(team) };
    }
    world.finalize().expect("every PE finalizes");
}

/// What is called with arguments that cannot be, or that differ, and what the line says.
const BAD: [(&str, &str); 18] = [
    ("team", "shmem_broadcast: the team is SHMEM_TEAM_INVALID"),
    ("root", "shmem_broadcast: PE_root is 2: it must be 0 to 1"),
    ("negative root", "shmem_broadcast: PE_root is -1: it must be 0 to 1"),
    ("stride", "shmem_alltoalls: sst is 0: a stride must be at least 1"),
    ("stack", "neither in the symmetric heap nor in the executable's static data"),
    ("long", "shmem_fcollect: "),
    ("counts", "a reduction (sum) of 2 elements of 8 bytes"),
    ("operators", "a reduction (max) of 1 elements of 8 bytes"),
    ("types", "a reduction (sum) of 1 elements of 4 bytes"),
    ("lengths", "a broadcast of 1 elements of 8 bytes"),
    ("roots", "a broadcast "),
    ("nothing", "an fcollect of 2 elements of 8 bytes"),
    ("nothing from the root", "a broadcast of 0 elements of 8 bytes"),
    ("a few and many", "a broadcast of 40 elements of 8 bytes"),
    ("every PE a root", "a broadcast of 1 elements of 8 bytes (i64) from PE 1"),
    ("types of one size", "a reduction (sum) of 1 elements of 8 bytes (f64)"),
    ("dest", "to heap + 0x"),
    ("calls", "an fcollect of 1 elements of 8 bytes"),
];

#[test]
fn what_cannot_be_or_differs_is_one_clear_line() {
    let test = here!("what_cannot_be_or_differs_is_one_clear_line");
    if testing::is_pe() {
        let world = World::init().expect("the library comes up");
        bad(&std::env::var("BAD").unwrap(), world.pe());
        unreachable!("the job has ended");
    }
    for (bad, line) in BAD {
        let outcome = Launch::of_test(test, 2, Boot::Local).env("BAD", bad).run();
        assert!(!outcome.status.success() && !outcome.timed_out, "{bad}: {outcome}");
        assert!(outcome.stderr.lines().any(|l| l.contains(line) && l.contains("PE ")), "{bad}: {outcome}");
    }
}

fn bad(what: &str, me: usize) {
    let (dest, src) = (symmetric(64, 0), symmetric(64, 0));
    let mut stack = [0i64; 4];
    let world = TeamHandle::WORLD;
    // SAFETY: none of these touches memory that is not there before it fails.
    #[allow(clippy::multiple_unsafe_ops_per_block, reason = "one of them")]
    unsafe {
        match (what, me) {
            ("team", _) => raw::broadcast(TeamHandle::INVALID, dest, src, 1, 0),
            ("root", _) => raw::broadcast(world, dest, src, 1, 2),
            ("negative root", _) => raw::broadcast(world, dest, src, 1, -1),
            ("stride", _) => raw::alltoalls(world, dest, src, 1, 0, 1),
            ("stack", _) => raw::fcollect(world, stack.as_mut_ptr(), src, 2),
            ("long", _) => raw::fcollect(world, dest, src, usize::MAX / 8),
            ("counts", 0) => sum(dest, src, 1),
            ("counts", _) => sum(dest, src, 2),
            ("operators", 0) => sum(dest, src, 1),
            ("operators", _) => raw::max_reduce(world, dest, src, 1),
            ("types", 0) => sum(dest, src, 1),
            ("types", _) => sum(dest.cast::<i32>(), src.cast::<i32>(), 1),
            ("lengths", _) => raw::broadcast(world, dest, src, 1 + me, 0),
            ("roots", _) => raw::broadcast(world, dest, src, 1, 1 - me as i32),
            ("nothing", _) => raw::fcollect(world, dest, src, 2 * me),
            ("a few and many", _) => raw::broadcast(world, dest, src, if me == 0 { 40 } else { 7 }, 0),
            ("every PE a root", _) => raw::broadcast(world, dest, src, 1, me as i32),
            ("types of one size", 0) => sum(dest, src, 1),
            ("types of one size", _) => sum(dest.cast::<f64>(), src.cast::<f64>(), 1),
            ("dest", _) => sum(dest.wrapping_add(me), src, 1),
            ("nothing from the root", _) => raw::broadcast(world, dest, src, me, 0),
            (_, 0) => sum(dest, src, 1),
            _ => raw::fcollect(world, dest, src, 1),
        }
    };
    // A PE that has not been found out yet meets the others.
    // SAFETY: the World is up.
    unsafe { raw::barrier_all() };
}

/// # Safety
/// Every PE calls.
unsafe fn sum<T: shmem_api::Arith>(dest: *mut T, src: *const T, n: usize) -> i32 {
    // SAFETY: RAW-R3, of the caller.
    unsafe { raw::sum_reduce(TeamHandle::WORLD, dest, src, n) }
}
