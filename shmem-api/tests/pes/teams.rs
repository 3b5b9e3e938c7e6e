//! Teams of the raw API: every shape against a model of rank lists, the rules of the standard by name, slots,
//! barriers on overlapping teams, threads.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Duration;

use crate::arena::{host, is_one_host};
use shmem_api::raw::{self, Ctx, TEAM_NUM_CONTEXTS, TeamConfig, TeamHandle};
use shmem_api::testing::{self, Boot, Launch, Outcome, Random, mix};
use shmem_api::{Multiple, World, multi_pe};

/// Counts what is allocated, so that a leak shows exactly.
struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: it hands everything to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: an allocator's contract, of which ours is the same.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: an allocator's contract, of which ours is the same.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

// The calls of C, for threads that keep their contracts.
fn my_pe(team: TeamHandle) -> i32 {
    // SAFETY: the World is up.
    unsafe { raw::team_my_pe(team) }
}
fn n_pes(team: TeamHandle) -> i32 {
    // SAFETY: the World is up.
    unsafe { raw::team_n_pes(team) }
}
fn translate(from: TeamHandle, pe: i32, to: TeamHandle) -> i32 {
    // SAFETY: the World is up.
    unsafe { raw::team_translate_pe(from, pe, to) }
}
fn sync(team: TeamHandle) {
    // SAFETY: the World is up, and one thread calls it for this team.
    assert_eq!(unsafe { raw::team_sync(team) }, 0);
}
fn destroy(team: TeamHandle) {
    // SAFETY: the World is up; the tests forget the handle.
    unsafe { raw::team_destroy(team) }
}

fn split_with(
    parent: TeamHandle,
    (start, stride, size): (i32, i32, i32),
    wish: Option<i32>,
) -> (i32, TeamHandle) {
    let mut team = TeamHandle::WORLD;
    let config = wish.map(|num_contexts| TeamConfig { num_contexts });
    let (config, mask) = config.as_ref().map_or((null(), 0), |c| (&raw const *c, TEAM_NUM_CONTEXTS));
    // SAFETY: the World is up; the team is writable, the configuration readable or null.
    let code = unsafe { raw::team_split_strided(parent, start, stride, size, config, mask, &raw mut team) };
    (code, team)
}

fn split(parent: TeamHandle, start: i32, stride: i32, size: i32) -> (i32, TeamHandle) {
    split_with(parent, (start, stride, size), None)
}

fn split_2d(parent: TeamHandle, xrange: i32, wishes: [i32; 2]) -> (i32, [TeamHandle; 2]) {
    let mut teams = [TeamHandle::WORLD; 2];
    let [x, y] = wishes.map(|num_contexts| TeamConfig { num_contexts });
    let [x_team, y_team] = &mut teams;
    let mask = TEAM_NUM_CONTEXTS;
    // SAFETY: the World is up.
    let code =
        unsafe { raw::team_split_2d(parent, xrange, &raw const x, mask, x_team, &raw const y, mask, y_team) };
    (code, teams)
}

fn num_contexts(team: TeamHandle) -> i32 {
    let mut config = TeamConfig { num_contexts: -7 };
    // SAFETY: the World is up, the configuration is writable.
    assert_eq!(unsafe { raw::team_get_config(team, TEAM_NUM_CONTEXTS, &raw mut config) }, 0);
    config.num_contexts
}

/// A team as the model has it: its PEs of the world, by rank.
type Ranks = Vec<i32>;

fn model_split(parent: &Ranks, start: i32, stride: i32, size: i32) -> Option<Ranks> {
    if size < 1 || (stride == 0 && size != 1) {
        return None;
    }
    (0..size).map(|i| usize::try_from(start + i * stride).ok().and_then(|i| parent.get(i)).copied()).collect()
}

fn world_ranks() -> Ranks {
    (0..raw::n_pes()).collect()
}

/// Whether `team` is what the model says, as far as this PE can tell without the others.
fn check(team: TeamHandle, ranks: &Ranks) {
    let me = ranks.iter().position(|pe| *pe == raw::my_pe());
    let Some(me) = me else {
        assert_eq!(team, TeamHandle::INVALID, "{ranks:?}");
        return;
    };
    assert_eq!((my_pe(team), n_pes(team)), (me as i32, ranks.len() as i32), "{ranks:?}");
    for pe in -1..=raw::n_pes() {
        let rank = ranks.iter().position(|r| *r == pe).map_or(-1, |r| r as i32);
        let valid = (0..raw::n_pes()).contains(&pe);
        assert_eq!(translate(TeamHandle::WORLD, pe, team), if valid { rank } else { -1 }, "{ranks:?}");
        let there = usize::try_from(pe).ok().and_then(|r| ranks.get(r)).copied().unwrap_or(-1);
        assert_eq!(translate(team, pe, TeamHandle::WORLD), there, "{ranks:?}");
        let shared = host().iter().position(|on| *on == there).map_or(-1, |rank| rank as i32);
        assert_eq!(translate(team, pe, TeamHandle::SHARED), shared, "{ranks:?}");
    }
}

/// Teams of many kinds, with their models: strided, reversed, nested, of one PE; only those this PE is in.
fn some_teams() -> Vec<(TeamHandle, Ranks)> {
    let n = raw::n_pes();
    let mut all = vec![(TeamHandle::WORLD, world_ranks()), (TeamHandle::SHARED, host())];
    let shapes = [
        (0, 0, (0, 1, n)),
        (0, 1, (n - 1, -1, n)),
        (0, 2, (0, 2, (n + 1) / 2)),
        (0, 3, (n / 2, 1, n - n / 2)),
    ];
    for (parent, _, (start, stride, size)) in shapes {
        let (handle, ranks) = all[parent].clone();
        let model = model_split(&ranks, start, stride, size).unwrap();
        let (code, team) = split(handle, start, stride, size);
        assert_eq!(code, 0);
        check(team, &model);
        all.push((team, model));
    }
    // Of the reversed, which all are in: every second from the end; and a single PE, with a stride of 0.
    let (reversed, ranks) = all[3].clone();
    for (start, stride, size) in [(n - 1, -2, (n + 1) / 2), (n / 2, 0, 1)] {
        let (code, team) = split(reversed, start, stride, size);
        assert_eq!(code, 0);
        let model = model_split(&ranks, start, stride, size).unwrap();
        check(team, &model);
        all.push((team, model));
    }
    all.retain(|(team, _)| *team != TeamHandle::INVALID);
    all
}

fn destroy_all(teams: Vec<(TeamHandle, Ranks)>) {
    for (team, _) in teams.into_iter().skip(2) {
        destroy(team);
    }
}

/// What the members of a team have in common, so that all of them can decide alike: not the handle.
fn name(ranks: &Ranks) -> u64 {
    ranks.iter().fold(7, |h, pe| mix(h, *pe as u64))
}

multi_pe! {
    /// Every triplet, good and bad, of the world and of the reversed world.
    fn strided_splits_are_what_the_model_says(_world) on [1, 2, 3, 4, 7, 8] {
        let n = raw::n_pes();
        let ((code, reversed), world) = (split(TeamHandle::WORLD, n - 1, -1, n), world_ranks());
        assert_eq!(code, 0);
        let back: Ranks = world.iter().rev().copied().collect();
        check(reversed, &back);
        let (strides, step) = if n > 4 { (vec![-n, -3, -2, -1, 0, 1, 2, 3, n], 3) } else { ((-n..=n).collect(), 1) };
        for (parent, ranks) in [(TeamHandle::WORLD, &world), (reversed, &back)] {
            for start in (-1..=n).step_by(step) {
                for &stride in &strides {
                    for size in 0..=n + 1 {
                        let model = model_split(ranks, start, stride, size);
                        let (code, team) = split(parent, start, stride, size);
                        assert_eq!(code != 0, model.is_none(), "{start} {stride} {size}");
                        match model {
                            Some(model) => {
                                check(team, &model);
                                if team != TeamHandle::INVALID {
                                    sync(team);
                                    destroy(team);
                                }
                            }
                            None => assert_eq!(team, TeamHandle::INVALID),
                        }
                    }
                }
            }
        }
        // What wraps around is no triplet, and nothing overflows.
        for (start, stride, size) in [(n - 1, 1, 2), (0, -1, 2), (i32::MAX, 1, 1), (0, i32::MAX, 2), (0, i32::MIN, 3), (0, 1, i32::MAX), (0, 1, -1)] {
            assert_eq!(split(TeamHandle::WORLD, start, stride, size), (split(TeamHandle::WORLD, -1, 1, 1).0, TeamHandle::INVALID));
        }
        destroy(reversed);
    }

    /// Rows and columns of every width; short rows; a width above the size; both teams usable at once.
    fn splits_in_two_dimensions_are_rows_and_columns(_world) on [1, 2, 3, 4, 7, 8] {
        let n = raw::n_pes();
        let (code, backwards) = split(TeamHandle::WORLD, n - 1, -1, n);
        assert_eq!(code, 0);
        let parents = [(TeamHandle::WORLD, world_ranks()), (backwards, world_ranks().into_iter().rev().collect())];
        for (parent, ranks) in parents {
            let me = my_pe(parent);
            for xrange in [1, 2, 3, n - 1, n, n + 1, i32::MAX] {
                if xrange < 1 {
                    continue;
                }
                let width = xrange.min(n);
                let (row, column) = (me / width, me % width);
                // The configurations differ between rows and between columns, as they may.
                let (code, [x, y]) = split_2d(parent, xrange, [row + 10, column + 20]);
                assert_eq!(code, 0);
                let pick = |f: &dyn Fn(i32) -> bool| (0..n).filter(|r| f(*r)).map(|r| ranks[r as usize]).collect();
                check(x, &pick(&|r| r / width == row));
                check(y, &pick(&|r| r % width == column));
                assert_eq!((my_pe(x), my_pe(y)), (column, row));
                assert_eq!((num_contexts(x), num_contexts(y)), (row + 10, column + 20));
                sync(y);
                sync(x);
                let (code, again) = split(x, 0, 1, 1);
                assert_eq!(code, 0);
                for team in [again, x, y] {
                    destroy(team);
                }
            }
            for xrange in [0, -1, i32::MIN] {
                assert_eq!(split_2d(parent, xrange, [0, 0]), (1, [TeamHandle::INVALID; 2]));
            }
        }
        destroy(backwards);
    }

    /// Between all pairs of teams, for all PEs.
    fn translation_between_all_pairs(_world) on [1, 4, 7] {
        let teams = some_teams();
        for (from, from_ranks) in &teams {
            for (to, to_ranks) in &teams {
                for pe in -2..=raw::n_pes() + 1 {
                    let world = usize::try_from(pe).ok().and_then(|r| from_ranks.get(r));
                    let there = world.and_then(|w| to_ranks.iter().position(|r| r == w)).map_or(-1, |r| r as i32);
                    assert_eq!(translate(*from, pe, *to), there);
                }
            }
            assert_eq!(translate(*from, 0, TeamHandle::INVALID), -1);
            assert_eq!(translate(TeamHandle::INVALID, 0, *from), -1);
        }
        destroy_all(teams);
    }

    /// "SHMEM_TEAM_INVALID results": each as the standard has it.
    fn invalid_teams_give_the_results_of_the_standard(_world) on [1, 3] {
        let none = TeamHandle::INVALID;
        assert_eq!((my_pe(none), n_pes(none), translate(none, 0, none)), (-1, -1, -1));
        assert_eq!(split(none, 0, 1, 1), (1, none));
        assert_eq!(split_2d(none, 1, [0, 0]), (1, [none; 2]));
        let mut config = TeamConfig { num_contexts: 5 };
        // SAFETY: the World is up.
        assert_ne!(unsafe { raw::team_get_config(none, TEAM_NUM_CONTEXTS, &raw mut config) }, 0);
        assert_eq!(config.num_contexts, 5);
        // SAFETY: as above; INVALID.
        assert_eq!(unsafe { raw::team_create_ctx(none, 0) }, Ctx::INVALID);
        // SAFETY: as above.
        assert!(unsafe { raw::team_ptr(none, (&raw const config).cast(), 0) }.is_null());
        destroy(none);
    }

    /// Mask 0: NULL will do, nothing is reserved, nothing is written. Else what was asked for comes back.
    fn configurations(_world) on [1, 4] {
        let n = raw::n_pes();
        assert_eq!((num_contexts(TeamHandle::WORLD), num_contexts(TeamHandle::SHARED)), (0, 0));
        // SAFETY: the World is up; mask 0 touches no configuration.
        assert_eq!(unsafe { raw::team_get_config(TeamHandle::WORLD, 0, null_mut()) }, 0);
        for (wish, got) in [(None, 0), (Some(0), 0), (Some(17), 17)] {
            let (code, team) = split_with(TeamHandle::WORLD, (0, 1, n), wish);
            assert_eq!((code, num_contexts(team)), (0, got));
            destroy(team);
        }
        // A mask whose bits are unknown asks for nothing.
        let mut team = TeamHandle::INVALID;
        // SAFETY: as above.
        let code = unsafe { raw::team_split_strided(TeamHandle::WORLD, 0, 1, n, null(), !TEAM_NUM_CONTEXTS, &raw mut team) };
        assert_eq!((code, num_contexts(team)), (0, 0));
        destroy(team);
        // What cannot be, and what differs between members, makes no team on any PE of the parent.
        assert_eq!(split_with(TeamHandle::WORLD, (0, 1, n), Some(-1)), (1, TeamHandle::INVALID));
        // SAFETY: as above; NULL is what is tried.
        let code = unsafe { raw::team_split_strided(TeamHandle::WORLD, 0, 1, n, null(), TEAM_NUM_CONTEXTS, &raw mut team) };
        assert_eq!((code, team), (1, TeamHandle::INVALID));
        if n > 1 {
            let odd = i32::from(raw::my_pe() == 1);
            assert_eq!(split_with(TeamHandle::WORLD, (0, 1, n), Some(odd)), (1, TeamHandle::INVALID));
            // Nobody asks those that are not members.
            let (code, team) = split_with(TeamHandle::WORLD, (0, 2, n / 2), Some(odd));
            assert_eq!(code, 0);
            destroy(team);
        }
    }

    /// "Return code must be identical on all parent PEs": also where the PEs give different triplets, or where
    /// one PE alone has no slot left. Afterwards everything works as before.
    fn a_split_that_fails_fails_on_every_pe_and_harms_nothing(_world) on [2, 3, 8] {
        let (n, me) = (raw::n_pes(), raw::my_pe());
        assert_eq!(split(TeamHandle::WORLD, 0, 1, if me == 0 { 1 } else { n }), (1, TeamHandle::INVALID));
        assert_eq!(split(TeamHandle::WORLD, if me == n - 1 { 99 } else { 0 }, 1, 1), (1, TeamHandle::INVALID));
        assert_eq!(split_2d(TeamHandle::WORLD, 1 + me, [0, 0]), (1, [TeamHandle::INVALID; 2]));
        sync(TeamHandle::WORLD);
        // PE 0 alone runs out of slots, by teams of its own.
        let mut own = Vec::new();
        loop {
            let (code, team) = split(TeamHandle::WORLD, 0, 1, 1);
            if code != 0 {
                assert_eq!(team, TeamHandle::INVALID);
                break;
            }
            own.push(team);
        }
        assert_eq!(own.len(), 62);
        assert_eq!(split(TeamHandle::WORLD, 0, 1, n), (1, TeamHandle::INVALID));
        assert_eq!(split_2d(TeamHandle::WORLD, n, [0, 0]), (1, [TeamHandle::INVALID; 2]));
        let (code, others) = split(TeamHandle::WORLD, 1, 1, n - 1);
        assert_eq!(code, 0);
        check(others, &(1..n).collect());
        for team in own.into_iter().chain([others]) {
            destroy(team);
        }
        // One slot is too few for a row and a column.
        let all: Vec<_> = (0..61).map(|_| split(TeamHandle::WORLD, 0, 1, n)).collect();
        assert!(all.iter().all(|(code, _)| *code == 0));
        assert_eq!(split_2d(TeamHandle::WORLD, 2, [0, 0]), (1, [TeamHandle::INVALID; 2]));
        destroy(all[5].1);
        let (code, [x, y]) = split_2d(TeamHandle::WORLD, 2, [0, 0]);
        assert_eq!(code, 0);
        for team in all.iter().map(|(_, team)| *team).filter(|t| *t != all[5].1).chain([x, y]) {
            sync(team);
            destroy(team);
        }
    }

    /// Thousands of splits and destroys: the same slots, and the same memory.
    fn splits_and_destroys_leak_nothing(_world) on [1, 2, 7] {
        let n = raw::n_pes();
        let round = |i: i32| {
            let (_, a) = split(TeamHandle::WORLD, n - 1, -1, n);
            let (_, b) = split(a, 0, 1, 1 + i % n);
            let (_, [x, y]) = split_2d(TeamHandle::WORLD, 1 + i % n, [0, 0]);
            for team in [y, b, a, x] {
                destroy(team);
            }
        };
        (0..100).for_each(round);
        let before = LIVE.load(Ordering::Relaxed);
        (0..3000).for_each(round);
        // The harness' threads come and go; one byte per round would show.
        let more = LIVE.load(Ordering::Relaxed) - before;
        // Of what is under way to other hosts, and served for them, each process keeps some buffers.
        // SAFETY: it is only looked up.
        let far = (0..n).any(|pe| unsafe { raw::ptr((&raw const LIVE).cast(), pe) }.is_null());
        assert!(more < if far { 64 << 10 } else { 3000 }, "{more} bytes more than before");
        let all: Vec<_> = (0..62).map(|_| split(TeamHandle::WORLD, 0, 1, n)).collect();
        assert!(all.iter().all(|(code, _)| *code == 0), "all slots are free again");
        all.into_iter().for_each(|(_, team)| destroy(team));
    }

    /// 10,000 syncs on overlapping teams in random order: nobody leaves one before all have come, and nobody
    /// is a call ahead of a member of the same team.
    fn syncs_on_overlapping_teams(world) on [1, 2, 3, 4, 7, 8] {
        let teams = some_teams();
        let mut counts = world.alloc::<u64>(64).unwrap();
        let at = counts.as_mut_ptr();
        // Between hosts each takes many times as long.
        let (rounds, mut random) = (if is_one_host() { 10_000 } else { 1_000 }, Random::new(1));
        for i in 0..rounds {
            // All PEs draw the same team of the model; its members sync.
            let n = raw::n_pes();
            let shapes = [(0, 1, n), (n - 1, -1, n), (0, 2, (n + 1) / 2), (n / 2, 1, n - n / 2)];
            let draw = random.below(shapes.len());
            let (start, stride, size) = shapes[draw];
            let model = model_split(&world_ranks(), start, stride, size).unwrap();
            let Some((team, ranks)) = teams.iter().skip(2).find(|(_, ranks)| name(ranks) == name(&model)) else {
                continue;
            };
            // SAFETY: 64 words of the heap, which everybody accesses by these calls only.
            let slot = unsafe { at.add(draw) };
            // SAFETY: as above.
            unsafe { raw::p(slot, i + 1, raw::my_pe()) };
            sync(*team);
            for pe in ranks {
                // SAFETY: as above.
                let seen = unsafe { raw::g(slot, *pe) };
                assert!(seen > i, "PE {pe} had not come to sync {i} of {ranks:?}: {seen}");
            }
            sync(*team);
        }
        destroy_all(teams);
    }

    /// barrier_all completes what was put on the default context; sync_all and team_sync show plain stores.
    fn barriers_show_what_came_before(world) on [1, 2, 3, 8] {
        let (n, me) = (raw::n_pes(), raw::my_pe());
        let mut words = world.alloc::<u64>(4).unwrap();
        let at = words.as_mut_ptr();
        let second = at.wrapping_add(1);
        for i in 1..500u64 {
            // SAFETY: four words of the heap, which everybody accesses by these calls only.
            unsafe { raw::put(at, &raw const i, 1, (me + 1) % n) };
            // SAFETY: the World is up.
            unsafe { raw::barrier_all() };
            // SAFETY: as above; what was put is there, and nobody puts before the next barrier.
            assert_eq!(unsafe { at.read_volatile() }, i);
            // SAFETY: as above: the second word is this PE's to store.
            unsafe { second.write_volatile(i) };
            // SAFETY: the World is up.
            unsafe { raw::sync_all() };
            // SAFETY: as above.
            assert_eq!(unsafe { raw::g(second, (me + 1) % n) }, i);
            sync(TeamHandle::SHARED);
        }
    }
}

/// Runs `body` on `n` PEs under every boot, and checks how the launch ended.
fn misuse(test: &str, pes: &[u32], body: impl FnOnce(&World), check: impl Fn(&Outcome)) {
    if testing::is_pe() {
        let world = World::init().unwrap();
        body(&world);
        return;
    }
    for &n in pes {
        for boot in Boot::of(n) {
            let outcome = Launch::of_test(test, n, boot).limit(Duration::from_secs(30)).run();
            assert!(!outcome.timed_out && !outcome.status.success(), "{boot:?} {n}: {outcome}");
            check(&outcome);
        }
    }
}

fn says(outcome: &Outcome, what: &[&str]) {
    assert!(outcome.stderr.lines().any(|line| what.iter().all(|w| line.contains(w))), "{what:?}: {outcome}");
}

/// A sync does not pair with a split of the same team; the line names both calls.
#[test]
fn pes_at_different_calls_of_a_team_end_the_job() {
    let body = |_: &World| {
        let (_, team) = split(TeamHandle::WORLD, 0, 1, raw::n_pes());
        match raw::my_pe() {
            1 => drop(split(team, 0, 1, 1)),
            _ => sync(team),
        }
        unreachable!("the job has ended");
    };
    misuse(here!("pes_at_different_calls_of_a_team_end_the_job"), &[2, 3, 8], body, |outcome| {
        says(
            outcome,
            &[
                "PE 1 is at a split of the team by start 0, stride 1, size 1",
                "PE 0 at a sync",
                "ending the job",
            ],
        );
    });
}

#[test]
fn a_team_that_was_destroyed_is_known_as_such() {
    let body = |_: &World| {
        let (_, old) = split(TeamHandle::WORLD, 0, 1, raw::n_pes());
        destroy(old);
        let (_, new) = split(TeamHandle::WORLD, 0, 1, raw::n_pes());
        assert_eq!(my_pe(new), raw::my_pe());
        sync(old);
    };
    misuse(here!("a_team_that_was_destroyed_is_known_as_such"), &[1, 2], body, |outcome| {
        says(outcome, &["shmem_team_sync", "is no team; it may have been destroyed"]);
    });
}

/// Also if the library was taken down and brought up since, and has another team in the same place.
#[test]
fn a_team_of_an_earlier_start_is_known_as_such() {
    let test = here!("a_team_of_an_earlier_start_is_known_as_such");
    if testing::is_pe() {
        // SAFETY: every PE calls; there is one thread.
        unsafe { raw::init() };
        let (_, old) = split(TeamHandle::WORLD, 0, 1, raw::n_pes());
        // SAFETY: as above.
        unsafe { raw::finalize() };
        // SAFETY: as above.
        unsafe { raw::init() };
        let (_, new) = split(TeamHandle::WORLD, 0, 1, raw::n_pes());
        assert_eq!(my_pe(new), raw::my_pe());
        sync(old);
        return;
    }
    let outcome = Launch::of_test(test, 2, Boot::Local).run();
    assert!(!outcome.timed_out && !outcome.status.success(), "{outcome}");
    says(&outcome, &["shmem_team_sync", "is no team; it may have been destroyed"]);
}

#[test]
fn predefined_teams_are_not_destroyed() {
    let body = |_: &World| destroy(TeamHandle::SHARED);
    misuse(here!("predefined_teams_are_not_destroyed"), &[2], body, |outcome| {
        says(outcome, &["shmem_team_destroy", "a predefined team cannot be destroyed"]);
    });
}

/// Contexts that can be shared go with their team, completed.
#[test]
fn a_destroyed_team_takes_its_contexts_along() {
    let body = |world: &World| {
        let mut word = world.alloc::<u64>(1).unwrap();
        let (_, team) = split(TeamHandle::WORLD, 0, 1, raw::n_pes());
        // SAFETY: the World and the team are up.
        let ctx = unsafe { raw::team_create_ctx(team, 0) };
        let value = 7u64;
        // SAFETY: a word of the heap that nobody else accesses meanwhile.
        unsafe { raw::ctx_put(ctx, word.as_mut_ptr(), &raw const value, 1, my_pe(team)) };
        destroy(team);
        assert_eq!(word[0], 7);
        // SAFETY: as above; the context is gone, which is what is tried.
        unsafe { raw::ctx_put(ctx, word.as_mut_ptr(), &raw const value, 1, 0) };
        unreachable!("the job has ended");
    };
    misuse(here!("a_destroyed_team_takes_its_contexts_along"), &[1, 2], body, |outcome| {
        says(outcome, &["shmem_ctx_put", "destroyed"]);
    });
}

/// How many teams there can be is a setting: checked, and the same on all PEs.
#[test]
fn the_number_of_slots_is_a_setting() {
    let test = here!("the_number_of_slots_is_a_setting");
    if testing::is_pe() {
        let world = World::init().unwrap_or_else(|e| {
            let line = format!("init said: {e}\n");
            eprint!("{line}");
            std::process::exit(9);
        });
        let n = raw::n_pes();
        let slots: usize = std::env::var("SHMEM_TEAMS").unwrap().parse().unwrap();
        let all: Vec<_> = (2..slots).map(|_| split(TeamHandle::WORLD, 0, 1, n)).collect();
        assert!(all.iter().all(|(code, _)| *code == 0));
        assert_eq!(split(TeamHandle::WORLD, 0, 1, n).0, 1);
        all.iter().for_each(|(_, team)| sync(*team));
        let me = world.pe();
        world.finalize().unwrap();
        // SAFETY: no other thread of this PE looks at the environment.
        unsafe { std::env::set_var("SHMEM_TEAMS", (10 + me).to_string()) };
        let error = World::init().err().expect("the PEs have different numbers of slots").to_string();
        assert!(error.contains("SHMEM_TEAMS is 1") && error.contains("make it equal on every PE"), "{error}");
        return;
    }
    for teams in ["2", "3", "65", "200", "1024"] {
        Launch::of_test(test, 3, Boot::Local).env("SHMEM_TEAMS", teams).run().expect_success(teams);
    }
    for bad in ["0", "1", "1025", "many"] {
        let outcome = Launch::of_test(test, 2, Boot::Local).env("SHMEM_TEAMS", bad).run();
        assert!(!outcome.status.success() && !outcome.timed_out, "{outcome}");
        says(&outcome, &["SHMEM_TEAMS", &format!("{bad:?}"), "a whole number"]);
    }
}

/// Different teams from different threads, all at once: syncs with nobody missing, splits and destroys of teams
/// that share PEs and want the same slots.
#[test]
fn threads_on_teams_of_their_own() {
    const THREADS: usize = 4;
    let test = here!("threads_on_teams_of_their_own");
    if !testing::is_pe() {
        for n in [1, 2, 4] {
            for boot in Boot::of(n) {
                let outcome = Launch::of_test(test, n, boot).limit(Duration::from_secs(120)).run();
                outcome.expect_success(&format!("{n} PEs, {boot:?}"));
            }
        }
        return;
    }
    let world = World::<Multiple>::init_level().unwrap();
    let n = raw::n_pes();
    let teams: Vec<_> = (0..THREADS).map(|_| split(TeamHandle::WORLD, 0, 1, n).1).collect();
    let mut counts = world.alloc::<u64>(THREADS).unwrap();
    let at = counts.as_mut_ptr().addr();
    std::thread::scope(|s| {
        for (t, team) in teams.iter().copied().enumerate() {
            s.spawn(move || {
                let count = std::ptr::with_exposed_provenance_mut::<u64>(at + t * 8);
                for i in 1..=500u64 {
                    // SAFETY: this thread's word, which all access by these calls only.
                    unsafe { raw::p(count, i, raw::my_pe()) };
                    sync(team);
                    // SAFETY: as above.
                    (0..n).for_each(|pe| assert!(unsafe { raw::g(count, pe) } >= i));
                    sync(team);
                    if i % 5 == 0 {
                        let (code, child) = split(team, n - 1, -1, n);
                        assert_eq!(code, 0);
                        assert_eq!(my_pe(child), n - 1 - raw::my_pe());
                        sync(child);
                        destroy(child);
                    }
                }
            });
        }
    });
    teams.into_iter().for_each(destroy);
    drop(counts);
    world.finalize().unwrap();
}

/// A PE that waits on a team that another has dropped says so, instead of waiting for ever.
#[test]
fn a_member_that_dropped_its_team_is_named() {
    let body = |world: &World| {
        let team = world.split_strided(0, 1, world.n_pes()).unwrap().unwrap();
        if world.pe() == 1 {
            drop(team);
            world.barrier();
        } else {
            team.barrier();
        }
        unreachable!("the job has ended");
    };
    misuse(here!("a_member_that_dropped_its_team_is_named"), &[2, 3], body, |outcome| {
        says(outcome, &["PE 1 is at work after it dropped the team", "at a barrier", "ending the job"]);
    });
}
