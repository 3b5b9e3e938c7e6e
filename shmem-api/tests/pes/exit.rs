//! However a PE goes, the whole job goes: within three seconds, with a status that is not zero, and with
//! a line that names the PE. Under every boot.

mod lost_host;
mod stuck;

use std::time::Duration;

use shmem_api::testing::{self, Boot, Launch, Outcome, patience};
use shmem_api::{World, raw};

mod fork;

/// Runs `body` on `n` PEs and returns how it went; in a PE, runs it.
fn launch(test: &str, n: u32, boot: Boot) -> Outcome {
    Launch::of_test(test, n, boot).limit(Duration::from_secs(20)).run()
}

/// What is said of a PE that can say nothing itself.
const KILLED: &str = "PE 1";

/// The job must have ended badly and soon, and somebody must have named PE 1.
fn must_end(test: &str, says: &str) {
    let killed = says == KILLED;
    for n in [2, 4] {
        for boot in Boot::of(n) {
            let outcome = launch(test, n, boot);
            let shown = format!("{test} on {n} PEs by {boot:?}: {outcome}");
            // A PE that left with status 0: MPICH's launcher may make that the job's, having killed the others.
            let theirs =
                test.ends_with("gone_right_after_init") && boot != Boot::Local && outcome.status.success();
            assert!(!outcome.timed_out && (theirs || !outcome.status.success()), "{shown}");
            // MPICH's launcher kills the others at once, often before one of them can speak: then the
            // line that names the process that was killed is the launcher's.
            // (If it stumbles over that itself, with the number of the signal only.)
            let by_signal = ["signal", "EXIT CODE: 6\n", "EXIT CODE: 9\n"];
            let launcher = outcome.stdout.contains("BAD TERMINATION")
                && by_signal.iter().any(|said| outcome.stdout.contains(said));
            // Open MPI's, too, where the PE was alone on its host: MPI as the engine between hosts notices no death.
            let by_mpi = std::env::var_os("SHMEM_TRANSPORT").is_some_and(|engine| engine == "mpi");
            let launcher = launcher || by_mpi && outcome.stderr.contains("noticed that process rank 1 ");
            let said = outcome.stderr.contains(says) || (killed && launcher) || theirs;
            assert!(said, "nobody said {says:?}: {shown}");
            // A launch alone takes up to a second, the promise is three after it.
            assert!(outcome.wall < patience(Duration::from_secs(8)), "{shown}");
        }
    }
}

macro_rules! exits {
    ($($(#[$meta:meta])* fn $name:ident says $says:expr; |$world:ident| $body:block)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            if testing::is_pe() {
                let $world = World::init().unwrap();
                $body
            } else {
                must_end(here!(stringify!($name)), $says);
            }
        }
    )*};
}

exits! {
    fn a_panic_between_phases says "PE 1: panicked; ending the job"; |world| {
        if world.pe() == 1 { panic!("on purpose") }
        world.barrier();
    }

    fn a_panic_while_others_share says "PE 1: panicked while objects were shared"; |world| {
        let mut a = world.alloc::<u64>(1).unwrap();
        world.share(&mut a, |_, a| {
            if world.pe() == 1 { panic!("on purpose") }
            a.wait_until(0, shmem_api::Cmp::Eq, 1);
        });
    }

    fn a_forgotten_world says "PE 1: left without finalizing"; |world| {
        if world.pe() == 1 {
            std::mem::forget(world);
            std::process::exit(0);
        }
        world.barrier();
    }

    fn exit_in_the_middle says "PE 1: left without finalizing"; |world| {
        if world.pe() == 1 { std::process::exit(0) }
        world.barrier();
    }

    fn killed_while_others_wait says KILLED; |world| {
        if world.pe() == 1 { kill_myself() }
        world.barrier();
    }

    fn killed_while_others_compute says KILLED; |world| {
        world.barrier();
        if world.pe() == 1 { kill_myself() }
        let mut x = 0u64;
        while std::hint::black_box(x) != u64::MAX { x += 1 }
    }

    fn aborted says KILLED; |world| {
        if world.pe() == 1 { std::process::abort() }
        world.barrier();
    }

    fn gone_right_after_init says KILLED; |world| {
        if world.pe() == 1 { leave_at_once() }
        world.barrier();
    }

    /// Its process lives on as something else, and says nothing.
    fn became_another_program_right_after_init says KILLED; |world| {
        use std::os::unix::process::CommandExt;
        if world.pe() == 1 { panic!("{}", std::process::Command::new("sleep").arg("15").exec()) }
        world.barrier();
    }

    /// One PE is done early, the others are at a barrier: both sides find out.
    fn one_finalizes_while_the_others_are_at_a_barrier says "PE 1 is at finalize"; |world| {
        if world.n_pes() == 2 || world.pe() != 1 {
            if world.pe() == 1 { drop(world); std::process::exit(3) }
            world.barrier();
        } else {
            drop(world);
            std::process::exit(3);
        }
    }

    fn one_leaves_a_phase_while_the_others_stay says "PE 1 is at the end of a phase"; |world| {
        let mut a = world.alloc::<u64>(1).unwrap();
        world.share(&mut a, |phase, _| if phase.pe() != 1 { phase.barrier() });
    }

    fn a_put_to_no_pe says "PE 1: put_one: there is no PE 99; the job has PEs 0 to"; |world| {
        let mut a = world.alloc::<u64>(1).unwrap();
        world.share(&mut a, |phase, a| a.put_one(if phase.pe() == 1 { 99 } else { 0 }, 0, 1));
    }

    fn a_put_past_the_end says "PE 1: put: elements 3..5 of an object of 4 on PE 0"; |world| {
        let mut a = world.alloc::<u64>(4).unwrap();
        world.share(&mut a, |phase, a| a.put(0, if phase.pe() == 1 { 3 } else { 0 }, &[1, 2]));
    }

    fn a_raw_put_outside_the_heap says "PE 1: shmem_putmem: 8 bytes at 0x10: neither in the symmetric heap nor in the executable's static data"; |world| {
        if world.pe() == 1 {
            // SAFETY: refused before anything is touched.
            #[allow(unsafe_code)]
            unsafe { raw::putmem(std::ptr::without_provenance_mut(16), [0u8; 8].as_ptr(), 8, 0) };
        }
        world.barrier();
    }
}

/// `_exit(0)`.
fn leave_at_once() {
    // SAFETY: always sound; it does not return.
    #[allow(unsafe_code)]
    unsafe {
        libc::_exit(0)
    }
}

fn kill_myself() {
    let me = rustix::process::getpid();
    rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
    loop {
        std::thread::park();
    }
}

/// PE 1 is done with the library and leaves, PE 0 starts it again: nobody waits for ever.
#[test]
fn one_leaves_while_the_others_start_again() {
    let test = here!("one_leaves_while_the_others_start_again");
    if testing::is_pe() {
        let world = World::init().unwrap();
        let me = world.pe();
        drop(world);
        if me != 1 {
            let e = World::init().err().expect("PE 1 is gone");
            eprintln!("second init said: {e}");
            std::process::exit(9);
        }
        std::process::exit(0);
    }
    for boot in Boot::of(3) {
        let outcome = launch(test, 3, boot);
        assert!(!outcome.timed_out && !outcome.status.success(), "{outcome}");
        assert!(outcome.stderr.contains("PE 1"), "{outcome}");
    }
}

#[test]
fn an_error_of_the_program_is_printed_with_its_pe() {
    if testing::is_pe() {
        let code = shmem_api::run(|world| {
            if world.pe() == 1 {
                Err("the file is gone")
            } else {
                world.try_barrier().map_err(|_| "diverged")
            }
        });
        std::process::exit(i32::from(code != std::process::ExitCode::SUCCESS));
    }
    must_end(here!("an_error_of_the_program_is_printed_with_its_pe"), "PE 1: the file is gone");
}

#[test]
fn a_call_without_the_library_is_one_clear_line() {
    if testing::is_pe() {
        drop(World::init().unwrap());
        // SAFETY: refused before anything is touched.
        #[allow(unsafe_code)]
        unsafe {
            raw::malloc(8)
        };
        unreachable!("the library is down");
    }
    let outcome = launch(here!("a_call_without_the_library_is_one_clear_line"), 1, Boot::Local);
    assert!(!outcome.status.success(), "{outcome}");
    assert!(outcome.stderr.contains("shmem_malloc: the library is not up"), "{outcome}");
}

#[test]
fn settings_that_differ_or_do_not_parse_name_the_pe() {
    let test = here!("settings_that_differ_or_do_not_parse_name_the_pe");
    if testing::is_pe() {
        match World::init() {
            Ok(_) => unreachable!("the settings are wrong"),
            Err(e) => {
                // In one write: both PEs say it.
                let line = format!("init said: {e}\n");
                eprint!("{line}");
                std::process::exit(9);
            }
        }
    }
    let bad = Launch::of_test(test, 2, Boot::Local).env("SHMEM_SYMMETRIC_SIZE", "lots").run();
    assert!(!bad.status.success() && bad.stderr.contains("SHMEM_SYMMETRIC_SIZE=\"lots\""), "{bad}");
    let huge = Launch::of_test(test, 2, Boot::Local).env("SHMEM_SYMMETRIC_SIZE", "9000T").run();
    assert!(!huge.status.success() && huge.stderr.contains("8 TiB"), "{huge}");
    // Every line of the PEs names the variable, its value, and what would be right or to do.
    for (name, value, right) in [
        ("SHMEM_SYMMETRIC_SIZE", "18446744073709551615", "at most 8 TiB"),
        ("SHMEM_SYMMETRIC_SIZE", "1e6", "without an exponent"),
        ("SHMEM_SYMMETRIC_SIZE", "8t", "lower"),
        ("SHMEM_HEAP_PE_SIZE", "8191g", "lower"),
        ("SHMEM_LOCAL_PES", "4294967296", "1 to 65536"),
        ("SHMEM_LOCAL_PES", "65537", "1 to 65536"),
        ("SHMEM_LOCAL_PES", "0", "1 to 65536"),
        ("SHMEM_HEAP_CHECK", "1024", "0 to 3"),
        ("SHMEM_HEAP_TRIM", "much", "512m"),
        ("SHMEM_MEMHEAP", ",", "`buddy`"),
        ("SHMEM_MEMHEAP_BUDDY_PRIORITY", "99999999999", "whole number"),
    ] {
        let bad = Launch::of_test(test, 2, Boot::Local).env(name, value).run();
        let lines: Vec<&str> =
            bad.stderr.lines().filter_map(|l| l.split_once("init said: ")).map(|l| l.1).collect();
        assert!(!bad.status.success() && !lines.is_empty(), "{name}={value}: {bad}");
        let full = |l: &&str| l.contains(&format!("{name}={value:?}")) && l.contains(right);
        assert!(lines.iter().all(full), "{name}={value}: {bad}");
    }
    // What is compared between PEs is compared whole.
    let long = format!("buddy,{}", "x".repeat(2000));
    let long = Launch::of_test(test, 2, Boot::Local).env("SHMEM_MEMHEAP", &long).run();
    let line = "the choice of allocators by settings takes 2020 bytes of text, more than 512: shorten it";
    assert!(!long.status.success() && long.stderr.contains(line), "{long}");
    let none = Launch::of_test(test, 2, Boot::Local).env("SHMEM_MEMHEAP", "nosuch").run();
    assert!(!none.status.success() && none.stderr.contains("left out by SHMEM_MEMHEAP=nosuch"), "{none}");
}

#[test]
fn a_world_can_be_leaked_and_main_returns() {
    let test = here!("a_world_can_be_leaked_and_main_returns");
    if testing::is_pe() {
        let world = World::init().unwrap().leak();
        let kept: shmem_api::SymSlice<'static, u64> = world.alloc(10).unwrap();
        std::mem::forget(kept);
        std::process::exit(0);
    }
    for boot in Boot::of(3) {
        launch(test, 3, boot).expect_success(test);
    }
}

#[test]
fn init_works_again_after_finalize() {
    let test = here!("init_works_again_after_finalize");
    if testing::is_pe() {
        for round in 0..10u64 {
            let world = World::init().unwrap();
            let mut a = world.alloc_one(round).unwrap();
            let next = (world.pe() + 1) % world.n_pes();
            world.share(&mut a, |_, a| a.put_one(next, 0, round + 1));
            assert_eq!(*a, round + 1);
            drop(a);
            assert_eq!(world.finalize().unwrap(), shmem_api::Leaks::default());
        }
        return;
    }
    for boot in Boot::of(3) {
        launch(test, 3, boot).expect_success(test);
    }
}
