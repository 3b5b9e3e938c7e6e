//! Collectives on teams, against a sequential model; and the rules for them that can be observed.
#![allow(unsafe_code, reason = "raw calls")]

#[path = "common/bed.rs"]
mod bed;

use bed::{Bed, Moves, Num, Op, Rng, Together, Value, check_move, check_reduction};
use shmem_api::raw::{self, TeamHandle};
use shmem_api::{World, multi_pe};

/// Elements: none, one, some that fit in a line or a cell, more than a cell, more than a chunk, more than any shortcut.
const SIZES: [usize; 7] = [0, 1, 7, 31, 130, 1031, 9001];

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
        // SAFETY: as above.
        assert_eq!(unsafe { raw::collect(self.handle, dest, src, n) }, 0);
    }
    fn fcollect<T: Value>(&self, dest: *mut T, src: *const T, n: usize) {
        // SAFETY: as above.
        assert_eq!(unsafe { raw::fcollect(self.handle, dest, src, n) }, 0);
    }
    fn alltoall<T: Value>(&self, dest: *mut T, src: *const T, n: usize) {
        // SAFETY: as above.
        assert_eq!(unsafe { raw::alltoall(self.handle, dest, src, n) }, 0);
    }
    fn alltoalls<T: Value>(&self, dest: *mut T, src: *const T, dst: usize, sst: usize, n: usize) {
        // SAFETY: as above.
        assert_eq!(unsafe { raw::alltoalls(self.handle, dest, src, dst as isize, sst as isize, n) }, 0);
    }
}

/// A team of each form; collective. Each PE has those it is a member of, and the others' shapes.
fn teams(world: &World) -> Vec<OfTeam> {
    let n = world.n_pes();
    let all: Vec<usize> = (0..n).collect();
    let mut teams = vec![
        OfTeam { handle: TeamHandle::WORLD, pes: all.clone(), what: "world" },
        OfTeam { handle: TeamHandle::SHARED, pes: all, what: "shared" },
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
fn some_sizes(rng: &mut Rng) -> [usize; 3] {
    let first = rng.below(SIZES.len());
    [0, 2, 5].map(|step| SIZES[(first + step) % SIZES.len()])
}

fn every_move(world: &World, bed: &mut Bed, team: &OfTeam) {
    macro_rules! each {
        ([$($name:ident)*]) => {$(
            for what in Moves::ALL {
                for n in some_sizes(&mut bed.rng) {
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
            for n in some_sizes(&mut bed.rng) {
                check_reduction::<T>(
                    bed, team, (stringify!($call), n),
                    // SAFETY: the bed's arrays; every member calls.
                    |dest, src, n| assert_eq!(unsafe { raw::$call(team.handle, dest, src, n) }, 0),
                    $expected,
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
}
