//! Contexts: made, used, destroyed, and found out when they are none.
#![allow(unsafe_code)]
#![allow(clippy::macro_metavars_in_unsafe, reason = "`call!` is only given safe expressions")]

use std::collections::HashSet;
use std::ptr::null;

use shmem_api::testing::{self, Boot, Launch, Random};
use shmem_api::{Multiple, World, multi_pe, raw};

use crate::arena::{is_one_host, must_fail, on_both};
use raw::{Ctx, TeamHandle};

const OPTIONS: [i64; 3] = [raw::CTX_SERIALIZED, raw::CTX_PRIVATE, raw::CTX_NOSTORE];

fn create(options: i64) -> Ctx {
    // SAFETY: the World is up, as in all tests here.
    unsafe { raw::ctx_create(options) }
}

fn create_of(team: TeamHandle, options: i64) -> Ctx {
    // SAFETY: the World is up, as in all tests here; the teams are predefined ones, or none.
    unsafe { raw::team_create_ctx(team, options) }
}

fn destroy(ctx: Ctx) {
    // SAFETY: the World is up, as in all tests here; nobody uses it any more.
    unsafe { raw::ctx_destroy(ctx) }
}

fn team_of(ctx: Ctx) -> TeamHandle {
    // SAFETY: the World is up, as in all tests here.
    unsafe { raw::ctx_get_team(ctx) }
}

/// Collective: a team of the world; none for those that are not in it.
fn split(start: i32, stride: i32, size: i32) -> TeamHandle {
    let mut team = TeamHandle::INVALID;
    // SAFETY: the World is up, as in all tests here.
    let failed =
        unsafe { raw::team_split_strided(TeamHandle::WORLD, start, stride, size, null(), 0, &raw mut team) };
    assert_eq!(failed, 0);
    team
}

fn session(ctx: Ctx, options: i64, total_ops: Option<usize>, mask: i64) {
    let config = total_ops.map(|total_ops| raw::CtxSessionConfig { total_ops });
    // SAFETY: the World is up, as in all tests here; the configuration outlives the call.
    unsafe { raw::ctx_session_start(ctx, options, config.as_ref().map_or(null(), |c| c), mask) }
}

fn session_stop(ctx: Ctx) {
    // SAFETY: the World is up, as in all tests here.
    unsafe { raw::ctx_session_stop(ctx) }
}

/// All of one PE's operations on a context, on its next PE.
fn use_it(ctx: Ctx, world: &World, word: *mut u64) {
    let next = ((world.pe() + 1) % world.n_pes()) as i32;
    let (ctx, me) = (Some(ctx), world.pe() as u64);
    let mut got = 0;
    call!(ctx, p / ctx_p(word, me, next));
    call!(ctx, quiet / ctx_quiet());
    call!(ctx, get / ctx_get(&raw mut got, word.cast_const(), 1, next));
    assert_eq!(got, me);
    assert_eq!(call!(ctx, atomic_fetch_inc / ctx_atomic_fetch_inc(word, next)), me);
    call!(ctx, signal_add / ctx_signal_add(word, 5, next));
    call!(ctx, fence / ctx_fence());
    assert_eq!(call!(ctx, atomic_swap / ctx_atomic_swap(word, 0, next)), me + 6);
}

multi_pe! {
    /// NOTES (b), contexts: creation is local, and any options will do.
    fn contexts_with_all_options_work(world) on [1, 2, 3, 4, 8] {
        on_both(world, |arena| {
            for bits in 0..8 {
                let options = (0..3).filter(|i| bits >> i & 1 == 1).fold(0, |all, i| all | OPTIONS[i]);
                let (all, shared) = (create(options), create_of(TeamHandle::SHARED, options));
                use_it(all, world, arena.word(0, 0));
                if is_one_host() {
                    use_it(shared, world, arena.word(0, 0));
                }
                destroy(all);
                destroy(shared);
            }
            // Only one PE makes one: nobody else is needed.
            if world.pe() == 0 {
                let ctx = create(0);
                use_it(ctx, world, arena.word(0, 0));
                destroy(ctx);
            }
        });
    }

    /// NOTES (b), contexts: which team a context was made from.
    fn a_context_knows_its_team(world) on [1, 2] {
        assert_eq!(team_of(Ctx::DEFAULT), TeamHandle::WORLD);
        assert_eq!(team_of(Ctx::INVALID), TeamHandle::INVALID);
        for team in [TeamHandle::WORLD, TeamHandle::SHARED] {
            let ctx = create_of(team, 0);
            assert_eq!(team_of(ctx), team);
            destroy(ctx);
        }
        let ctx = create(0);
        assert_eq!(team_of(ctx), TeamHandle::WORLD);
        destroy(ctx);
        assert_eq!(create_of(TeamHandle::INVALID, 0), Ctx::INVALID);
        let _ = world;
    }

    /// NOTES (b): with `SHMEM_CTX_INVALID` these do nothing.
    fn calls_on_no_context_do_nothing(_world) on [1, 2] {
        destroy(Ctx::INVALID);
        session(Ctx::INVALID, raw::CTX_SESSION_BATCH, None, raw::CTX_SESSION_TOTAL_OPS);
        session_stop(Ctx::INVALID);
        call!(Some(Ctx::INVALID), quiet / ctx_quiet());
        call!(Some(Ctx::INVALID), fence / ctx_fence());
        call!(Some(Ctx::INVALID), pe_quiet / ctx_pe_quiet([77].as_ptr(), 1));
    }

    /// NOTES (b), contexts: PEs are numbered in the context's team; so are both ends of a put with signal,
    /// data and signal (issue #573 of the standard).
    fn a_context_numbers_pes_as_its_team_does(world) on [1, 2, 3, 4, 8] {
        let (me, n) = (world.pe(), world.n_pes());
        on_both(world, |arena| {
            // Backwards, and every other PE.
            for (start, stride, size) in [(n as i32 - 1, -1, n), (0, 2, n.div_ceil(2))] {
                let members: Vec<usize> = (0..size as i32).map(|i| (start + i * stride) as usize).collect();
                let team = split(start, stride, size as i32);
                world.barrier();
                if let Some(rank) = members.iter().position(|pe| *pe == me) {
                    let ctx = create_of(team, 0);
                    assert_eq!(team_of(ctx), team);
                    let on = Some(ctx);
                    let (to, sum, sig) = (arena.word::<u64>(0, me), arena.word::<u64>(128, 0), arena.word::<u64>(256, 0));
                    for (number, pe) in members.iter().enumerate() {
                        let value = (me * 100 + pe) as u64;
                        call!(on, put_signal / ctx_put_signal(to, &raw const value, 1, sig, 1, raw::SIGNAL_ADD, number as i32));
                        call!(on, atomic_add / ctx_atomic_add(sum, value, number as i32));
                    }
                    let all: Vec<i32> = (0..size as i32).collect();
                    call!(on, pe_quiet / ctx_pe_quiet(all.as_ptr(), all.len()));
                    // SAFETY: our own signal.
                    unsafe { raw::signal_wait_until(sig, shmem_api::Cmp::Eq, size as u64) };
                    for pe in &members {
                        let is: u64 = call!(on, g / ctx_g(arena.word::<u64>(0, *pe).cast_const(), rank as i32));
                        assert_eq!(is, (pe * 100 + me) as u64);
                    }
                    // Everybody's atomics are in before anybody looks.
                    // SAFETY: every member is here.
                    unsafe { raw::team_sync(team) };
                    let expected: usize = members.iter().map(|pe| pe * 100 + me).sum();
                    assert_eq!(call!(on, atomic_fetch / ctx_atomic_fetch(sum.cast_const(), rank as i32)), expected as u64);
                    call!(on, atomic_set / ctx_atomic_set(sum, 0, rank as i32));
                    call!(on, signal_set / ctx_signal_set(sig, 0, rank as i32));
                }
                // SAFETY: every member is here, or holds no team; the contexts go with it.
                unsafe { raw::team_destroy(team) };
                world.barrier();
            }
        });
    }

    /// NOTES (b), sessions: hints only; nested, stopped without a start, with any options.
    fn sessions_change_nothing(world) on [1, 2, 3] {
        on_both(world, |arena| {
            let made = create(raw::CTX_SERIALIZED);
            for ctx in [Ctx::DEFAULT, made] {
                session_stop(ctx);
                session(ctx, 0, None, 0);
                session(ctx, raw::CTX_SESSION_BATCH, Some(100), raw::CTX_SESSION_TOTAL_OPS);
                session(ctx, -1, Some(usize::MAX), 0);
                use_it(ctx, world, arena.word(0, 0));
                session_stop(ctx);
                session_stop(ctx);
                use_it(ctx, world, arena.word(0, 0));
            }
            destroy(made);
        });
    }

    /// NOTES (b), contexts: running out is no error; the library goes on, and one may try again.
    fn as_many_contexts_as_there_are(world) on [1, 2] {
        on_both(world, |arena| {
            let mut made = Vec::new();
            loop {
                match create(0) {
                    Ctx::INVALID => break,
                    ctx => made.push(ctx),
                }
            }
            assert_eq!(made.len(), 65_534);
            assert_eq!(made.iter().map(|ctx| format!("{ctx:?}")).collect::<HashSet<_>>().len(), made.len());
            assert_eq!(create_of(TeamHandle::SHARED, 0), Ctx::INVALID);
            for ctx in made.iter().step_by(10_000) {
                use_it(*ctx, world, arena.word(0, 0));
            }
            destroy(made.swap_remove(made.len() / 2));
            made.push(create(0));
            assert_eq!(create(0), Ctx::INVALID);
            use_it(made[made.len() - 1], world, arena.word(0, 0));
            made.drain(..).for_each(destroy);
        });
    }

    /// Created, used and destroyed in any order, many times over.
    fn contexts_come_and_go(world) on [1, 4] {
        on_both(world, |arena| {
            let mut dice = Random::new(world.pe() as u64);
            let mut live = Vec::new();
            for _ in 0..5000 {
                match dice.below(3) {
                    0 if !live.is_empty() => destroy(live.swap_remove(dice.below(live.len()))),
                    1 if !live.is_empty() => use_it(live[dice.below(live.len())], world, arena.word(0, 0)),
                    _ => live.push(create(OPTIONS[dice.below(3)])),
                }
            }
            live.drain(..).for_each(destroy);
        });
    }

    /// NOTES (b), finalize: the contexts that are left go with it, and a new start makes new ones.
    fn contexts_that_are_left_do_not_matter(world) on [1, 2] {
        (0..100).for_each(|i| assert_ne!(create(OPTIONS[i % 3] & !raw::CTX_PRIVATE), Ctx::INVALID));
        let _ = world;
    }
}

/// Threads that each make, use and destroy contexts of their own lose nothing.
#[test]
fn threads_with_contexts_of_their_own() {
    const THREADS: usize = 4;
    const TIMES: u64 = 2000;
    let test = here!("threads_with_contexts_of_their_own");
    if !testing::is_pe() {
        for n in [1, 4] {
            for boot in Boot::of(n) {
                let outcome = Launch::of_test(test, n, boot).run();
                outcome.expect_success(&format!("{n} PEs by {boot:?}"));
            }
        }
        return;
    }
    let world = World::<Multiple>::init_level().expect("the library comes up");
    let n = world.n_pes();
    // SAFETY: the World is up.
    let word = unsafe { raw::malloc(64) };
    // SAFETY: our own block.
    unsafe { word.write_bytes(0, 64) };
    world.barrier();
    let word = word.expose_provenance();
    let word = move || std::ptr::with_exposed_provenance_mut::<u64>(word);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(move || {
                for i in 0..TIMES {
                    let ctx = create(raw::CTX_PRIVATE);
                    call!(Some(ctx), atomic_add / ctx_atomic_add(word(), i, (i as usize % n) as i32));
                    destroy(ctx);
                }
            });
        }
    });
    world.barrier();
    let sum: u64 = (0..n)
        .map(|pe| call!(None::<Ctx>, atomic_fetch / ctx_atomic_fetch(word().cast_const(), pe as i32)))
        .sum();
    assert_eq!(sum, (n * THREADS) as u64 * (TIMES * (TIMES - 1) / 2));
    world.finalize().expect("every PE finalizes");
}

/// Two words of the heap.
fn words(world: &World) -> *mut u64 {
    let _ = world;
    // SAFETY: the World is up.
    unsafe { raw::malloc(16) }.cast()
}

#[test]
fn contexts_that_are_none_end_the_job_with_a_line() {
    must_fail(
        here!("contexts_that_are_none_end_the_job_with_a_line"),
        2,
        &[
            (
                "put on one that was destroyed",
                |world| {
                    let (to, ctx) = (words(&world), create(0));
                    destroy(ctx);
                    create(0);
                    call!(Some(ctx), p / ctx_p(to, 1, 0));
                },
                &["shmem_ctx_p", "this is no context: it was destroyed"],
            ),
            (
                "quiet on one of an earlier start",
                |world| {
                    let ctx = create(0);
                    drop(world.finalize().unwrap());
                    let _again = World::init().unwrap();
                    create(0);
                    call!(Some(ctx), quiet / ctx_quiet());
                },
                &["shmem_ctx_quiet", "this is no context", "finalize"],
            ),
            (
                "atomic on one, after finalize",
                |world| {
                    let (at, ctx) = (words(&world), create(0));
                    drop(world.finalize().unwrap());
                    call!(Some(ctx), atomic_inc / ctx_atomic_inc(at, 0));
                },
                &["shmem_ctx_atomic_inc", "the library is not up"],
            ),
            (
                "signal on SHMEM_CTX_INVALID",
                |world| call!(Some(Ctx::INVALID), signal_add / ctx_signal_add(words(&world), 1, 0)),
                &["shmem_ctx_signal_add", "the context is SHMEM_CTX_INVALID"],
            ),
            (
                "a PE its team has not",
                |world| {
                    let (at, ctx) = (words(&world), create_of(split(1, -1, 2), 0));
                    call!(Some(ctx), atomic_inc / ctx_atomic_inc(at, 2));
                },
                &["shmem_ctx_atomic_inc", "no PE 2", "the context's team has PEs 0 to 1"],
            ),
            (
                "a PE beyond a smaller team",
                |world| {
                    let (at, team) = (words(&world), split(1, 1, 1));
                    if world.pe() == 1 {
                        let ctx = create_of(team, 0);
                        call!(Some(ctx), pe_quiet / ctx_pe_quiet([0].as_ptr(), 1));
                        call!(Some(ctx), atomic_inc / ctx_atomic_inc(at, 1));
                    }
                    world.barrier();
                },
                &["PE 1: shmem_ctx_atomic_inc", "no PE 1", "the context's team has PEs 0 to 0"],
            ),
            (
                "one of a team that was destroyed",
                |world| {
                    let (at, team) = (words(&world), split(0, 1, 2));
                    let ctx = create_of(team, raw::CTX_SERIALIZED);
                    call!(Some(ctx), atomic_inc / ctx_atomic_inc(at, 1));
                    // SAFETY: every member is here.
                    unsafe { raw::team_destroy(team) };
                    call!(Some(ctx), atomic_inc / ctx_atomic_inc(at, 1));
                },
                &["shmem_ctx_atomic_inc", "this is no context", "with its team"],
            ),
            (
                "made of a team that was destroyed",
                |_world| {
                    let team = split(0, 1, 2);
                    // SAFETY: every member is here.
                    unsafe { raw::team_destroy(team) };
                    create_of(team, 0);
                },
                &["shmem_team_create_ctx", "is no team"],
            ),
            (
                "fence on one that was destroyed",
                |_world| {
                    let ctx = create(0);
                    destroy(ctx);
                    call!(Some(ctx), fence / ctx_fence());
                },
                &["shmem_ctx_fence", "this is no context"],
            ),
            (
                "destroyed twice",
                |_world| {
                    let ctx = create(0);
                    destroy(ctx);
                    destroy(ctx);
                },
                &["shmem_ctx_destroy", "this is no context"],
            ),
            (
                "the team of one that was destroyed",
                |_world| {
                    let ctx = create(0);
                    destroy(ctx);
                    team_of(ctx);
                },
                &["shmem_ctx_get_team", "this is no context"],
            ),
            (
                "the default one destroyed",
                |_world| destroy(Ctx::DEFAULT),
                &["shmem_ctx_destroy", "the default context cannot be destroyed"],
            ),
            (
                "a session without the configuration it names",
                |_world| session(Ctx::DEFAULT, 0, None, raw::CTX_SESSION_TOTAL_OPS),
                &["shmem_ctx_session_start", "NULL"],
            ),
            (
                "a session on one that was destroyed",
                |_world| {
                    let ctx = create(0);
                    destroy(ctx);
                    session_stop(ctx);
                },
                &["shmem_ctx_session_stop", "this is no context"],
            ),
            (
                "created after finalize",
                |world| {
                    drop(world.finalize().unwrap());
                    create(0);
                },
                &["shmem_ctx_create", "the library is not up"],
            ),
        ],
    );
}
