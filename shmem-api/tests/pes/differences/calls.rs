//! Plays a plan on this PE, and looks at what every call that returns has left: it must be right for what this PE asked.

use std::cell::UnsafeCell;
use std::fmt::Debug;

use shmem_api::raw::{self, TeamHandle, active_set as aset};
use shmem_api::{Arith, Elem, Max, Min, Ordered, Sum, SymSlice, World};

use super::draw::{Call, On, Op, Plan, Type, What};

/// Elements of a `dest`: the largest count, of each of the most PEs, twice apart.
const ROOM: usize = 3000 * 8 * 2;
const CALLS: usize = 8;

/// What is symmetric and may be written by all PEs.
#[repr(transparent)]
struct Shared<T>(UnsafeCell<T>);

// SAFETY: only the library writes it.
unsafe impl<T> Sync for Shared<T> {}

static PSYNC: [Shared<[i64; aset::SYNC_SIZE]>; 2] =
    [const { Shared(UnsafeCell::new([aset::SYNC_VALUE; aset::SYNC_SIZE])) }; 2];

/// A number that sums and products of a few PEs keep exact in every type.
trait Value: Arith + Ordered + PartialEq + Debug {
    fn of(number: u32) -> Self;
}

macro_rules! values {
    ($($t:ty)*) => {$(impl Value for $t {
        fn of(number: u32) -> $t {
            number as $t
        }
    })*};
}
values!(i64 u64 f64 i32);

struct Job<'w> {
    world: &'w World,
    n_pes: u32,
    me: u32,
    teams: [TeamHandle; 3],
    src: *mut u8,
    dest: [*mut u8; 2],
    blocks: Vec<*mut u8>,
    safe: [SymSlice<'w, i64>; 2],
    /// The number of the call in the plan.
    at: usize,
    /// Calls made before it: equal on all PEs that meet in this one, though one of them has left a call out.
    made: usize,
}

pub fn play(world: &World, plan: &Plan) {
    let mut job = Job::new(world);
    let odd = job.me == plan.odd;
    let middle = if odd { plan.instead } else { Some(plan.call) };
    for call in plan.before.iter().map(Some).chain([middle.as_ref()]).chain(plan.after.iter().map(Some)) {
        match call.map(|call| call.ty) {
            None => {}
            Some(Type::Long) => job.call::<i64>(call.unwrap()),
            Some(Type::Ulong) => job.call::<u64>(call.unwrap()),
            Some(Type::Double) => job.call::<f64>(call.unwrap()),
            Some(Type::Int) => job.call::<i32>(call.unwrap()),
        }
        job.at += 1;
        job.made += usize::from(call.is_some());
    }
    // Whatever it was, the next rendezvous finds it out.
    // SAFETY: the World is up.
    unsafe { raw::barrier_all() };
}

fn value(pe: u32, i: usize) -> u32 {
    (pe + 1) * 16 + (i % 13) as u32
}

impl<'w> Job<'w> {
    fn new(world: &'w World) -> Job<'w> {
        let (me, n_pes) = (world.pe() as u32, world.n_pes() as u32);
        // SAFETY: the World is up, and every PE calls.
        let room = |n: usize| unsafe { raw::malloc(n * 8) };
        let dest = [room(ROOM * CALLS), room(ROOM * CALLS)];
        let mut teams = [TeamHandle::WORLD; 3];
        for (team, (start, stride)) in teams[1..].iter_mut().zip([(0, 1), (n_pes as i32 - 1, -1)]) {
            // SAFETY: as above.
            let made = unsafe {
                raw::team_split_strided(
                    TeamHandle::WORLD,
                    start,
                    stride,
                    n_pes as i32,
                    std::ptr::null(),
                    0,
                    team,
                )
            };
            assert_eq!(made, 0);
        }
        let safe = std::array::from_fn(|_| world.alloc::<i64>(3000).expect("there is room"));
        let blocks = (0..CALLS).map(|_| room(4)).collect();
        let job = Job { world, n_pes, me, teams, src: room(ROOM), dest, blocks, safe, at: 0, made: 0 };
        assert!(!job.dest.contains(&std::ptr::null_mut()) && !job.src.is_null());
        world.barrier();
        job
    }

    fn fill<T: Value>(&self) -> *mut T {
        let src = self.src.cast::<T>();
        for i in 0..ROOM / 2 {
            // SAFETY: inside the source, which others only read, and where they read another type's elements, they are
            // found out.
            unsafe { src.wrapping_add(i).write_volatile(T::of(value(self.me, i))) };
        }
        src
    }

    fn right(&self, what: impl Debug, right: bool) {
        if !right {
            println!("PE {}: WRONG after call {}: {what:?}", self.me, self.at);
        }
    }

    fn address(&self, block: *mut u8, size: usize) {
        if size > 0 {
            // SAFETY: the library stays up.
            let base = unsafe { raw::heap_base() }.addr();
            let offset = block.addr().saturating_sub(base);
            println!("address {} {offset:#x}", self.made);
        }
    }

    fn call<T: Value>(&mut self, call: &Call) {
        match call.what {
            What::Malloc
            | What::Calloc
            | What::Align { .. }
            | What::Realloc
            | What::Free
            | What::FreeNull => self.heap(call),
            What::Alloc
            | What::AllocLock
            | What::AllocSignal
            | What::Phase { .. }
            | What::ReduceOne(_)
            | What::BroadcastOne { .. }
            | What::CollectOne
            | What::SafeReduce(_)
            | What::SafeBroadcast { .. } => self.safe::<T>(call),
            // SAFETY: all PEs call; what differs is the point.
            What::Barrier => unsafe { raw::barrier_all() },
            What::Split { size } => {
                let mut team = TeamHandle::INVALID;
                // SAFETY: as above.
                let made = unsafe {
                    let none = std::ptr::null();
                    raw::team_split_strided(TeamHandle::WORLD, 0, 1, size as i32, none, 0, &raw mut team)
                };
                println!("address {} split{made}", self.made);
            }
            _ => self.collective::<T>(call),
        }
    }

    fn heap(&mut self, call: &Call) {
        let n = call.n * 8;
        // SAFETY: all PEs call; what differs is the point.
        #[allow(clippy::multiple_unsafe_ops_per_block, reason = "one of them")]
        unsafe {
            match call.what {
                What::Malloc => self.address(raw::malloc(n), n),
                What::Calloc => self.address(raw::calloc(n, 1), n),
                What::Align { align } => self.address(raw::align(align, n), n),
                What::Realloc => {
                    let block = self.blocks.pop().unwrap_or_default();
                    self.address(raw::realloc(block, n), n);
                }
                What::Free => {
                    let block = self.blocks.pop().unwrap_or_default();
                    let _ = raw::free(block);
                }
                _ => {
                    let _ = raw::free(std::ptr::null_mut());
                }
            }
        }
    }

    /// Rank and members, as PEs of the world, of those who call.
    fn members(&self, on: On) -> (u32, Vec<u32>) {
        let all = 0..self.n_pes;
        match on {
            On::Reversed => (self.n_pes - 1 - self.me, all.rev().collect()),
            _ => (self.me, all.collect()),
        }
    }

    fn collective<T: Value>(&mut self, call: &Call) {
        let (src, n) = (self.fill::<T>(), call.n);
        // Each call has its own: a fast PE may write to it before a slow one has looked at the last one's.
        let dest = self.dest[call.dest].wrapping_add(self.at * ROOM * 8).cast::<T>();
        let (rank, members) = self.members(call.on);
        let none = std::ptr::null_mut::<T>();
        let (size, set) = (self.n_pes as i32, matches!(call.on, On::Set | On::OtherSet));
        let psync = PSYNC[usize::from(call.on == On::OtherSet)].0.get().cast::<i64>();
        let team = self.teams[match call.on {
            On::Team => 1,
            On::Reversed => 2,
            _ => 0,
        }];
        // SAFETY: all PEs call, with room for what is asked for; what differs is the point.
        #[allow(clippy::multiple_unsafe_ops_per_block, reason = "one of them")]
        unsafe {
            match (call.what, set) {
                (What::Broadcast { root }, false) => {
                    let _ = raw::broadcast(team, dest, src, n, root as i32);
                }
                (What::Broadcast { root }, true) => {
                    aset::broadcast(dest, src, n, root as i32, 0, 0, size, psync);
                }
                (What::Fcollect, false) => {
                    let _ = raw::fcollect(team, dest, src, n);
                }
                (What::Fcollect, true) => aset::fcollect(dest, src, n, 0, 0, size, psync),
                (What::Collect, false) => {
                    let _ = raw::collect(team, dest, src, n);
                }
                (What::Collect, true) => aset::collect(dest, src, n, 0, 0, size, psync),
                (What::Alltoall, false) => {
                    let _ = raw::alltoall(team, dest, src, n);
                }
                (What::Alltoall, true) => aset::alltoall(dest, src, n, 0, 0, size, psync),
                (What::Alltoalls { dst }, false) => {
                    let _ = raw::alltoalls(team, dest, src, dst as isize, 1, n);
                }
                (What::Alltoalls { dst }, true) => {
                    aset::alltoalls(dest, src, dst as isize, 1, n, 0, 0, size, psync);
                }
                (What::Reduce(Op::Sum), false) => {
                    let _ = raw::sum_reduce(team, dest, src, n);
                }
                (What::Reduce(Op::Max), false) => {
                    let _ = raw::max_reduce(team, dest, src, n);
                }
                (What::Reduce(Op::Min), false) => {
                    let _ = raw::min_reduce(team, dest, src, n);
                }
                (What::Reduce(Op::Sum), true) => {
                    aset::sum_to_all(dest, src, n as i32, 0, 0, size, none, psync)
                }
                (What::Reduce(Op::Max), true) => {
                    aset::max_to_all(dest, src, n as i32, 0, 0, size, none, psync)
                }
                (What::Reduce(Op::Min), true) => {
                    aset::min_to_all(dest, src, n as i32, 0, 0, size, none, psync)
                }
                (What::Inscan, _) => {
                    let _ = raw::sum_inscan(team, dest, src, n);
                }
                (What::Exscan, _) => {
                    let _ = raw::sum_exscan(team, dest, src, n);
                }
                (_, false) => {
                    let _ = raw::team_sync(team);
                }
                (_, true) => aset::sync(0, 0, size, psync),
            }
        }
        // SAFETY: inside of `dest`, where nobody writes any more.
        let got = |i: usize| unsafe { dest.wrapping_add(i).read_volatile() };
        let of = |member: u32, i: usize| T::of(value(members[member as usize], i));
        let all = 0..self.n_pes;
        let right = match call.what {
            What::Broadcast { root } => set && rank == root || (0..n).all(|i| got(i) == of(root, i)),
            What::Fcollect | What::Collect => {
                all.clone().all(|member| (0..n).all(|i| got(member as usize * n + i) == of(member, i)))
            }
            What::Alltoall | What::Alltoalls { .. } => {
                let dst = if let What::Alltoalls { dst } = call.what { dst } else { 1 };
                let at = |member: u32, i: usize| got((member as usize * n + i) * dst);
                all.clone().all(|member| (0..n).all(|i| at(member, i) == of(member, rank as usize * n + i)))
            }
            What::Reduce(op) => (0..n).all(|i| {
                let values = all.clone().map(|member| value(members[member as usize], i));
                got(i) == T::of(apply(op, values))
            }),
            What::Inscan => (0..n)
                .all(|i| got(i) == T::of((0..=rank).map(|member| value(members[member as usize], i)).sum())),
            What::Exscan => (0..n)
                .all(|i| got(i) == T::of((0..rank).map(|member| value(members[member as usize], i)).sum())),
            _ => true,
        };
        self.right(call, right);
    }

    fn safe<T: Value>(&mut self, call: &Call) {
        let (world, me, n_pes) = (self.world, self.me, self.n_pes);
        let mine = T::of(value(me, 0));
        let all = || (0..n_pes).map(|pe| value(pe, 0));
        let right = match call.what {
            What::Alloc => {
                match world.alloc::<T>(call.n) {
                    Ok(object) => println!("address {} length{}", self.made, object.len()),
                    Err(e) => eprintln!("{e}"),
                }
                true
            }
            What::AllocLock => {
                world.alloc_lock().map(drop).unwrap_or_else(|e| eprintln!("{e}"));
                true
            }
            What::AllocSignal => {
                world.alloc_signal().map(drop).unwrap_or_else(|e| eprintln!("{e}"));
                true
            }
            What::Phase { read_only: true } => {
                world.try_share(&self.safe[0], |_, _| ()).unwrap_or_else(|e| eprintln!("{e}"));
                true
            }
            What::Phase { .. } => {
                world.try_share(&mut self.safe[0], |_, _| ()).unwrap_or_else(|e| eprintln!("{e}"));
                true
            }
            What::ReduceOne(op) => reduced(world, op, mine) == T::of(apply(op, all())),
            What::BroadcastOne { root } => world.broadcast_one(mine, root as usize) == T::of(value(root, 0)),
            What::CollectOne => world.collect_one(mine) == all().map(T::of).collect::<Vec<_>>(),
            What::SafeReduce(op) => {
                let [dest, src] = &mut self.safe;
                src.iter_mut().enumerate().for_each(|(i, x)| *x = i64::from(value(me, i)));
                let (mut dest, _) = dest.parts_mut(call.n);
                let (src, _) = src.parts_mut(call.n);
                match op {
                    Op::Sum => world.reduce(Sum, &mut dest, &src),
                    Op::Max => world.reduce(Max, &mut dest, &src),
                    Op::Min => world.reduce(Min, &mut dest, &src),
                }
                let right = |i: usize| i64::from(apply(op, (0..n_pes).map(|pe| value(pe, i))));
                (0..call.n).all(|i| dest[i] == right(i))
            }
            What::SafeBroadcast { root } => {
                let (mut object, _) = self.safe[0].parts_mut(call.n);
                object.iter_mut().enumerate().for_each(|(i, x)| *x = i64::from(value(me, i)));
                world.broadcast(&mut object, root as usize);
                (0..call.n).all(|i| object[i] == i64::from(value(root, i)))
            }
            _ => true,
        };
        self.right(call, right);
    }
}

fn apply(op: Op, values: impl Iterator<Item = u32>) -> u32 {
    match op {
        Op::Sum => values.sum(),
        Op::Max => values.max().unwrap_or(0),
        Op::Min => values.min().unwrap_or(0),
    }
}

fn reduced<T: Value + Elem>(world: &World, op: Op, mine: T) -> T {
    match op {
        Op::Sum => world.reduce_one(Sum, mine),
        Op::Max => world.reduce_one(Max, mine),
        Op::Min => world.reduce_one(Min, mine),
    }
}
