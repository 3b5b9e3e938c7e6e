//! Programs that misuse the library (`misuse/misuse.c`). Each case is a launch of three PEs, and ends as promised: with one
//! clear line and a status that is not 0, or with the standard's return value, and then everything works as before.
//! None hangs, and none crashes inside the library.
//!
//! All cases run under the local boot, several at a time; of each group some run under MPI, too.

mod pointers;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use crate::common::{compile, here, launch};
use shmem_api::testing::{Boot, Outcome};

/// What must come of a case.
enum End {
    /// The job ends with a status that is not 0, and some PE's line contains each of these words.
    Ends(&'static [&'static str]),
    /// The call is refused, with such a line where there are words, and the program goes on.
    GoesOn(&'static [&'static str]),
    /// The same, and all that is said are so many such lines.
    Says(usize, &'static [&'static str]),
    /// This is all that is printed, and this is the status.
    Prints(&'static str, i32),
}
use End::{Ends, GoesOn, Prints, Says};

const NOT_UP: &str = "the library is not up: it was called before init or after finalize";
const NOT_THERE: &str = ": neither in the symmetric heap nor in the executable's static data";
const NO_CONTEXT: &str = "this is no context: it was destroyed";
/// Where `heap` comes from.
const ALLOCATED: &str = "misuse/misuse.c:";
const IN_MAIN: &str = " in main)";
const SHAPE: &str = "start, stride and size do not name different members of the parent team";

const FREE: &[(&str, End)] = &[
    (
        "free_twice",
        Says(1, &["PE 0: shmem_free: 0x3", "is not allocated (freed before, or never handed out)"]),
    ),
    ("free_foreign", Says(1, &["PE 0: shmem_free: 0x", "is not in this heap"])),
    ("free_interior", Says(1, &["PE 0: shmem_free: 0x3", "10 lies inside the block at 0x3", " (512 B)"])),
    ("free_stack", Says(1, &["PE 0: shmem_free: 0x7ff", "is not in this heap"])),
    ("free_static", Says(1, &["PE 0: shmem_free: 0x", "is not in this heap"])),
    ("free_beyond", Says(1, &["PE 0: shmem_free: 0x", "is not in this heap"])),
    ("free_before", Says(1, &["PE 0: shmem_free: 0x", "is not in this heap"])),
    ("realloc_foreign", Says(1, &["PE 0: shmem_realloc: 0x", "is not in this heap"])),
    ("realloc_freed", Says(1, &["PE 0: shmem_realloc: 0x3", "is not allocated"])),
    ("realloc_interior", Says(1, &["PE 0: shmem_realloc: 0x3", "8 lies inside the block at 0x3"])),
];

const ALLOCATE: &[(&str, End)] = &[
    (
        "calloc_overflow",
        Says(1, &["PE 0: shmem_calloc(", "requested", "raise SHMEM_SYMMETRIC_SIZE (now 256 MiB)"]),
    ),
    ("malloc_too_much", Says(1, &["PE 0: shmem_malloc(1 TiB", "requested", "raise SHMEM_SYMMETRIC_SIZE"])),
    (
        "malloc_until_full",
        Says(1, &["PE 0: shmem_malloc(64 MiB", "largest block", "raise SHMEM_SYMMETRIC_SIZE"]),
    ),
    ("align_odd", Says(1, &["PE 0: shmem_align: 24 is no alignment; give a power of two"])),
    ("align_huge", Says(1, &["PE 0: shmem_align(100 B, alignment ", "the largest is ", "; ask for less"])),
    (
        "team_malloc_of_no_team",
        Says(
            300,
            &[": shmemx_team_malloc: only SHMEM_TEAM_WORLD and SHMEM_TEAM_SHARED have a heap of their own"],
        ),
    ),
    ("align_nothing", Says(1, &["PE 0: shmem_align: 0 is no alignment; give a power of two"])),
    (
        "malloc_sizes_differ",
        Says(1, &["PE 0: ", "PE 1 is at alloc(2000 bytes", "but PE 0 at alloc(1000 bytes"]),
    ),
    ("malloc_on_one_less", Ends(&["PE 1 is at a barrier", "but PE 0 at alloc(1000 bytes"])),
    ("malloc_and_calloc", Says(1, &["PE 0: ", "PE 1 is at calloc(100 bytes", "but PE 0 at alloc(100 bytes"])),
    ("frees_in_another_order", GoesOn(&["PE 0: ", "PE 1 is at free(0x", "but PE 0 at free(0x"])),
    ("missing_free", Ends(&["PE 1 is at a barrier", "but PE 0 at free(0x"])),
];

/// With `SHMEM_HEAP_CHECK=2`.
const CHECKED: &[(&str, End)] = &[
    (
        "overflow",
        Ends(&[
            "PE 1: heap check: written 1 bytes past the end of the block of 512 B at 0x",
            "(allocated at ",
            ALLOCATED,
            IN_MAIN,
        ]),
    ),
    (
        "underflow",
        Ends(&[
            "PE 1: heap check: written 1 bytes before the start of the block of 512 B at 0x",
            "(allocated at ",
            ALLOCATED,
            IN_MAIN,
        ]),
    ),
    ("overflow_by_put", Ends(&["PE 1: shmem_long_p: 8 bytes at offset 0x", "are in no live block"])),
    (
        "put_after_free",
        Ends(&[
            "PE 1: shmem_long_p: 8 bytes at byte 0 of the block of 512 B",
            ALLOCATED,
            IN_MAIN,
            "which was freed",
        ]),
    ),
    (
        "get_after_free",
        Ends(&[
            "PE 1: shmem_long_g: 8 bytes at byte 0 of the block of 512 B",
            ALLOCATED,
            IN_MAIN,
            "which was freed",
        ]),
    ),
    (
        "atomic_after_free",
        Ends(&[
            "PE 1: shmem_long_atomic_inc: 8 bytes at byte 0 of the block",
            ALLOCATED,
            IN_MAIN,
            "which was freed",
        ]),
    ),
    (
        "store_after_free",
        Ends(&["PE 1: heap check: written after it was freed, at byte 0 of the block of 512 B"]),
    ),
];

const WHICH_PE: &[(&str, End)] = &[
    ("put_to_minus_1", Ends(&["PE 1: shmem_long_put: there is no PE -1; the job has PEs 0 to 2"])),
    ("get_from_n", Ends(&["PE 1: shmem_long_get: there is no PE 3; the job has PEs 0 to 2"])),
    ("p_to_huge", Ends(&["PE 1: shmem_int_p: there is no PE 2147483647"])),
    ("g_from_least", Ends(&["PE 1: shmem_double_g: there is no PE -2147483648"])),
    ("putmem_nbi_to_n", Ends(&["PE 1: shmem_putmem_nbi: there is no PE 3"])),
    ("iput_to_n", Ends(&["PE 1: shmem_short_iput: there is no PE 3"])),
    ("atomic_to_n", Ends(&["PE 1: shmem_int_atomic_add: there is no PE 3"])),
    ("fetch_from_minus_1", Ends(&["PE 1: shmem_ulong_atomic_fetch: there is no PE -1"])),
    ("swap_nbi_to_n", Ends(&["PE 1: shmem_long_atomic_swap_nbi: there is no PE 3"])),
    ("cswap_old_to_n", Ends(&["PE 1: shmem_int_cswap: there is no PE 3"])),
    ("put_signal_to_n", Ends(&["PE 1: shmem_long_put_signal: there is no PE 3"])),
    ("ptr_of_n", Ends(&["PE 1: shmem_ptr: there is no PE 3"])),
    ("ptr_of_nothing", GoesOn(&[])),
    ("accessible_n", GoesOn(&[])),
    ("translate_n", GoesOn(&[])),
];

const ADDRESS: &[(&str, End)] = &[
    ("put_to_stack", Ends(&["PE 1: shmem_long_put: 8 bytes at 0x7ff", NOT_THERE])),
    ("get_from_null", Ends(&["PE 1: shmem_long_get: 8 bytes at 0x0: neither in the symmetric heap nor"])),
    ("put_to_malloc", Ends(&["PE 1: shmem_long_put: 8 bytes at 0x", NOT_THERE])),
    (
        "put_past_the_heap",
        Ends(&["PE 1: shmem_long_put: 1099511627776 bytes", "past the end of the symmetric heap"]),
    ),
    (
        "put_past_the_statics",
        Ends(&["PE 1: shmem_putmem: 268435456 bytes", "past the end of the executable's static"]),
    ),
    ("put_to_a_literal", Ends(&["PE 1: shmem_putmem: 1 bytes at 0x", NOT_THERE])),
    ("put_to_a_function", Ends(&["PE 1: shmem_putmem: 1 bytes at 0x", NOT_THERE])),
    ("put_of_everything", Ends(&["PE 1: shmem_putmem: more than 2^64 bytes at 0x"])),
    ("atomic_on_stack", Ends(&["PE 1: shmem_long_atomic_inc: 8 bytes at 0x7ff", NOT_THERE])),
    ("signal_on_stack", Ends(&["PE 1: shmem_putmem_signal: 8 bytes at 0x7ff", NOT_THERE])),
    ("lock_on_stack", Ends(&["PE 1: shmem_set_lock: 8 bytes at 0x7ff", NOT_THERE])),
    ("broadcast_from_stack", Ends(&["shmem_long_broadcast: 8 bytes at 0x7ff", NOT_THERE])),
    ("reduce_to_stack", Ends(&["shmem_long_sum_reduce: 8 bytes at 0x7ff", NOT_THERE])),
    ("wait_on_stack", Ends(&["PE 1: shmem_long_wait_until: 8 bytes at 0x7ff", NOT_THERE])),
    ("wait_on_tls", Ends(&["PE 1: shmem_int_wait_until: 4 bytes at 0x7", NOT_THERE])),
    ("wait_for_signal_on_stack", Ends(&["PE 1: shmem_signal_wait_until: 8 bytes at 0x7ff", NOT_THERE])),
    (
        "wait_past_the_heap",
        Ends(&["PE 1: shmem_long_wait_until_any: 1099511627776 bytes", "past the end of the symmetric heap"]),
    ),
    ("test_on_malloc", Ends(&["PE 1: shmem_long_test: 8 bytes at 0x", NOT_THERE])),
    ("wait_on_null", Ends(&["PE 1: shmem_long_wait_until: 8 bytes at 0x0", NOT_THERE])),
];

const ARGUMENT: &[(&str, End)] = &[
    ("iput_stride_0", Ends(&["PE 1: shmem_long_iput: dst is 0: a stride must be at least 1"])),
    ("iget_stride_minus_1", Ends(&["PE 1: shmem_long_iget: sst is -1: a stride must be at least 1"])),
    (
        "ibput_overlaps",
        Ends(&["PE 1: shmem_long_ibput: dst is 2: a stride must be at least 3, the elements of a block"]),
    ),
    (
        "ibget_overlaps",
        Ends(&["PE 1: shmem_long_ibget: sst is 2: a stride must be at least 3, the elements of a block"]),
    ),
    ("alltoalls_stride_0", Ends(&["shmem_long_alltoalls: dst is 0: a stride must be at least 1"])),
    (
        "misaligned_atomic",
        Ends(&["PE 1: shmem_long_atomic_inc: 0x", "is not a multiple of 8: an atomic must be aligned"]),
    ),
    (
        "misaligned_wait",
        Ends(&["PE 1: shmem_int_wait_until: 0x", "is not a multiple of 4: an atomic must be aligned"]),
    ),
    ("bad_comparison", Ends(&["PE 1: shmem_long_wait_until: 99 is no comparison"])),
    ("bad_test_comparison", Ends(&["PE 1: shmem_long_test: -1 is no comparison"])),
    ("bad_signal_op", Ends(&["PE 1: shmem_putmem_signal: there is no signal operation 99"])),
    ("root_n", Ends(&["shmem_long_broadcast: PE_root is 3: it must be 0 to 2"])),
    ("root_minus_1", Ends(&["shmem_broadcast64: PE_root is -1: it must be 0 to 2"])),
    ("roots_differ", Ends(&["PE 1 is at a broadcast", "but PE 0 at a broadcast"])),
    (
        "counts_differ",
        Ends(&["PE 1 is at a reduction (sum) of 3 elements", "but PE 0 at a reduction (sum) of 4 elements"]),
    ),
    ("count_minus_1", Ends(&["shmem_long_sum_to_all: nreduce is -1: it must be at least 0"])),
    ("bad_thread_level", GoesOn(&["99 is no thread level"])),
    ("null_for_the_level", Ends(&["PE 1: shmem_query_thread: the address for what it gives back is NULL"])),
    ("null_for_the_init", Ends(&["shmem_init_thread: the address for what it gives back is NULL"])),
    ("null_for_the_ctx", Ends(&["PE 1: shmem_ctx_create: the address for what it gives back is NULL"])),
    ("null_for_the_team", Ends(&["shmem_team_split_strided: the address for what it gives back is NULL"])),
    ("null_for_the_teams", Ends(&["shmem_team_split_2d: the address for what it gives back is NULL"])),
    ("set_start_minus_1", Ends(&["shmem_barrier: the active set of 3 PEs from PE -1", "does not fit"])),
    (
        "set_too_large",
        Ends(&["shmem_barrier: the active set of 4 PEs from PE 0", "does not fit: the job has PEs 0 to 2"]),
    ),
    ("set_size_0", Ends(&["shmem_barrier: ", "PE_size must be at least 1"])),
    ("set_stride_huge", Ends(&["shmem_barrier: ", "logPE_stride must be 0 to 30"])),
    (
        "set_without_me",
        Ends(&["PE 1: shmem_barrier: ", "does not contain this PE: only its members may call"]),
    ),
    ("psync_on_stack", Ends(&["shmem_barrier: 8 bytes at 0x7ff", NOT_THERE])),
    ("psync_null", Ends(&["shmem_long_sum_to_all: 8 bytes at 0x0", NOT_THERE])),
];

const HANDLE: &[(&str, End)] = &[
    ("sync_no_team", Ends(&["PE 1: shmem_team_sync: the team is SHMEM_TEAM_INVALID"])),
    ("sync_destroyed_team", Ends(&["shmem_team_sync: 0x", "is no team; it may have been destroyed"])),
    ("sync_garbage_team", Ends(&["PE 1: shmem_team_sync: 0x1234567 is no team"])),
    ("ask_no_team", GoesOn(&[])),
    ("ask_destroyed_team", Ends(&["shmem_team_n_pes: 0x", "is no team; it may have been destroyed"])),
    ("split_no_team", GoesOn(&[])),
    ("split_too_large", GoesOn(&["shmem_team_split_strided: PE 0: team split: ", SHAPE])),
    ("split_stride_0", GoesOn(&["shmem_team_split_strided: PE 0: team split: ", SHAPE])),
    ("split_differs", GoesOn(&["PE 1 is at a split of the team by start 0, stride 1, size 1"])),
    ("split_2d_no_range", GoesOn(&["shmem_team_split_2d: PE 0: team split: "])),
    (
        "teams_without_end",
        GoesOn(&["none of the 16 team slots is free on all members; destroy teams, or raise SHMEM_TEAMS"]),
    ),
    ("destroy_the_world", Ends(&["shmem_team_destroy: a predefined team cannot be destroyed"])),
    ("destroy_twice", Ends(&["shmem_team_destroy: 0x", "is no team; it may have been destroyed"])),
    ("reduce_no_team", Ends(&["shmem_long_sum_reduce: the team is SHMEM_TEAM_INVALID"])),
    ("ctx_of_no_team", GoesOn(&[])),
    ("put_on_no_ctx", Ends(&["PE 1: shmem_ctx_long_p: the context is SHMEM_CTX_INVALID"])),
    ("put_on_destroyed_ctx", Ends(&["PE 1: shmem_ctx_long_p: ", NO_CONTEXT])),
    ("put_on_garbage_ctx", Ends(&["PE 1: shmem_ctx_long_p: ", NO_CONTEXT])),
    ("quiet_on_destroyed_ctx", Ends(&["PE 1: shmem_ctx_quiet: ", NO_CONTEXT])),
    ("destroy_ctx_twice", Ends(&["PE 1: shmem_ctx_destroy: ", NO_CONTEXT])),
    ("destroy_the_default_ctx", Ends(&["PE 1: shmem_ctx_destroy: the default context cannot be destroyed"])),
    ("destroy_no_ctx", GoesOn(&[])),
    ("team_of_no_ctx", GoesOn(&[])),
    (
        "pe_beyond_the_ctx",
        Ends(&["PE 1: shmem_ctx_long_p: there is no PE 2; the context's team has PEs 0 to 0"]),
    ),
    ("clear_of_others", Ends(&["PE 1: shmem_clear_lock: this PE does not hold the lock at 0x"])),
    ("clear_of_nobody", Ends(&["PE 1: shmem_clear_lock: this PE does not hold the lock at 0x"])),
    ("set_twice", Ends(&["PE 1: shmem_set_lock: this PE holds the lock at 0x", "it would wait for itself"])),
    ("no_lock", Ends(&["PE 1: shmem_set_lock: ", "lock"])),
];

const LIFE: &[(&str, End)] = &[
    ("exit_with_0", Ends(&["PE 1 is at finalize", "but PE 0 at a barrier"])),
    ("exit_with_3", Ends(&["PE 1 is at finalize", "but PE 0 at a barrier"])),
    ("exit_unseen", Ends(&["PE 1: its process (", "died in the middle of the job"])),
    // Under MPI the launcher may be the first to see it.
    ("aborted", Ends(&["ignal 6"])),
    ("segfault", Ends(&["ignal 11"])),
    ("missing_barrier", Ends(&["PE 1 is at alloc(1000 bytes", "but PE 0 at a barrier"])),
    ("barrier_and_sync", Ends(&["PE 1 is at a sync", "but PE 0 at a barrier"])),
    (
        "two_threads",
        Ends(&[
            "PE 1: shmem_malloc: called at thread level Single while another call that uses the heap is",
            "let one call end before the next",
        ]),
    ),
    (
        "barrier_in_handler",
        Ends(&["PE 1: a barrier: called at thread level Single while another call that uses the team is"]),
    ),
    (
        "malloc_in_handler",
        Ends(&["PE 1: shmem_malloc: called at thread level Single while another call that uses the heap"]),
    ),
    (
        "reduce_in_handler",
        Ends(&["PE 1: a barrier: called at thread level Single while another call that uses the team is"]),
    ),
    (
        "handler_among_threads",
        Ends(&["PE 1: shmem_malloc: called at thread level Multiple while another", "neither may"]),
    ),
    ("no_finalize", Prints("", 0)),
    ("finalize_twice", GoesOn(&["PE 1: shmem_finalize: one more than there were inits; nothing is done"])),
    ("put_after_finalize", Ends(&["shmem_long_p: ", NOT_UP])),
    ("malloc_after_finalize", Ends(&["shmem_malloc: ", NOT_UP])),
    ("ask_after_finalize", Prints("-1 of 0\n-1 of 0\n-1 of 0\n", 0)),
    ("global_exit_7", Prints("", 7)),
    ("put_before_init", Ends(&["shmem_long_p: ", NOT_UP])),
    ("malloc_before_init", Ends(&["shmem_malloc: ", NOT_UP])),
    ("barrier_before_init", Ends(&["shmem_barrier_all: ", NOT_UP])),
    ("finalize_before_init", Ends(&["shmem_finalize: ", NOT_UP])),
    ("global_exit_before_init", Ends(&["shmem_global_exit: ", NOT_UP])),
    ("ask_before_init", Prints("-1 of 0, 0\n-1 of 0, 0\n-1 of 0, 0\n", 0)),
];

const GROUPS: [&[(&str, End)]; 8] = [FREE, ALLOCATE, CHECKED, WHICH_PE, ADDRESS, ARGUMENT, HANDLE, LIFE];

/// So many launches at once: most of a launch that ends badly is waiting.
const AT_ONCE: usize = 4;

/// `_before_init` under MPI: each process ends before MPI knows of it, in a way that is the launcher's. Of many lines a
/// launcher may pass on some in two pieces, with another PE's between them.
fn boots(place: usize, name: &str) -> &'static [Boot] {
    let launchers = name.ends_with("_before_init") || name == "team_malloc_of_no_team";
    if place.is_multiple_of(5) && !launchers { Boot::all() } else { &Boot::all()[..1] }
}

fn group(cases: &[(&str, End)], check: &str) {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let flags = ["-std=gnu11", "-Wno-deprecated-declarations"];
    let program = PROGRAM.get_or_init(|| compile("tests/misuse/misuse.c", &flags));
    let launches = cases
        .iter()
        .enumerate()
        .flat_map(|(place, case)| boots(place, case.0).iter().map(move |b| (case, *b)));
    let queue = Mutex::new(launches);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some(((name, end), boot)) = next else { break };
                    judge(name, end, boot, &run(program, name, boot, check));
                }
            });
        }
    });
}

fn run(program: &Path, name: &str, boot: Boot, check: &str) -> Outcome {
    let launch = launch(program, 3, boot).arg(name).env("SHMEM_HEAP_CHECK", check).env("SHMEM_TEAMS", "16");
    launch.limit(Duration::from_secs(30)).run_at_once()
}

fn judge(name: &str, end: &End, boot: Boot, outcome: &Outcome) {
    let shown = format!("{name} by {boot:?}: {outcome}");
    assert!(!outcome.timed_out, "it hangs: {shown}");
    assert!(!outcome.stderr.contains("panicked at"), "it panics: {shown}");
    // One line has them all, in this order.
    let says = |words: &[&str]| {
        outcome.stderr.lines().any(|line| {
            let mut rest = Some(line);
            for word in words {
                // Slurm has a name of its own for what ended a PE.
                let word = match (boot, *word) {
                    (Boot::Slurm, "ignal 6") => "task 1: Aborted",
                    (Boot::Slurm, "ignal 11") => "task 1: Segmentation fault",
                    (_, word) => word,
                };
                rest = rest.and_then(|rest| rest.split_once(word)).map(|(_, after)| after);
            }
            rest.is_some()
        })
    };
    match end {
        Ends(words) => {
            assert!(!outcome.status.success(), "it does not end: {shown}");
            assert!(!outcome.stdout.contains("went on"), "it goes on: {shown}");
            assert!(says(words), "not said: {shown}");
        }
        GoesOn(words) => {
            assert!(outcome.status.success(), "it ends: {shown}");
            assert_eq!(outcome.stdout, "went on\n", "{shown}");
            assert!(if words.is_empty() { outcome.stderr.is_empty() } else { says(words) }, "{shown}");
        }
        Says(n, words) => {
            assert!(outcome.status.success() && outcome.stdout == "went on\n", "it ends: {shown}");
            let lines = outcome.stderr.lines();
            let such = |line: &&str| line.starts_with("PE ") && words.iter().all(|word| line.contains(word));
            assert_eq!((lines.clone().count(), lines.filter(such).count()), (*n, *n), "{shown}");
            assert!(says(words), "{shown}");
        }
        Prints(stdout, status) => {
            assert_eq!((outcome.stdout.as_str(), outcome.status.code()), (*stdout, Some(*status)), "{shown}");
        }
    }
}

macro_rules! groups {
    ($($(#[$meta:meta])* $name:ident, $cases:ident, $check:literal;)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            group($cases, $check);
        }
    )*};
}
groups! {
    what_is_no_block_is_not_freed, FREE, "1";
    what_cannot_be_allocated, ALLOCATE, "1";
    what_a_checked_heap_finds, CHECKED, "2";
    pes_that_do_not_exist, WHICH_PE, "1";
    addresses_that_are_not_symmetric, ADDRESS, "1";
    arguments_that_mean_nothing, ARGUMENT, "1";
    teams_contexts_and_locks_that_are_none, HANDLE, "1";
    lives_that_end_otherwise, LIFE, "1";
}

/// The C file and the lists here have the same cases.
#[test]
fn every_case_is_judged() {
    let text = std::fs::read_to_string(here().join("tests/misuse/misuse.c")).unwrap();
    let in_table = text.lines().filter_map(|line| line.trim().strip_prefix("X(")?.split(',').next());
    let early =
        text.lines().filter_map(|line| line.trim().strip_prefix("if (!strcmp(name, \"")?.split('"').next());
    let in_c: BTreeSet<&str> = in_table.chain(early).collect();
    let judged: BTreeSet<&str> = GROUPS.iter().flat_map(|group| group.iter().map(|case| case.0)).collect();
    assert_eq!(in_c, judged);
}
