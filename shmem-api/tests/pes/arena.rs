//! Symmetric memory of both kinds and contexts of several kinds, for tests of the raw calls.
#![allow(unsafe_code, dead_code, reason = "not every test uses all of it")]

use std::cell::UnsafeCell;

use shmem_api::{World, raw};

/// Bytes of an arena.
pub const BYTES: usize = 1 << 16;

#[repr(align(4096))]
struct Static(UnsafeCell<[u8; BYTES]>);
// SAFETY: it is only accessed through the library, as shared memory.
unsafe impl Sync for Static {}

static STATIC: Static = Static(UnsafeCell::new([0; BYTES]));

/// Symmetric memory, at the same place on every PE.
#[derive(Clone, Copy)]
pub struct Arena {
    pub name: &'static str,
    pub at: *mut u8,
}

impl Arena {
    /// Element `i` of a `T` array at `byte`.
    pub fn word<T>(&self, byte: usize, i: usize) -> *mut T {
        assert!(byte + (i + 1) * size_of::<T>() <= BYTES);
        self.at.wrapping_add(byte).cast::<T>().wrapping_add(i)
    }
}

/// Collective: runs `body` with a heap arena and the static one, both zero.
pub fn with_both(world: &World, body: impl FnOnce([Arena; 2])) {
    // SAFETY: the World is up, in one thread.
    let heap = unsafe { raw::malloc(BYTES) };
    assert!(!heap.is_null());
    let arenas = [Arena { name: "heap", at: heap }, Arena { name: "static", at: STATIC.0.get().cast() }];
    world.barrier();
    for arena in arenas {
        // SAFETY: nobody uses it between the barriers.
        unsafe { arena.at.write_bytes(0, BYTES) };
    }
    world.barrier();
    body(arenas);
    world.barrier();
    // SAFETY: as above; nobody uses it any more.
    unsafe { raw::free(heap) }.unwrap();
}

/// Collective: runs `body` on a heap arena, then on the static one.
pub fn on_both(world: &World, mut body: impl FnMut(Arena)) {
    with_both(world, |arenas| {
        for arena in arenas {
            body(arena);
            world.barrier();
        }
    });
}

/// The PEs of this one's host, as their memory says.
pub fn host() -> Vec<i32> {
    // SAFETY: the World is up.
    let is_mapped = |pe: &i32| !unsafe { raw::ptr(STATIC.0.get().cast(), *pe) }.is_null();
    (0..raw::n_pes()).filter(is_mapped).collect()
}

/// Whether all PEs are on one host: the shared team is like the world then.
pub fn is_one_host() -> bool {
    host().len() == raw::n_pes() as usize
}

/// Runs `body` without a context (`None`) and with contexts that number the PEs as the world does.
pub fn on_contexts(mut body: impl FnMut(Option<raw::Ctx>)) {
    body(None);
    body(Some(raw::Ctx::DEFAULT));
    let like_the_world = if is_one_host() { 2 } else { 1 };
    for team in [raw::TeamHandle::WORLD, raw::TeamHandle::SHARED].into_iter().take(like_the_world) {
        // SAFETY: the World is up.
        let ctx = unsafe { raw::team_create_ctx(team, raw::CTX_PRIVATE | raw::CTX_NOSTORE) };
        assert_ne!(ctx, raw::Ctx::INVALID);
        body(Some(ctx));
        // SAFETY: nobody uses it any more.
        unsafe { raw::ctx_destroy(ctx) };
    }
}

/// Calls `raw::$free(..)`, or `raw::$on_ctx(ctx, ..)` if there is a context.
macro_rules! call {
    ($ctx:expr, $free:ident / $on_ctx:ident $(::<$T:ty>)? ($($arg:expr),* $(,)?)) => {
        // SAFETY: the tests keep to what the calls ask for; arguments lie in arenas, or are locals.
        unsafe {
            match $ctx {
                None => shmem_api::raw::$free $(::<$T>)? ($($arg),*),
                Some(ctx) => shmem_api::raw::$on_ctx $(::<$T>)? (ctx, $($arg),*),
            }
        }
    };
}

/// Its name, what it does, and words of the line that it must end with.
pub type Case<'c> = (&'c str, fn(World), &'c [&'c str]);

/// Runs the case of this launch in a PE; elsewhere launches every case on `n` PEs by the local boot, and expects
/// each to end with a status that is not zero and a line with all of its words.
pub fn must_fail(test: &str, n: u32, cases: &[Case<'_>]) {
    use shmem_api::testing::{self, Boot, Launch};
    const CASE: &str = "SHMEM_TEST_CASE";
    if testing::is_pe() {
        let name = std::env::var(CASE).unwrap();
        let (_, body, _) = cases.iter().find(|(case, ..)| *case == name).unwrap();
        body(World::init().unwrap());
        // Not reached, if all is well: no failure of ours, so that the launch counts as a success.
        return;
    }
    for (case, _, words) in cases {
        let outcome = Launch::of_test(test, n, Boot::Local).env(CASE, case).run();
        assert!(!outcome.status.success() && !outcome.timed_out, "{case}: {outcome}");
        let said = outcome.stderr.lines().any(|line| words.iter().all(|word| line.contains(word)));
        assert!(said, "{case}: no line with {words:?}: {outcome}");
    }
}
