//! The collectives of the safe API against a sequential model: types, operators, lengths, teams, objects and values.

use crate::longs::is_here;
use shmem_api::testing::{self, Boot, Launch, mix};
use shmem_api::{
    And, Arith, Bitwise, Complex, Elem, Max, Min, Operator, Or, Ordered, Prod, Single, Sum, Team, World, Xor,
    multi_pe,
};

/// Shorter and longer than what fits in a signature, in what every PE reads, and in one chunk.
const LENGTHS: [usize; 9] = [0, 1, 2, 7, 33, 64, 515, 2048, 9001];

/// The teams to try: the PEs of each, in the world's numbers. The last two only where they are teams.
fn teams(world: &World) -> Vec<(Option<Team<'_, Single>>, Vec<usize>)> {
    let (me, n) = (world.pe(), world.n_pes());
    let back = world.split_strided(n - 1, -1, n).unwrap();
    let odd = world.split_strided(n / 2, 1, n - n / 2).unwrap();
    let (row, column) = world.split_2d(n.div_ceil(2)).unwrap();
    let width = n.div_ceil(2);
    vec![
        (back, (0..n).rev().collect()),
        (odd, (n / 2..n).collect()),
        (Some(row), (0..n).filter(|pe| pe / width == me / width).collect()),
        (Some(column), (0..n).filter(|pe| pe % width == me % width).collect()),
    ]
}

/// What moves data, for one type on one team.
fn moves<T: Elem + PartialEq + std::fmt::Debug>(
    world: &World,
    team: &Team<'_, Single>,
    pes: &[usize],
    value: &impl Fn(u64) -> T,
) {
    let (me, n) = (team.pe(), pes.len());
    let of = |pe: usize, i: usize| value(mix(pes[pe] as u64, i as u64));
    // What is shared by a team is allocated by the world; the others take part in that, and in no more.
    for len in LENGTHS.into_iter().filter(|len| *len < 3000) {
        let mut object = world.alloc_with(len, |i| of(me, i)).unwrap();
        let root = len % n;
        team.broadcast(&mut object, root);
        assert!(object.iter().enumerate().all(|(i, v)| *v == of(root, i)), "broadcast of {len}");

        let src = world.alloc_with(len, |i| of(me, i)).unwrap();
        let mut all = world.alloc::<T>(len * world.n_pes()).unwrap();
        let (mut dest, mut rest) = all.parts_mut(len * n);
        team.fcollect(&mut dest, &src);
        for pe in 0..n {
            assert!((0..len).all(|i| dest[pe * len + i] == of(pe, i)), "fcollect of {len} from {pe}");
        }
        assert!(rest.iter().all(|v| *v == T::zeroed()));

        // Lengths that differ: PE k gives the first `len / (k + 1)`.
        dest.fill(T::zeroed());
        let given = |pe: usize| len / (pe + 1);
        let mut source = world.alloc_with(len, |i| of(me, i)).unwrap();
        let (mine, _) = source.parts_mut(given(me));
        let expected: Vec<T> = (0..n).flat_map(|pe| (0..given(pe)).map(move |i| of(pe, i))).collect();
        assert_eq!(team.collect(&mut dest, &mine), expected.len());
        assert_eq!(dest[..expected.len()], expected[..]);
        assert!(dest[expected.len()..].iter().all(|v| *v == T::zeroed()));
        rest.fill(T::zeroed());

        let mut blocks = world.alloc_with(len * world.n_pes(), |i| of(me, i)).unwrap();
        let (from, _) = blocks.parts_mut(len * n);
        team.alltoall(&mut dest, &from);
        for pe in 0..n {
            assert!((0..len).all(|i| dest[pe * len + i] == of(pe, me * len + i)), "alltoall of {len}");
        }
        // Strided: every second element here, every third there.
        let (few, mut wide) = (len / 3, world.alloc::<T>(len * world.n_pes()).unwrap());
        team.alltoalls(&mut wide, 3, &blocks, 2, few);
        let mut model = vec![T::zeroed(); wide.len()];
        for pe in 0..n {
            (0..few).for_each(|i| model[(pe * few + i) * 3] = of(pe, (me * few + i) * 2));
        }
        assert_eq!(*wide, model[..], "alltoalls of {few}");
    }
    let root = n - 1;
    assert_eq!(team.broadcast_one(of(me, 5), root), of(root, 5));
    assert_eq!(team.collect_one(of(me, 6)), (0..n).map(|pe| of(pe, 6)).collect::<Vec<T>>());
}

/// The members of a team by host, as ranks: the hosts in the order of their first members.
fn hosts(world: &World, team: &Team<'_, Single>, pes: &[usize]) -> Vec<Vec<usize>> {
    let object = world.alloc::<u8>(1).unwrap();
    let first = pes.iter().position(|pe| is_here(object.as_ptr(), *pe));
    let firsts = team.collect_one(first.unwrap());
    let of = |first: usize| (0..pes.len()).filter(|rank| firsts[*rank] == first).collect();
    (0..pes.len()).filter(|rank| firsts[*rank] == *rank).map(of).collect()
}

/// One operator on one type: an object, one in place, a value. All members get the same bits: those of a fold in the order of ranks, or, of
/// more elements than they show, on each host and then over the hosts.
fn reduces<T: Elem + PartialEq + std::fmt::Debug, O: Operator<T> + Copy>(
    world: &World,
    team: &Team<'_, Single>,
    pes: &[usize],
    op: O,
    value: &impl Fn(u64) -> T,
) {
    let (me, n) = (team.pe(), pes.len());
    let of = |pe: usize, i: usize| value(mix(pes[pe] as u64, i as u64));
    let model = |i: usize| (1..n).map(|pe| of(pe, i)).fold(of(0, i), O::apply);
    let hosts = hosts(world, team, pes);
    let on_host = |ranks: &Vec<usize>, i: usize| ranks.iter().map(|pe| of(*pe, i)).reduce(O::apply).unwrap();
    let by_hosts = |i: usize| hosts.iter().map(|ranks| on_host(ranks, i)).reduce(O::apply).unwrap();
    for len in LENGTHS {
        let mut src = world.alloc_with(len, |i| of(me, i)).unwrap();
        let mut dest = world.alloc::<T>(len).unwrap();
        team.reduce(op, &mut dest, &src);
        assert!(
            dest.iter().enumerate().all(|(i, v)| *v == model(i))
                || dest.iter().enumerate().all(|(i, v)| *v == by_hosts(i)),
            "{len} of {n}: {:?}",
            &dest[..len.min(9)]
        );
        assert!(src.iter().enumerate().all(|(i, v)| *v == of(me, i)), "the source stays");
        team.reduce_in_place(op, &mut src);
        assert_eq!(*src, *dest);
    }
    assert_eq!(team.reduce_one(op, of(me, 3)), model(3));
}

fn scans<T: Arith + PartialEq + std::fmt::Debug>(
    world: &World,
    team: &Team<'_, Single>,
    pes: &[usize],
    value: &impl Fn(u64) -> T,
) {
    let (me, n) = (team.pe(), pes.len());
    let of = |pe: usize, i: usize| value(mix(pes[pe] as u64, i as u64));
    let before = |i: usize, end: usize| (0..end).map(|pe| of(pe, i)).reduce(Sum::apply).unwrap_or(T::ZERO);
    for len in LENGTHS {
        let src = world.alloc_with(len, |i| of(me, i)).unwrap();
        let mut dest = world.alloc_with(len, |_| value(1)).unwrap();
        team.inscan(&mut dest, &src);
        assert!(dest.iter().enumerate().all(|(i, v)| *v == before(i, me + 1)), "inscan of {len} on {n}");
        team.exscan(&mut dest, &src);
        assert!(dest.iter().enumerate().all(|(i, v)| *v == before(i, me)), "exscan of {len} on {n}");
    }
    assert_eq!(team.inscan_one(of(me, 8)), before(8, me + 1));
    assert_eq!(team.exscan_one(of(me, 8)), before(8, me));
}

fn bits<T: Bitwise + PartialEq + std::fmt::Debug>(
    w: &World,
    t: &Team<'_, Single>,
    p: &[usize],
    v: &impl Fn(u64) -> T,
) {
    reduces(w, t, p, And, v);
    reduces(w, t, p, Or, v);
    reduces(w, t, p, Xor, v);
}

fn order<T: Ordered + PartialEq + std::fmt::Debug>(
    w: &World,
    t: &Team<'_, Single>,
    p: &[usize],
    v: &impl Fn(u64) -> T,
) {
    reduces(w, t, p, Min, v);
    reduces(w, t, p, Max, v);
}

fn sums<T: Arith + PartialEq + std::fmt::Debug>(
    w: &World,
    t: &Team<'_, Single>,
    p: &[usize],
    v: &impl Fn(u64) -> T,
) {
    reduces(w, t, p, Sum, v);
    reduces(w, t, p, Prod, v);
    scans(w, t, p, v);
}

multi_pe! {
    fn data_moves_on_the_world(world) on [1, 2, 3, 4, 8] {
        let pes: Vec<usize> = (0..world.n_pes()).collect();
        moves(world, world, &pes, &|x| x as u8);
        moves(world, world, &pes, &|x| x as i32);
        moves(world, world, &pes, &|x| x as f64);
        moves(world, world, &pes, &|x| [x as u32, (x >> 7) as u32, (x >> 9) as u32]);
    }

    /// Allocations are the world's, so all PEs go through the same ones, member or not.
    fn data_moves_on_teams(world) on [1, 2, 3, 4, 8] {
        for (team, pes) in teams(world).into_iter().filter(|(_, pes)| pes.len() == world.n_pes()) {
            moves(world, &team.unwrap(), &pes, &|x| x);
        }
        // On teams that are a part: no allocation while the others are elsewhere.
        for (team, pes) in teams(world) {
            let Some(team) = team else { continue };
            let me = team.pe();
            assert_eq!(team.collect_one(world.pe()), pes);
            assert_eq!(team.broadcast_one(world.pe(), pes.len() - 1), pes[pes.len() - 1]);
            assert_eq!(team.reduce_one(Sum, 1u32 << world.pe()), pes.iter().map(|pe| 1 << pe).sum::<u32>());
            assert_eq!(team.exscan_one(world.pe()), pes[..me].iter().sum::<usize>());
        }
        let mut dest = world.alloc::<u64>(8 * world.n_pes()).unwrap();
        let src = world.alloc_with(8, |i| (world.pe() * 10 + i) as u64).unwrap();
        for (team, pes) in teams(world) {
            let Some(team) = team else { continue };
            let (mut part, _) = dest.parts_mut(8 * pes.len());
            team.fcollect(&mut part, &src);
            let expected = pes.iter().flat_map(|pe| (0..8).map(move |i| (pe * 10 + i) as u64));
            assert!(part.iter().copied().eq(expected), "{pes:?}: {part:?}");
            let (mut part, _) = dest.parts_mut(8);
            team.reduce(Max, &mut part, &src);
            let most = *pes.iter().max().unwrap();
            assert!(part.iter().enumerate().all(|(i, v)| *v == (most * 10 + i) as u64));
        }
    }

    fn integers_are_reduced_and_scanned(world) on [1, 2, 3, 4, 8] {
        let pes: Vec<usize> = (0..world.n_pes()).collect();
        macro_rules! integers {
            ($($int:ty)*) => {$(
                bits::<$int>(world, world, &pes, &|x| x as $int);
                order::<$int>(world, world, &pes, &|x| x as $int);
                sums::<$int>(world, world, &pes, &|x| x as $int);
            )*};
        }
        integers!(i8 u16 i32 u64 isize);
    }

    fn numbers_are_reduced_and_scanned(world) on [1, 2, 3, 4, 8] {
        let pes: Vec<usize> = (0..world.n_pes()).collect();
        // The model folds in the same order, so the bits are the same.
        order::<f32>(world, world, &pes, &|x| (x >> 40) as f32 / 7.0);
        sums::<f32>(world, world, &pes, &|x| (x >> 40) as f32 / 7.0);
        order::<f64>(world, world, &pes, &|x| (x >> 11) as f64 / 3.0);
        sums::<f64>(world, world, &pes, &|x| (x >> 11) as f64 / 3.0);
        sums::<Complex<f64>>(world, world, &pes, &|x| Complex::new((x >> 33) as f64, (x >> 50) as f64));
        let back = world.split_strided(world.n_pes() - 1, -1, world.n_pes()).unwrap().unwrap();
        let pes: Vec<usize> = pes.into_iter().rev().collect();
        sums::<f64>(world, &back, &pes, &|x| (x >> 11) as f64 / 3.0);
    }

    /// Back to back, on two teams in turn, with objects that are changed in between without a barrier.
    fn collectives_follow_each_other_without_a_barrier(world) on [2, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        let (row, _) = world.split_2d(2).unwrap();
        let mut src = world.alloc::<u64>(300).unwrap();
        let mut dest = world.alloc::<u64>(300).unwrap();
        let mut wide = world.alloc::<u64>(300 * n).unwrap();
        for round in 0..300u64 {
            src.fill(round + me as u64);
            world.reduce(Sum, &mut dest, &src);
            assert!(dest.iter().all(|v| *v == round * n as u64 + (n * (n - 1) / 2) as u64));
            src.fill(round * 2 + me as u64);
            world.fcollect(&mut wide, &src);
            assert!((0..n).all(|pe| wide[300 * pe] == round * 2 + pe as u64 && wide[300 * pe + 299] == wide[300 * pe]));
            wide.fill(0);
            dest.fill(me as u64 * 1000 + round);
            row.broadcast(&mut dest, round as usize % row.n_pes());
            let root = row.translate(round as usize % row.n_pes(), world).unwrap();
            assert!(dest.iter().all(|v| *v == root as u64 * 1000 + round));
            assert_eq!(world.reduce_one(Max, me as u64 + round), n as u64 - 1 + round);
        }
    }

    /// A collective may be called in a phase that shares other objects; and a phase may be between two of them.
    fn collectives_and_phases_mix(world) on [1, 2, 4] {
        let (me, n) = (world.pe(), world.n_pes());
        let mut shared = world.alloc::<u64>(1).unwrap();
        let mut sum = world.alloc_one(me as u64).unwrap();
        world.share(&mut shared, |_, shared| {
            world.reduce_in_place(Sum, &mut sum);
            shared.put_one((me + 1) % n, 0, *sum + world.exscan_one(1u64));
        });
        let (left, all) = ((me + n - 1) % n, (n * (n - 1) / 2) as u64);
        assert_eq!((shared[0], *sum), (all + left as u64, all));
    }
}

/// PEs whose calls differ end the job with a line that names both; so does what does not fit.
#[test]
fn a_collective_over_different_objects_ends_the_job() {
    let test = here!("a_collective_over_different_objects_ends_the_job");
    let cases = [
        ("object", "a broadcast of 4 elements of 8 bytes (u64) from PE 0 of the team, in place at"),
        ("root", "from PE 1 of the team"),
        ("length", "of 3 elements of 8 bytes"),
        ("operator", "a reduction (max) of 4 elements"),
        ("call", "an alltoall of 2 elements"),
        ("nothing", "of 0 elements of 8 bytes"),
        ("value", "(prod) of 1 elements of 4 bytes"),
        ("room", "PE 1: Team::reduce: dest has 5 elements; it must have 4"),
        ("total", "Team::collect: dest has 7 elements, and all sources together 8"),
        ("no-pe", "PE 1: Team::broadcast: there is no PE 2; the team has PEs 0 to 1"),
    ];
    if testing::is_pe() {
        let world = World::init().unwrap();
        let other = world.pe() == 1;
        let (mut a, mut b) = (world.alloc::<u64>(4).unwrap(), world.alloc::<u64>(4).unwrap());
        let mut c = world.alloc::<u64>(7).unwrap();
        match std::env::var("CASE").unwrap().as_str() {
            "object" => world.broadcast(if other { &mut b } else { &mut a }, 0),
            "root" => world.broadcast(&mut a, usize::from(other)),
            "length" => world.broadcast(&mut a.parts_mut(4 - usize::from(other)).0, 0),
            "operator" if other => world.reduce(Max, &mut a, &b),
            "operator" => world.reduce(Sum, &mut a, &b),
            "call" if other => world.alltoall(&mut a, &b),
            "call" => world.reduce(Sum, &mut a, &b),
            "nothing" => world.reduce_in_place(Sum, &mut a.parts_mut(if other { 0 } else { 4 }).0),
            "value" if other => _ = world.reduce_one(Prod, 1i32),
            "value" => _ = world.reduce_one(Sum, 1i32),
            "room" => world.reduce(Sum, &mut c.parts_mut(4 + usize::from(other)).0, &a),
            "total" => _ = world.collect(&mut c, &a),
            "no-pe" => world.broadcast(&mut a, 2 * usize::from(other)),
            case => panic!("{case}?"),
        }
        unreachable!("the job ends");
    }
    for (case, says) in cases {
        let outcome = Launch::of_test(test, 2, Boot::Local).env("CASE", case).run();
        assert!(!outcome.status.success() && !outcome.timed_out, "{case}: {outcome}");
        assert!(outcome.stderr.lines().any(|l| l.contains(says)), "{case}: {outcome}");
    }
}
