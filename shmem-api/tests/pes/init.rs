//! Init, finalize, exit, info: the rules of the standard's library setup, one test each, under every boot.

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::time::Duration;

use shmem_api::testing::{self, Boot, Launch, Outcome};
use shmem_api::{Error, Leaks, Multiple, ThreadLevel, World, raw};

#[allow(unsafe_code)]
fn global_exit(status: i32) -> ! {
    // SAFETY: nobody takes the library down meanwhile.
    unsafe { raw::global_exit(status) }
}

fn launch(test: &str, n: u32, boot: Boot) -> Outcome {
    Launch::of_test(test, n, boot).limit(Duration::from_secs(30)).run()
}

/// Each test's body runs in every PE of launches of these sizes, under every boot. It ends the process itself
/// or returns; how the launch went is for `check`.
macro_rules! launches {
    ($($(#[$meta:meta])* fn $name:ident on [$($n:expr),+] $body:block check |$outcome:ident, $pes:ident| $check:block)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            if testing::is_pe() {
                let body: fn() = || $body;
                return body();
            }
            for &boot in Boot::all() {
                for $pes in [$($n),+] {
                    let $outcome = launch(here!(stringify!($name)), $pes, boot);
                    assert!(!$outcome.timed_out, "{boot:?}, {} PEs: {}", $pes, $outcome);
                    $check
                }
            }
        }
    )*};
}

fn succeeds(outcome: &Outcome) {
    outcome.expect_success("all PEs end well");
    assert!(!outcome.stderr.contains("warning"), "{outcome}");
}

fn fails_saying(outcome: &Outcome, what: &str) {
    assert!(!outcome.status.success() && outcome.stderr.contains(what), "nobody said {what:?}: {outcome}");
}

fn compute_for_ever() -> ! {
    let mut x = 0u64;
    loop {
        x = std::hint::black_box(x + 1);
    }
}

// The calls of C, for a thread that keeps their contracts.
fn init() {
    // SAFETY: one thread, and the tests use only what is alive.
    unsafe { raw::init() }
}
fn init_thread(level: i32) -> Result<i32, Error> {
    // SAFETY: one thread, and the tests use only what is alive.
    unsafe { raw::init_thread(level) }
}
fn finalize() {
    // SAFETY: one thread, and the tests use only what is alive.
    unsafe { raw::finalize() }
}
fn words(n: usize) -> *mut u64 {
    // SAFETY: one thread, and the tests use only what is alive.
    let block = unsafe { raw::malloc(8 * n) };
    assert!(!block.is_null());
    block.cast()
}
fn put(dest: *mut u64, value: u64, pe: i32) {
    // SAFETY: one thread, and the tests use only what is alive.
    unsafe { raw::put(dest, &raw const value, 1, pe) }
}
fn get(src: *const u64, pe: i32) -> u64 {
    let mut value = 0;
    // SAFETY: one thread, and the tests use only what is alive.
    unsafe { raw::get(&raw mut value, src, 1, pe) };
    value
}

/// Heap use that fails if PEs do not share: everybody writes to everybody, and reads back.
fn use_the_heap(round: u64) {
    let (me, n) = (raw::my_pe(), raw::n_pes());
    let block = words(n as usize);
    (0..n).for_each(|pe| put(block.wrapping_add(me as usize), round * 100 + me as u64, pe));
    // A heap call is a barrier.
    let other = words(1);
    for from in 0..n {
        let pe = (from + me) % n;
        assert_eq!(get(block.wrapping_add(from as usize), pe), round * 100 + from as u64);
    }
    for b in [other, block] {
        // SAFETY: nobody uses it after the entry barrier of the free.
        unsafe { raw::free(b.cast()) }.unwrap();
    }
}

launches! {
    /// NOTES: one finalize per init; a finalize that is not the last is a barrier and frees nothing.
    fn each_init_needs_its_finalize on [1, 2, 4, 8] {
        assert!(!raw::query_initialized());
        init();
        init();
        assert_eq!(init_thread(raw::THREAD_SINGLE).unwrap(), raw::THREAD_SINGLE);
        let (me, n) = (raw::my_pe(), raw::n_pes());
        let block = words(n as usize);
        for round in 1..=2u64 {
            (0..n).for_each(|pe| put(block.wrapping_add(me as usize), round, pe));
            if me == 0 { std::thread::sleep(Duration::from_millis(30)) }
            finalize();
            // Only a barrier makes this true on every PE.
            (0..n).for_each(|from| assert_eq!(get(block.wrapping_add(from as usize), me), round));
            assert!(raw::query_initialized());
            // What this PE has read, nobody may write before.
            // SAFETY: a barrier by way of a heap call.
            let barrier = unsafe { raw::malloc(8) };
            assert!(!barrier.is_null());
        }
        finalize();
        assert!(!raw::query_initialized());
        assert_eq!((raw::my_pe(), raw::n_pes()), (-1, 0));
    } check |outcome, _n| { succeeds(&outcome) }

    /// NOTES: a new init after the last finalize must work.
    fn the_library_comes_up_twenty_times on [1, 2, 3, 4, 8] {
        for round in 0..20 {
            init();
            if round % 3 == 0 { init() }
            use_the_heap(round);
            if round % 3 == 0 { finalize() }
            use_the_heap(round + 50);
            finalize();
            assert!(!raw::query_initialized());
        }
    } check |outcome, _n| { succeeds(&outcome) }

    /// NOTES: four ordered levels; never less than before.
    fn thread_levels_rise_and_never_fall on [1, 2] {
        let levels = [raw::THREAD_SINGLE, raw::THREAD_FUNNELED, raw::THREAD_SERIALIZED, raw::THREAD_MULTIPLE];
        assert!(levels.is_sorted_by(|a, b| a < b));
        assert!(matches!(init_thread(4), Err(Error::NoThreadLevel { requested: 4 })));
        assert!(matches!(init_thread(-1), Err(Error::NoThreadLevel { requested: -1 })));
        assert!(!raw::query_initialized());
        for first in levels {
            for second in levels {
                assert_eq!(init_thread(first).unwrap(), first);
                assert_eq!(raw::query_thread(), first);
                assert_eq!(init_thread(second).unwrap(), first.max(second));
                use_the_heap(7);
                finalize();
                assert_eq!(raw::query_thread(), first.max(second), "as long as the library is up");
                finalize();
            }
        }
    } check |outcome, _n| { succeeds(&outcome) }

    /// NOTES: query_initialized is legal before init and after finalize, from any thread.
    fn query_initialized_is_legal_at_any_time on [2] {
        let ask = || std::thread::spawn(raw::query_initialized).join().unwrap();
        assert!(!ask());
        init();
        assert!(ask());
        finalize();
        assert!(!ask());
    } check |outcome, _n| { succeeds(&outcome) }

    /// NOTES: start_pes ignores its argument, may be repeated, and finalizes at process exit, silently.
    fn start_pes_finalizes_at_exit on [1, 2, 4] {
        for _ in 0..3 {
            // SAFETY: one thread.
            unsafe { raw::start_pes() };
        }
        use_the_heap(1);
        // Nobody is left behind at exit: a put just before arrives, and PEs come at different times.
        std::thread::sleep(Duration::from_millis(20 * raw::my_pe() as u64));
        std::process::exit(0);
    } check |outcome, _n| { succeeds(&outcome) }

    /// An init in a program of `start_pes` still needs its finalize, and has it.
    fn start_pes_and_init_are_counted_apart on [2] {
        // SAFETY: one thread.
        unsafe { raw::start_pes() };
        init();
        finalize();
        use_the_heap(3);
        std::process::exit(0);
    } check |outcome, _n| { succeeds(&outcome) }

    fn return_without_finalize_is_one_warning on [1, 2, 4] {
        init();
        init();
        use_the_heap(2);
        std::process::exit(0);
    } check |outcome, _n| {
        outcome.expect_success("exit finalizes");
        assert_eq!(outcome.stderr.matches("warning: left without shmem_finalize").count(), 1, "{outcome}");
    }

    fn one_pe_forgets_to_finalize on [2, 4] {
        init();
        use_the_heap(2);
        if raw::my_pe() != 1 { finalize() }
        std::process::exit(0);
    } check |outcome, _n| {
        outcome.expect_success("exit finalizes");
        assert!(outcome.stderr.contains("PE 1: warning: left without shmem_finalize"), "{outcome}");
        assert_eq!(outcome.stderr.matches("warning").count(), 1, "{outcome}");
    }

    fn exit_while_the_others_are_at_a_heap_call on [2, 4] {
        init();
        if raw::my_pe() == 1 { std::process::exit(3) }
        words(1);
        unreachable!("the job has ended");
    } check |outcome, _n| { fails_saying(&outcome, "PE 1 is at finalize") }

    fn exit_while_the_others_compute on [2, 4] {
        init();
        if raw::my_pe() == 1 { std::process::exit(0) }
        compute_for_ever()
    } check |outcome, _n| { fails_saying(&outcome, "PE 1: left without shmem_finalize with status 0") }

    fn exit_with_a_status_while_the_others_compute on [2] {
        init();
        if raw::my_pe() == 1 { std::process::exit(3) }
        compute_for_ever()
    } check |outcome, _n| {
        fails_saying(&outcome, "PE 1: left without shmem_finalize with status 3");
        assert_eq!(outcome.status.code(), Some(3), "{outcome}");
    }

    /// There is no finalize to be left out, but the status says that something went wrong.
    fn start_pes_and_exit_with_a_status on [2] {
        // SAFETY: one thread.
        unsafe { raw::start_pes() };
        if raw::my_pe() == 1 { std::process::exit(3) }
        compute_for_ever()
    } check |outcome, _n| { fails_saying(&outcome, "PE 1: left with status 3, and not all PEs") }

    /// Nobody is in error: PE 1 waits longer than one that is.
    fn start_pes_and_one_comes_late on [2] {
        // SAFETY: one thread.
        unsafe { raw::start_pes() };
        std::thread::sleep(Duration::from_secs(if raw::my_pe() == 1 { 0 } else { 3 }));
        std::process::exit(0);
    } check |outcome, _n| { succeeds(&outcome) }

    /// PE 1 leaves, PE 0 waits for a word of it, the others are at their finalize: nobody can go on, and PE 1 finds out.
    fn exit_while_another_waits_for_this_pe on [2, 3, 4] {
        init();
        let word = words(1);
        put(word, 0, raw::my_pe());
        words(1);
        match raw::my_pe() {
            // SAFETY: a symmetric word.
            0 => unsafe { raw::wait_until(word, shmem_api::Cmp::Eq, 1) },
            1 => std::process::exit(0),
            _ => finalize(),
        }
        unreachable!("the job has ended");
    } check |outcome, _n| { fails_saying(&outcome, "PE 1: left without shmem_finalize w") }

    /// The same picture for a while, but PE 2 computes, and what it then sends lets PE 0 go on. After `start_pes` the
    /// ones that have left wait as long as it takes.
    fn exit_while_another_waits_for_a_third on [3, 4] {
        // SAFETY: one thread.
        unsafe { raw::start_pes() };
        let word = words(1);
        put(word, 0, raw::my_pe());
        words(1);
        match raw::my_pe() {
            // SAFETY: a symmetric word.
            0 => unsafe { raw::wait_until(word, shmem_api::Cmp::Eq, 3) },
            2 => for value in 1..=3 {
                std::thread::sleep(Duration::from_millis(700));
                put(word, value, 0);
            },
            _ => {}
        }
        std::process::exit(0);
    } check |outcome, _n| {
        outcome.expect_success("nobody is taken for blocked who is not");
    }

    /// Two PEs in a chain of waits, each of which lets the other go on: answers of waits that ended do not count.
    fn exit_while_others_take_turns_in_waiting on [3] {
        // SAFETY: one thread.
        unsafe { raw::start_pes() };
        let word = words(1);
        put(word, 0, raw::my_pe());
        words(1);
        let me = raw::my_pe();
        if me < 2 {
            for turn in 0..300u64 {
                if turn % 2 == me as u64 {
                    std::thread::sleep(Duration::from_millis(10));
                    put(word, turn + 1, 1 - me);
                } else {
                    // SAFETY: a symmetric word.
                    unsafe { raw::wait_until(word, shmem_api::Cmp::Eq, turn + 1) }
                }
            }
        }
        std::process::exit(0);
    } check |outcome, _n| { outcome.expect_success("nobody is taken for blocked who is not") }

    /// NOTES: global_exit from any PE ends all of them, wherever they are, with its status.
    fn global_exit_ends_pes_that_wait on [1, 2, 4] {
        init();
        if raw::my_pe() == raw::n_pes() - 1 { global_exit(7) }
        words(1);
        unreachable!("the job has ended");
    } check |outcome, _n| { assert_eq!(outcome.status.code(), Some(7), "{outcome}") }

    fn global_exit_ends_pes_that_compute on [2, 3] {
        init();
        words(1);
        if raw::my_pe() == 1 { global_exit(255) }
        loop { std::hint::black_box(raw::my_pe()); }
    } check |outcome, _n| { assert_eq!(outcome.status.code(), Some(255), "{outcome}") }

    fn global_exit_with_success on [1, 2, 4] {
        init();
        words(1);
        if raw::my_pe() == 0 { global_exit(0) }
        if raw::my_pe() == 1 { words(1); }
        loop { std::hint::black_box(raw::my_pe()); }
    } check |outcome, _n| { assert_eq!(outcome.status.code(), Some(0), "{outcome}") }

    fn global_exit_of_all_at_once_from_threads on [1, 4] {
        assert_eq!(init_thread(raw::THREAD_MULTIPLE).unwrap(), raw::THREAD_MULTIPLE);
        std::thread::spawn(|| global_exit(40 + raw::my_pe())).join().unwrap();
    } check |outcome, n| {
        let status = outcome.status.code().unwrap_or(-1);
        assert!((40..40 + n as i32).contains(&status), "{outcome}");
    }

    fn global_exit_flushes_the_streams on [2] {
        unsafe extern "C" {
            fn puts(line: *const std::ffi::c_char) -> i32;
        }
        init();
        words(1);
        if raw::my_pe() == 1 {
            std::io::Write::write_all(&mut std::io::stdout(), b"half a line of Rust; ").unwrap();
            // SAFETY: a string.
            unsafe { puts(c"a line of C".as_ptr()) };
            global_exit(9);
        }
        words(1);
    } check |outcome, _n| {
        assert_eq!(outcome.status.code(), Some(9), "{outcome}");
        assert!(outcome.stdout.contains("half a line of Rust") && outcome.stdout.contains("a line of C"), "{outcome}");
    }

    fn a_second_world_is_on_the_same_library on [1, 2, 4] {
        let first = World::init().unwrap();
        let mut kept = first.alloc::<u64>(first.n_pes()).unwrap();
        let second = World::init().unwrap();
        assert_eq!((first.heap_base(), first.pe(), first.n_pes()), (second.heap_base(), second.pe(), second.n_pes()));
        let mut other = second.alloc_one(0u64).unwrap();
        second.share((&mut kept, &mut other), |phase, (kept, other)| {
            (0..phase.n_pes()).for_each(|pe| kept.put_one(pe, phase.pe(), 5 + phase.pe() as u64));
            other.put_one((phase.pe() + 1) % phase.n_pes(), 0, 9);
        });
        assert_eq!(*other, 9);
        drop(other);
        assert_eq!(second.finalize().unwrap(), Leaks::default());
        assert!((0..first.n_pes()).all(|pe| kept[pe] == 5 + pe as u64), "the first World's objects are untouched");
        let third = World::init().unwrap();
        drop(kept);
        drop(first);
        third.barrier();
        // The last to go hears of what is left.
        std::mem::forget(third.alloc::<u8>(100).unwrap());
        assert_eq!(third.finalize().unwrap().blocks, 1);
        assert!(!raw::query_initialized());
    } check |outcome, _n| { succeeds(&outcome) }

    /// RUST-API (e): a stray finalize of C never pulls memory from under a World.
    fn worlds_and_inits_are_counted_apart on [1, 2] {
        init();
        let world = World::init().unwrap();
        let mut a = world.alloc_one(world.pe() as u64).unwrap();
        finalize();
        assert!(raw::query_initialized());
        world.share(&mut a, |phase, a| a.put_one((phase.pe() + 1) % phase.n_pes(), 0, 77));
        assert_eq!(*a, 77);
        init();
        drop(a);
        drop(world);
        use_the_heap(4);
        finalize();
        assert!(!raw::query_initialized());
    } check |outcome, _n| { succeeds(&outcome) }

    fn a_finalize_too_many_is_a_line_and_does_nothing on [1, 2] {
        let world = World::init().unwrap();
        finalize();
        use_the_heap(4);
        init();
        finalize();
        finalize();
        use_the_heap(4);
        drop(world);
        finalize();
    } check |outcome, n| {
        succeeds(&outcome);
        let line = |pe: u32| format!("PE {pe}: shmem_finalize: one more than there were inits; nothing is done\n");
        (0..n).for_each(|pe| assert_eq!(outcome.stderr.matches(&line(pe)).count(), 3, "{outcome}"));
    }

    fn a_world_on_another_thread_takes_level_multiple on [1, 2] {
        let world = World::init().unwrap();
        let other = std::thread::spawn(|| World::<Multiple>::init_level().map(drop)).join().unwrap();
        assert!(matches!(other, Err(Error::OtherThread { have: ThreadLevel::Funneled })));
        // The level rises from the thread that is in charge, and then it works.
        let all = World::<Multiple>::init_level().unwrap();
        let main = std::thread::current().id();
        std::thread::spawn(move || {
            assert_ne!(std::thread::current().id(), main);
            let nested = World::init().unwrap();
            let mut a = nested.alloc_one(0u64).unwrap();
            nested.share(&mut a, |phase, a| a.put_one((phase.pe() + 1) % phase.n_pes(), 0, 3));
            assert_eq!(*a, 3);
        }).join().unwrap();
        drop(world);
        all.finalize().unwrap();
    } check |outcome, _n| { succeeds(&outcome) }

    /// NOTES: info_get_name fits in MAX_NAME_LEN with its NUL; the version is the macros'.
    fn info_is_what_the_constants_say on [1] {
        assert_eq!(raw::info_get_version(), (raw::MAJOR_VERSION, raw::MINOR_VERSION));
        assert_eq!(raw::info_get_version(), (1, 6));
        let mut name = [1; raw::MAX_NAME_LEN];
        // SAFETY: as long as it says.
        unsafe { raw::info_get_name(name.as_mut_ptr().cast()) };
        let text = CStr::from_bytes_until_nul(&name).unwrap();
        assert_eq!(text, raw::VENDOR_STRING);
        assert!(!text.is_empty() && text.to_str().is_ok());
        (-1..10).for_each(raw::pcontrol);
    } check |outcome, _n| { succeeds(&outcome) }
}

/// NOTES: an invalid SHMEM_SYMMETRIC_SIZE is nonzero of init_thread, and the end of a program that calls init; fractions
/// round up; 0 is legal, and then nothing can be had.
#[test]
fn the_size_of_the_heap_is_what_the_setting_says() {
    let test = here!("the_size_of_the_heap_is_what_the_setting_says");
    if testing::is_pe() {
        match std::env::var("SHMEM_TEST_EXPECT").unwrap().as_str() {
            "error" => {
                assert!(matches!(init_thread(raw::THREAD_SINGLE), Err(Error::Setting(_))));
                assert!(!raw::query_initialized());
            }
            "exit" => init(),
            bytes => {
                init();
                let bytes: usize = bytes.parse().unwrap();
                // SAFETY: one thread.
                let block = unsafe { raw::malloc(bytes) };
                assert_eq!(block.is_null(), bytes == 0, "one block of all of it");
                // SAFETY: as above.
                assert!(unsafe { raw::malloc(16) }.is_null(), "and not a block more");
                finalize();
            }
        }
        return;
    }
    let run = |size, expect| {
        let launch = Launch::of_test(test, 2, Boot::Local).env("SHMEM_TEST_EXPECT", expect);
        launch.env("SHMEM_SYMMETRIC_SIZE", size).run()
    };
    for (size, bytes) in
        [("3.1M", "3250586"), (".5m", "524288"), ("20kk", "20480"), ("0", "0"), ("65536", "65536")]
    {
        run(size, bytes).expect_success(size);
    }
    for size in ["-1", "lots", "nan", "inf"] {
        let outcome = run(size, "error");
        outcome.expect_success(size);
        assert!(outcome.stderr.contains("SHMEM_SYMMETRIC_SIZE"), "{outcome}");
        let outcome = run(size, "exit");
        assert_eq!(outcome.status.code(), Some(1), "{size}: {outcome}");
        assert!(outcome.stderr.contains("SHMEM_SYMMETRIC_SIZE"), "{outcome}");
    }
}
