//! Teams of the safe API: splits against lists of PEs, phases on teams, what is refused, what is left behind.
#![allow(unsafe_code)] // A PE raises its thread level by the raw API.

use shmem_api::testing::{self, Boot, Launch};
use shmem_api::{
    Cmp, Error, Serialized, SignalOp, Single, SplitError, Team, World, multi_pe, raw, sym_static,
};

sym_static! {
    static COUNT: SymStatic<u64> = 0;
    static BELL: StaticSignal;
}

/// What a team of these PEs of the world, in this order, must do.
fn check(world: &World, team: &Team<'_, Single>, pes: &[usize]) {
    let n = pes.len();
    assert_eq!((team.n_pes(), pes[team.pe()]), (n, world.pe()), "{pes:?}");
    for (rank, pe) in pes.iter().enumerate() {
        assert_eq!((team.translate(rank, world), world.translate(*pe, team)), (Some(*pe), Some(rank)));
    }
    for pe in (0..world.n_pes()).filter(|pe| !pes.contains(pe)) {
        assert_eq!(world.translate(pe, team), None);
    }
    assert_eq!(team.translate(n, world), None);
    team.barrier();
}

/// A phase in which everything goes round the team: puts, gets, atomics, signals, waits, through a context, too.
fn phase_on(
    world: &World,
    team: &Team<'_, Single>,
    pes: &[usize],
    object: &mut shmem_api::SymSlice<'_, u64>,
) {
    let (rank, n) = (team.pe(), team.n_pes());
    let (next, left) = ((rank + 1) % n, (rank + n - 1) % n);
    object.fill(0);
    let ctx = team.ctx(Serialized).unwrap();
    assert_eq!((ctx.pe(), ctx.n_pes()), (rank, n));
    team.share(&mut *object, |phase, object| {
        assert_eq!((phase.pe(), phase.n_pes()), (rank, n));
        object.put_one(next, 0, world.pe() as u64 + 1);
        object.via(&ctx).add(next, 1, 5);
        object.inc(next, 1);
        assert_eq!(object.wait_until(1, Cmp::Ge, 6), 6);
        phase.barrier();
        assert_eq!(object.read(0), pes[left] as u64 + 1);
        assert_eq!(object.get_one(left, 0), pes[(left + n - 1) % n] as u64 + 1);
        // Pointers hold numbers of the world: they mean the same in every team.
        let ptr = object.global(next, 0);
        assert_eq!(object.locate(ptr), Some((next, 0)));
        assert_eq!(ptr.get(&object), world.pe() as u64 + 1);
    });
    assert_eq!(object[..2], [pes[left] as u64 + 1, 6]);
    assert!(object[2..].iter().all(|v| *v == 0));
}

fn strided(start: usize, stride: isize, size: usize) -> Vec<usize> {
    (0..size as isize).map(|i| (start as isize + i * stride) as usize).collect()
}

multi_pe! {
    fn strided_and_2d_teams_are_the_pes_they_name(world) on [1, 2, 3, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let mut object = world.alloc::<u64>(4).unwrap();
        let mut names = Vec::new();
        for start in 0..n {
            for stride in -3isize..=3 {
                for size in 1..=n {
                    let last = start as isize + stride * (size as isize - 1);
                    if (0..n as isize).contains(&last) && (stride != 0 || size == 1) {
                        names.push((start, stride, size));
                    }
                }
            }
        }
        // All of them on few PEs, every seventh on many.
        let step = if n > 4 { 7 } else { 1 };
        for (start, stride, size) in names.into_iter().step_by(step) {
            let pes = strided(start, stride, size);
            match world.split_strided(start, stride, size).unwrap() {
                Some(team) => {
                    check(world, &team, &pes);
                    phase_on(world, &team, &pes, &mut object);
                }
                None => assert!(!pes.contains(&me), "{start} {stride} {size}"),
            }
        }
        for width in 1..=n + 1 {
            let (row, column) = world.split_2d(width).unwrap();
            let width = width.min(n);
            let in_row: Vec<usize> = (0..n).filter(|pe| pe / width == me / width).collect();
            let in_column: Vec<usize> = (0..n).filter(|pe| pe % width == me % width).collect();
            check(world, &row, &in_row);
            check(world, &column, &in_column);
            phase_on(world, &row, &in_row, &mut object);
            phase_on(world, &column, &in_column, &mut object);
            if width % 2 == 0 {
                column.destroy().unwrap();
            }
        }
    }

    /// Each half shares the object by itself; a PE of the other half sees nothing of it. Halves of halves, too.
    fn teams_are_apart_and_teams_of_teams_are_too(world) on [2, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let low = world.split_strided(0, 1, n / 2).unwrap();
        let high = world.split_strided(n / 2, 1, n / 2).unwrap();
        let half = low.as_ref().or(high.as_ref()).unwrap();
        assert!(low.is_some() != high.is_some());
        let mut object = world.alloc_with(1, |_| 0u64).unwrap();
        half.share(&mut object, |phase, object| {
            for pe in 0..phase.n_pes() {
                object.add(pe, 0, 1 << me);
            }
        });
        let first = me / (n / 2) * (n / 2);
        assert_eq!(object[0], (first..first + n / 2).map(|pe| 1u64 << pe).sum::<u64>());

        let pair = n / 2;
        let backwards = half.split_strided(pair - 1, -1, pair).unwrap().unwrap();
        assert_eq!((backwards.pe(), backwards.translate(0, half)), (pair - 1 - half.pe(), Some(pair - 1)));
        let alone = backwards.split_2d(1).unwrap().0;
        assert_eq!((alone.n_pes(), alone.translate(0, world)), (1, Some(me)));
        alone.share(&mut object, |_, object| object.set(0, 0, 7));
        // A phase of the world with a phase of a team in it, over another object.
        let mut other = world.alloc::<u64>(n).unwrap();
        world.share(&mut object, |_, object| {
            half.share(&mut other, |phase, other| {
                (0..phase.n_pes()).for_each(|pe| other.put_one(pe, phase.pe(), object.read(0)));
            });
        });
        assert!(other[..n / 2].iter().all(|v| *v == 7) && other[n / 2..].iter().all(|v| *v == 0));
    }

    fn statics_and_signals_on_a_team(world) on [1, 2, 3, 4, 8] {
        let n = world.n_pes();
        let evens = world.split_strided(0, 2, n.div_ceil(2)).unwrap();
        if let Some(team) = &evens {
            let (rank, size) = (team.pe(), team.n_pes());
            COUNT.on(team).inc(size - 1, 0);
            BELL.on(team).add((rank + 1) % size, 1);
            BELL.on(team).wait_until(Cmp::Eq, 1);
            team.barrier();
            if rank == size - 1 {
                assert_eq!(COUNT.on(team).read(0), size as u64);
            }
        }
        let mut inbox = world.alloc::<u64>(3).unwrap();
        let mut full = world.alloc_signal().unwrap();
        if let Some(team) = &evens {
            let (rank, size) = (team.pe(), team.n_pes());
            team.share((&mut inbox, &mut full), |_, (inbox, full)| {
                full.put_signal(inbox, (rank + 1) % size, 0, &[rank as u64 + 10; 3], SignalOp::Set(9));
                full.wait_until(Cmp::Eq, 9);
                assert_eq!(inbox.get_vec(rank, 0..3), [((rank + size - 1) % size) as u64 + 10; 3]);
            });
        }
        world.barrier();
    }

    /// What is refused is the same error on every PE of the parent, and life goes on.
    fn a_team_that_cannot_be_is_an_error_on_every_pe(world) on [1, 2, 4] {
        let (me, n) = (world.pe(), world.n_pes());
        for (start, stride, size) in
            [(0, 1, n + 1), (n, 1, 1), (0, 1, 0), (0, 0, 2), (0, -1, 2), (usize::MAX, 1, 1), (0, isize::MAX, n + 1)]
        {
            match world.split_strided(start, stride, size) {
                Err(Error::Split { pe, why: SplitError::Shape }) => assert_eq!(pe.0 as usize, me),
                other => panic!("{start} {stride} {size}: {:?}", other.map(|team| team.map(|t| t.n_pes()))),
            }
        }
        assert!(matches!(world.split_2d(0), Err(Error::Split { why: SplitError::Shape, .. })));
        if n > 1 {
            let differs = world.split_strided(0, 1, 1 + usize::from(me == 1));
            assert!(matches!(differs, Err(Error::Diverged(_))));
            let team = world.split_strided(0, 1, n).unwrap().unwrap();
            let mut object = world.alloc::<u64>(2).unwrap();
            let (mut one, mut other) = object.parts_mut(1);
            let mine = if me == 1 { &mut other } else { &mut one };
            let e = team.try_share(mine, |_, _| unreachable!("no closure runs")).unwrap_err();
            assert_eq!(e.pe.0, 1);
            team.barrier();
        }
    }

    /// Handles of a phase and contexts or signals of another team do not mix.
    fn what_is_of_another_team_is_refused(world) on [2, 4] {
        let n = world.n_pes();
        let back = world.split_strided(n - 1, -1, n).unwrap().unwrap();
        let same = world.split_strided(0, 1, n).unwrap().unwrap();
        let (other, fits) = (back.ctx(Serialized).unwrap(), same.ctx(Serialized).unwrap());
        let mut object = world.alloc::<u64>(1).unwrap();
        let bell = BELL.on(&back);
        let refused = |text: &str, call: &dyn Fn()| {
            let why = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).unwrap_err();
            let why = why.downcast_ref::<String>().unwrap();
            assert!(why.contains(text), "{why}");
        };
        world.share(&mut object, |_, object| {
            refused("via: the context's team is", &|| _ = object.via(&other).len());
            refused("put_signal: the object is open to", &|| {
                bell.put_signal(object, 0, 0, &[1], SignalOp::Add(1));
            });
            // The same PEs in the same order are as good as the same team.
            object.via(&fits).inc(0, 0);
        });
        world.barrier();
    }

    /// Teams that are dropped or destroyed leave nothing behind: there are far fewer slots.
    fn thousands_of_teams_come_and_go(world) on [1, 2, 4] {
        let (me, n) = (world.pe(), world.n_pes());
        for round in 0..2000 {
            let team = world.split_strided(round % n, 1, n - round % n).unwrap();
            if let Some(team) = team {
                match round % 3 {
                    0 => team.destroy().unwrap(),
                    1 => team.barrier(),
                    _ => drop(team),
                }
            }
            if round % 100 == 0 {
                let (row, column) = world.split_2d(1 + round / 100 % n).unwrap();
                assert_eq!(row.translate(row.pe(), world), Some(me));
                drop(column);
            }
        }
    }
}

/// A slot is free on a PE when every member has dropped the team that had it: neither earlier, though the slot's team
/// before was dropped, too, nor later, though others have had another team in it and dropped that since.
#[test]
fn a_slot_comes_back_when_every_member_has_dropped_its_team() {
    let test = here!("a_slot_comes_back_when_every_member_has_dropped_its_team");
    if !testing::is_pe() {
        return Launch::of_test(test, 3, Boot::Local).env("SHMEM_TEAMS", "5").run().expect_success(test);
    }
    let world = World::init().unwrap();
    let me = world.pe();
    let outer = world.split_strided(0, 2, 2).unwrap();
    let first = world.split_strided(0, 1, 2).unwrap();
    // PE 0 is in four teams now: one slot is left.
    for calls in [0, 0, 1, 1, 1, 1, 1, 1] {
        let all = world.split_strided(0, 1, 3).unwrap().unwrap();
        (0..calls).for_each(|_| all.barrier());
        drop(all);
        world.barrier();
        let mut two = outer.as_ref().map(|outer| outer.split_strided(0, 1, 2).unwrap().unwrap());
        if me == 0 {
            drop(two.take());
        }
        if let Some(first) = &first {
            // PE 2 has not dropped its team.
            let none = first.split_strided(0, 1, 2).err();
            assert!(matches!(none, Some(Error::Split { why: SplitError::NoSlot { .. }, .. })), "{none:?}");
        }
        world.barrier();
        drop(two);
        world.barrier();
        if let Some(first) = &first {
            first.split_strided(0, 1, 2).unwrap().unwrap().barrier();
        }
        world.barrier();
    }
    drop((outer, first));
    world.finalize().unwrap();
}

/// PEs may keep to different thread levels.
#[test]
fn pes_of_different_thread_levels_split() {
    let test = here!("pes_of_different_thread_levels_split");
    if !testing::is_pe() {
        return Launch::of_test(test, 3, Boot::Local).run().expect_success(test);
    }
    let world = World::init().unwrap();
    if world.pe() == 1 {
        // SAFETY: no other thread is in the library.
        assert_eq!(unsafe { raw::init_thread(raw::THREAD_MULTIPLE) }.unwrap(), raw::THREAD_MULTIPLE);
    }
    let team = world.split_strided(0, 1, 3).unwrap().unwrap();
    let (row, column) = team.split_2d(2).unwrap();
    row.barrier();
    column.barrier();
    drop((row, column));
    if world.pe() == 1 {
        // A finalize that is not the last is a barrier.
        // SAFETY: the World is still up.
        unsafe { raw::finalize() };
    } else {
        world.barrier();
    }
    team.barrier();
    drop(team);
    world.finalize().unwrap();
}
