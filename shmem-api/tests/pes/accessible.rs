//! What is reachable on which PE, by which address; and PEs that run different executables.
//!
//! ```text
//!   mpirun -n N-1 A : -n 1 B          A: this test, B: a copy of it with another build id
//!   heap: symmetric among all         statics: symmetric among those that run the same
//! ```
#![allow(unsafe_code)]

use std::path::{Path, PathBuf};

use crate::arena::host;
use shmem_api::testing::{self, Boot, Launch, Outcome};
use shmem_api::{SymStatic, World, multi_pe, raw, sym_static};

sym_static! {
    static COUNTER: SymStatic<u64> = 5;
    static ZERO: SymStatic<[u64; 100]> = [0; 100];
}

#[allow(unsafe_code)]
fn addr_accessible(at: *const u8, pe: i32) -> i32 {
    // SAFETY: the library stays up.
    unsafe { raw::addr_accessible(at, pe) }
}

/// Where an object of `pe` is here.
#[allow(unsafe_code)]
fn ptr(at: *const u8, pe: i32) -> *mut u8 {
    // SAFETY: the library stays up.
    unsafe { raw::ptr(at, pe) }
}

fn of_static<T: shmem_api::Elem>(object: &SymStatic<T>) -> *mut u64 {
    (object as *const SymStatic<T>).cast_mut().cast()
}

fn malloc(size: usize) -> *mut u8 {
    // SAFETY: the library is up, and there is one thread.
    let block = unsafe { raw::malloc(size) };
    assert!(!block.is_null());
    block
}

fn free(block: *mut u8) {
    // SAFETY: nobody uses it any more.
    unsafe { raw::free(block) }.unwrap();
}

multi_pe! {
    /// NOTES: addr_accessible is 1 iff the address is symmetric there; stack and private heap give 0.
    fn what_is_accessible(world) on [1, 2, 4] {
        let n = world.n_pes() as i32;
        let block = malloc(1000);
        let private = Box::new(7u64);
        let on_stack = 7u64;
        for pe in 0..n {
            for inside in [0, 1, 999] {
                assert_eq!(addr_accessible(block.wrapping_add(inside), pe), 1);
            }
            assert_eq!(addr_accessible(of_static(&COUNTER).cast(), pe), 1);
            assert_eq!(addr_accessible(of_static(&ZERO).cast(), pe), 1);
            for out in [(&raw const *private).cast(), (&raw const on_stack).cast(), std::ptr::null::<u8>()] {
                assert_eq!(addr_accessible(out, pe), 0, "{out:p}");
                assert!(ptr(out, pe).is_null());
            }
            // Code, and the end of the address space.
            assert_eq!(addr_accessible((malloc as fn(usize) -> *mut u8 as *const ()).cast(), pe), 0);
            assert_eq!(addr_accessible(std::ptr::without_provenance(usize::MAX), pe), 0);
            assert_eq!(raw::pe_accessible(pe), 1, "this PE counts as well");
        }
        for out in [-1, n, n + 1, i32::MAX, i32::MIN] {
            assert_eq!((raw::pe_accessible(out), addr_accessible(block, out)), (0, 0));
        }
        free(block);
    }

    /// NOTES: on one host the heap of every PE is directly addressable, and team WORLD is the same as shmem_ptr.
    fn pointers_to_peers_load_and_store(world) on [1, 2, 4] {
        let (me, n) = (world.pe(), world.n_pes());
        let block = malloc(8 * n).cast::<u64>();
        for object in [block, of_static(&ZERO)] {
            for pe in 0..n {
                let there = ptr(object.cast(), pe as i32).cast::<u64>();
                if !host().contains(&(pe as i32)) {
                    assert!(there.is_null());
                    continue;
                }
                assert!(!there.is_null());
                assert_eq!(there == object, pe == me, "only one's own is where it is");
                let rank = host().iter().position(|there| *there == pe as i32).unwrap();
                for (team, pe) in [(raw::TeamHandle::WORLD, pe), (raw::TeamHandle::SHARED, rank)] {
                    // SAFETY: a constant.
                    assert_eq!(unsafe { raw::team_ptr(team, object.cast(), pe as i32) }.cast(), there);
                }
                // SAFETY: n words there, of which only this PE writes this one.
                unsafe { there.wrapping_add(me).write_volatile(100 * me as u64 + pe as u64) };
            }
            world.barrier();
            for from in (0..n).filter(|from| host().contains(&(*from as i32))) {
                // SAFETY: written before the barrier.
                let value = unsafe { object.wrapping_add(from).read_volatile() };
                assert_eq!(value, 100 * from as u64 + me as u64);
            }
        }
        // SAFETY: a constant.
        assert!(unsafe { raw::team_ptr(raw::TeamHandle::INVALID, block.cast(), 0) }.is_null());
        free(block.cast());
    }
}

/// A copy of this program that is another executable: its build id, if it has one, is changed.
fn other_executable(test: &str) -> PathBuf {
    let me = std::env::current_exe().unwrap();
    let mut bytes = std::fs::read(&me).unwrap();
    let note = [4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, b'G', b'N', b'U', 0];
    if let Some(at) = bytes.windows(note.len()).position(|w| w == note) {
        bytes[at + note.len()] ^= 0xff;
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    std::fs::set_permissions(&path, std::fs::metadata(&me).unwrap().permissions()).unwrap();
    path
}

const OTHER: &str = "SHMEM_TEST_OTHER";

/// Runs `test` with `n` PEs of which the last runs the other executable.
fn launch_two(test: &str, n: u32, boot: Boot, other: &Path) -> Outcome {
    let launch = match boot {
        Boot::Local | Boot::Hosts => Launch::of_test(test, n, boot),
        Boot::OpenMpi | Boot::Mpich => {
            let args =
                [":", "-n", "1", other.to_str().unwrap(), test, "--exact", "--nocapture", "--test-threads=1"];
            args.into_iter().fold(Launch::of_test(test, n - 1, boot), Launch::arg)
        }
        Boot::Slurm => {
            let chosen = "[ $SLURM_PROCID = $SHMEM_TEST_LAST ] && exec \"$SHMEM_TEST_OTHER\" \"$@\"; exec \"$0\" \"$@\"";
            let me = std::env::current_exe().unwrap();
            let mut command = boot.command(n, Path::new("sh"), test);
            command.arg("-c").arg(chosen).arg(me).args([test, "--exact", "--nocapture", "--test-threads=1"]);
            Launch::of_command(command).env("SHMEM_TEST_ROLE", test).env("SHMEM_SYMMETRIC_SIZE", "1G")
        }
    };
    launch.env(OTHER, other.to_str().unwrap()).env("SHMEM_TEST_LAST", &(n - 1).to_string()).run()
}

fn with_two_executables(test: &str, check: impl Fn(&Outcome)) {
    let other = other_executable(test);
    for &boot in Boot::all() {
        for n in [2, 3] {
            let outcome = launch_two(test, n, boot, &other);
            assert!(!outcome.timed_out, "{n} PEs by {boot:?}: {outcome}");
            check(&outcome);
        }
    }
    std::fs::remove_file(other).unwrap();
}

/// In a PE: the last one goes on as the other executable. Whether this process runs that.
fn am_other() -> bool {
    let other = PathBuf::from(std::env::var_os(OTHER).unwrap());
    testing::become_program(&other, std::env::var("SHMEM_TEST_LAST").unwrap().parse().unwrap());
    std::env::current_exe().unwrap() == other
}

/// NOTES: heap objects are symmetric even across executables; statics only between PEs that run the same.
#[test]
fn two_executables_share_the_heap_and_not_their_statics() {
    if !testing::is_pe() {
        let test = here!("two_executables_share_the_heap_and_not_their_statics");
        return with_two_executables(test, |outcome| outcome.expect_success(test));
    }
    let other = am_other();
    let world = World::init().unwrap();
    let (me, n) = (world.pe(), world.n_pes());
    assert_eq!(other, me == n - 1, "the last PE runs the other executable");
    let block = malloc(8 * n).cast::<u64>();
    for pe in 0..n {
        let value = 10 * me as u64 + pe as u64;
        // SAFETY: each PE has a word of its own there.
        unsafe { raw::put(block.wrapping_add(me), &raw const value, 1, pe as i32) };
    }
    world.barrier();
    for from in 0..n {
        // SAFETY: written before the barrier.
        assert_eq!(unsafe { block.wrapping_add(from).read_volatile() }, 10 * from as u64 + me as u64);
    }
    for pe in 0..n {
        let same = (pe == n - 1) == other;
        assert_eq!((raw::pe_accessible(pe as i32), addr_accessible(block.cast(), pe as i32)), (1, 1));
        for object in [of_static(&COUNTER), of_static(&ZERO)] {
            assert_eq!(addr_accessible(object.cast(), pe as i32), i32::from(same), "PE {me} to {pe}");
            assert_eq!(ptr(object.cast(), pe as i32).is_null(), !same);
            assert!(!ptr(block.cast(), pe as i32).is_null());
        }
        if same {
            let mut value = 0u64;
            // SAFETY: nobody writes it.
            unsafe { raw::get(&raw mut value, of_static(&COUNTER), 1, pe as i32) };
            assert_eq!(value, 5);
        }
    }
    free(block.cast());
    world.finalize().unwrap();
}

/// Using a static of a PE that runs another executable is one clear line, whichever way it is done.
#[test]
fn a_static_of_another_executable_is_a_line() {
    if !testing::is_pe() {
        let test = here!("a_static_of_another_executable_is_a_line");
        return with_two_executables(test, |outcome| {
            let says = "PE 0: shmem_put: PE ";
            assert!(!outcome.status.success() && outcome.stderr.contains(says), "{outcome}");
            assert!(outcome.stderr.contains("runs another executable and has no static at 0x"), "{outcome}");
        });
    }
    am_other();
    let world = World::init().unwrap();
    if world.pe() == 0 {
        let value = 1u64;
        // SAFETY: refused before anything is touched.
        unsafe { raw::put(of_static(&COUNTER), &raw const value, 1, world.n_pes() as i32 - 1) };
    }
    world.barrier();
}

#[test]
fn a_safe_static_of_another_executable_is_a_line() {
    if !testing::is_pe() {
        let test = here!("a_safe_static_of_another_executable_is_a_line");
        return with_two_executables(test, |outcome| {
            let says = "runs another executable and has no such static";
            assert!(!outcome.status.success() && outcome.stderr.contains(says), "{outcome}");
        });
    }
    am_other();
    let world = World::init().unwrap();
    COUNTER.on(&world).put_one(0, 0, 1);
}
