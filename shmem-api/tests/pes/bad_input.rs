//! Whatever a raw call is given that cannot be, it says one clear line that names PE, call and argument, nothing
//! is touched, and the whole job ends with a status that is not zero.
//!
//! ```text
//!   ROUTINES x mistakes! { what is wrong: what must be said; for which routines; how }
//!        └─ one launch each: PE 1 of three makes the call while the others wait at a barrier
//! ```
//!
//! A new routine is a line of [`ROUTINES`], and a new mistake one of `mistakes!`. All routines make each mistake
//! under the local boot, the first of them under MPI, too.
#![allow(unsafe_code)]

use std::time::Duration;

use shmem_api::raw::{self, Ctx};
use shmem_api::testing::{self, Boot, Launch, Outcome, patience};
use shmem_api::{World, sym_static};

#[allow(unsafe_code)]
fn addr_accessible(at: *const u8, pe: i32) -> i32 {
    // SAFETY: the library stays up.
    unsafe { raw::addr_accessible(at, pe) }
}

mod routines;

use routines::{Args, Kind, ROUTINES, Routine};

/// Which routine a PE is to call, by its place in the list.
const WHICH: &str = "SHMEM_TEST_ROUTINE";
/// Elements of the block a routine is given.
const LEN: usize = 64;
/// More bytes than a heap or an executable has here.
const BEYOND: usize = 1 << 40;

sym_static! {
    static STATIC: SymStatic<[u64; LEN]> = [0; LEN];
}

/// When a mistake is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    BeforeInit,
    Up,
    AfterFinalize,
}

/// Launches each of `routines` and reads what was said; in a PE, makes the mistake.
fn mistake(test: &str, when: When, says: &str, routines: &[Routine], spoil: fn(&mut Args)) {
    if testing::is_pe() {
        let which = std::env::var(WHICH).unwrap().parse::<usize>().unwrap();
        return as_pe(when, &routines[which], spoil);
    }
    assert!(!routines.is_empty());
    for (which, routine) in routines.iter().enumerate() {
        let boots = if which == 0 { Boot::all() } else { &[Boot::Local] };
        for &boot in boots {
            let launch = Launch::of_test(test, 3, boot).env(WHICH, &which.to_string());
            let outcome = launch.limit(Duration::from_secs(20)).run();
            let pe = if when == When::Up { "PE 1: " } else { "" };
            must_have_said(&outcome, &format!("{pe}{}: ", routine.name), says, boot);
        }
    }
}

/// One line of that beginning, which says it, and no other line of ours but the launcher's.
fn must_have_said(outcome: &Outcome, start: &str, says: &str, boot: Boot) {
    let shown = format!("{start}{says}\nby {boot:?}: {outcome}");
    assert!(!outcome.timed_out && !outcome.status.success(), "{shown}");
    let mut ours = outcome.stderr.lines().filter(|l| l.starts_with("PE ") || l.starts_with("shmem_"));
    let line = ours.next().unwrap_or_else(|| panic!("nothing was said: {shown}"));
    assert!(line.starts_with(start) && line.contains(says), "something else was said: {shown}");
    // Before init nobody knows of the others: each says it. After finalize the launcher ends the others, of whom one may
    // not have been through with leaving, which its neighbour notices.
    let launchers = |other: &str| other.contains(") died in the middle of the job");
    let again = |other: &str| other == line && other.starts_with("shmem_");
    assert!(ours.all(|other| again(other) || launchers(other)), "more was said: {shown}");
    // A launch alone takes up to a second, the promise is three after it.
    assert!(outcome.wall < patience(Duration::from_secs(8)), "{shown}");
}

/// Calls the routine on the PE whose turn it is; the others wait for it.
fn as_pe(when: When, routine: &Routine, spoil: fn(&mut Args)) {
    let mut private = [7_u64; LEN];
    let mut call = |world: Option<&World>| {
        let mut args = Args::new(private.as_mut_ptr());
        if let Some(world) = world {
            // The heap's first block; no routine may write it, so its owner need not know.
            args.at = std::ptr::with_exposed_provenance_mut(world.heap_base());
        }
        spoil(&mut args);
        // SAFETY: the call is refused before anything is touched: that is what is tested.
        unsafe { (routine.call)(&args) };
        eprintln!("PE ?: {} was not refused", routine.name);
    };
    if when == When::BeforeInit {
        return call(None);
    }
    let world: World = World::init().unwrap();
    let block = world.alloc::<u64>(LEN).unwrap();
    let me = world.pe();
    if when == When::AfterFinalize {
        drop(block);
        world.finalize().unwrap();
        if me == 1 {
            call(None);
        }
        return;
    }
    if me == 1 {
        call(Some(&world));
    }
    world.barrier();
}

fn of_kind(kinds: &[Kind]) -> Vec<Routine> {
    ROUTINES.iter().filter(|r| kinds.contains(&r.kind)).copied().collect()
}

/// The last word of the heap that begins at `base`.
fn last_word(base: *mut u64) -> *mut u64 {
    let (mut inside, mut outside) = (0_usize, 1 << 46);
    while outside - inside > 1 {
        let middle = inside.midpoint(outside);
        let there = addr_accessible(base.wrapping_byte_add(middle).cast(), 0) == 1;
        *(if there { &mut inside } else { &mut outside }) = middle;
    }
    base.wrapping_byte_add(outside - 8)
}

macro_rules! mistakes {
    ($($(#[$meta:meta])* $name:ident, $when:ident, $kinds:expr, $says:expr; |$args:ident| $spoil:expr;)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            mistake(here!(stringify!($name)), When::$when, $says, &of_kind(&$kinds), |$args| $spoil);
        }
    )*};
}

use Kind::{Blocks, One, Row, Strided};
const ALL: [Kind; 4] = [Row, One, Strided, Blocks];
const COUNTED: [Kind; 3] = [Row, Strided, Blocks];
const APART: [Kind; 2] = [Strided, Blocks];
const NOT_THERE: &str = ": neither in the symmetric heap nor in the executable's static data (the heap is ";
const NOT_UP: &str = "the library is not up: it was called before init or after finalize";

mistakes! {
    before_init, BeforeInit, ALL, NOT_UP; |_a| {};
    after_finalize, AfterFinalize, ALL, NOT_UP; |_a| {};

    a_negative_pe, Up, ALL, "there is no PE -1; the job has PEs 0 to 2"; |a| a.pe = -1;
    the_least_pe, Up, [One], "there is no PE -2147483648; the job has PEs 0 to 2"; |a| a.pe = i32::MIN;
    a_pe_too_far, Up, ALL, "there is no PE 3; the job has PEs 0 to 2"; |a| a.pe = 3;
    a_pe_too_far_for_nothing, Up, COUNTED, "there is no PE 3; the job has"; |a| { a.pe = 3; a.n = 0 };

    an_address_on_the_stack, Up, ALL, NOT_THERE; |a| a.at = a.private;
    an_address_of_malloc, Up, ALL, NOT_THERE; |a| a.at = Box::leak(Box::new([0_u64; LEN])).as_mut_ptr();
    null, Up, ALL, "bytes at 0x0: neither in the symmetric heap nor"; |a| { a.at = std::ptr::null_mut(); a.n = 1 };
    the_last_address, Up, [One, Row], NOT_THERE; |a| a.at = std::ptr::without_provenance_mut(usize::MAX - 7);
    just_before_the_heap, Up, ALL, NOT_THERE; |a| a.at = a.at.wrapping_byte_sub(8);
    far_behind_the_heap, Up, ALL, NOT_THERE; |a| a.at = a.at.wrapping_byte_add(BEYOND);

    past_the_end_of_the_heap, Up, COUNTED, "they run past the end of the symmetric heap (the heap is ";
        |a| a.n = BEYOND;
    a_byte_past_the_end_of_the_heap, Up, ALL, "they run past the end of the symmetric heap (the heap is ";
        |a| { a.at = last_word(a.at).wrapping_byte_add(1); a.n = 1 };
    past_the_end_of_statics, Up, COUNTED, "they run past the end of the executable's static data";
        |a| { a.at = (&raw const STATIC).cast_mut().cast(); a.n = BEYOND };
    a_count_that_overflows, Up, [Row], "more than 2^64 bytes at 0x"; |a| a.n = usize::MAX / 8 + 2;

    blocks_that_overflow, Up, APART, "dst is 2: 18446744073709551615 blocks so far apart are more than any object has";
        |a| a.n = usize::MAX;
    a_stride_that_overflows, Up, APART, "sst is 9223372036854775807: 4 blocks so far apart are more than any";
        |a| a.sst = isize::MAX;
    a_stride_of_nothing, Up, [Strided], "dst is 0: a stride must be at least 1"; |a| a.dst = 0;
    a_stride_of_nothing_at_the_source, Up, [Strided], "sst is 0: a stride must be at least 1"; |a| a.sst = 0;
    a_stride_backwards, Up, [Strided], "sst is -1: a stride must be at least 1"; |a| a.sst = -1;
    blocks_that_overlap, Up, [Blocks], "dst is 2: a stride must be at least 3, the elements of a block (bsize)";
        |a| a.bsize = 3;
    blocks_that_overlap_at_the_source, Up, [Blocks], "sst is 1: a stride must be at least 2, the elements of a block";
        |a| a.sst = 1;
    blocks_backwards, Up, [Blocks], "dst is -9223372036854775808: a stride must be at least 2"; |a| a.dst = isize::MIN;
    a_block_larger_than_all, Up, [Blocks], "dst is 2: a stride must be at least 18446744073709551615"; |a| a.bsize = usize::MAX;
}

#[test]
fn no_context() {
    let on_ctx: Vec<Routine> = ROUTINES.iter().filter(|r| r.on_ctx).copied().collect();
    mistake(here!("no_context"), When::Up, "the context is SHMEM_CTX_INVALID", &on_ctx, |a| {
        a.ctx = Ctx::INVALID
    });
}
