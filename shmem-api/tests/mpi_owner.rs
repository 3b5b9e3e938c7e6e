//! A program that uses MPI beside this library: MPI started by either, finalized before or after.
//!
//! **MPI is ours to start, never ours to end early**: what the program started, the program ends. Where `SHMEM_BOOT` names the
//! launcher's own way, MPI is the program's alone.
#![cfg(feature = "mpi")]
#![allow(unsafe_code)]

use mpi::collective::SystemOperation;
use mpi::environment;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};
use shmem_api::testing::{self, Boot, Launch, Outcome};
use shmem_api::{Error, World, raw};

const WAY: &str = "SHMEM_BOOT";

/// Whether the PEs have joined by the program's MPI, as they do where nothing else is said.
fn by_mpi() -> bool {
    std::env::var_os(WAY).is_none()
}

/// Initialises MPI where the library has not.
fn mpi_is_up() -> Option<environment::Universe> {
    assert_eq!(environment::is_initialized(), by_mpi());
    let universe = environment::initialize();
    assert_eq!(universe.is_none(), by_mpi());
    universe
}

/// That of the MPI which this test was built with: it does not start the other's programs.
fn launcher() -> Boot {
    let mpich = environment::library_version().is_ok_and(|version| version.contains("MPICH"));
    if mpich { Boot::Mpich } else { Boot::OpenMpi }
}

fn init() {
    // SAFETY: one thread, and the tests use only what is alive.
    unsafe { raw::init() }
}
fn finalize() {
    // SAFETY: one thread, and the tests use only what is alive.
    unsafe { raw::finalize() }
}

/// A put to everybody, seen after the barrier of a heap call.
fn shmem_works() {
    let (me, n) = (raw::my_pe(), raw::n_pes());
    // SAFETY: one thread, and the tests use only what is alive.
    let block = unsafe { raw::calloc(n as usize, 8) }.cast::<u64>();
    for pe in 0..n {
        let value = 1000 + me as u64;
        // SAFETY: a word of this PE's own on each.
        unsafe { raw::put(block.wrapping_add(me as usize), &raw const value, 1, pe) };
    }
    // SAFETY: a heap call for its barrier; nobody uses either block after it.
    let barrier = unsafe { raw::malloc(8) };
    for from in 0..n as usize {
        // SAFETY: written before the barrier.
        assert_eq!(unsafe { block.wrapping_add(from).read() }, 1000 + from as u64);
    }
    for b in [barrier, block.cast()] {
        // SAFETY: as above.
        unsafe { raw::free(b) }.unwrap();
    }
}

fn mpi_works() {
    let world = SimpleCommunicator::world();
    let mut sum = 0i32;
    world.all_reduce_into(&(world.rank() + 1), &mut sum, SystemOperation::sum());
    assert_eq!(sum, world.size() * (world.size() + 1) / 2);
}

macro_rules! under_mpi {
    ($($(#[$meta:meta])* fn $name:ident $body:block check |$outcome:ident| $check:block)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            if testing::is_pe() {
                let body: fn() = || $body;
                body();
                // Where this test ends, the process does, with its exit handlers.
                std::process::exit(0);
            }
            for (n, way) in [(1, None), (2, None), (4, None), (1, Some(launcher().way())), (3, Some(launcher().way()))] {
                let launch = Launch::of_test(stringify!($name), n, launcher());
                let launch = way.into_iter().fold(launch, |launch, way| launch.env(WAY, way));
                let $outcome = launch.run();
                $outcome.expect_success(&format!("{} on {n} PEs by {way:?}", stringify!($name)));
                $check
            }
        }
    )*};
}

fn silent(outcome: &Outcome) {
    assert!(!outcome.stderr.contains("warning") && !outcome.stderr.contains("PE "), "{outcome}");
}

under_mpi! {
    /// (A World asks for level Funneled; the raw inits are content with the least.)
    fn the_program_starts_mpi_and_ends_it_last {
        let universe = environment::initialize_with_threading(mpi::Threading::Funneled).unwrap().0;
        mpi_works();
        for _ in 0..3 {
            init();
            shmem_works();
            mpi_works();
            finalize();
            mpi_works();
        }
        World::init().unwrap().barrier();
        assert!(!environment::is_finalized(), "never ours to end");
        mpi_works();
        drop(universe);
    } check |outcome| { silent(&outcome) }

    fn the_program_starts_mpi_and_ends_it_first {
        let universe = environment::initialize().unwrap();
        init();
        shmem_works();
        drop(universe);
        assert!(environment::is_finalized());
        shmem_works();
        finalize();
        // MPI cannot be started twice, so neither can the library any more; every PE is told.
        match World::init() {
            Err(Error::Boot(why)) => assert!(by_mpi() && why.contains("MPI has been finalized"), "{why}"),
            Err(other) => panic!("{other}"),
            Ok(world) => {
                assert!(!by_mpi());
                world.barrier();
            }
        }
    } check |outcome| { silent(&outcome) }

    fn the_program_ends_mpi_and_forgets_to_finalize_us {
        let universe = environment::initialize().unwrap();
        init();
        shmem_works();
        drop(universe);
    } check |outcome| {
        assert_eq!(outcome.stderr.matches("warning: left without shmem_finalize").count(), 1, "{outcome}");
    }

    fn we_start_mpi_and_the_program_uses_it_after_our_finalize {
        init();
        shmem_works();
        let universe = mpi_is_up();
        mpi_works();
        finalize();
        assert!(!environment::is_finalized(), "process exit ends it");
        mpi_works();
        init();
        shmem_works();
        finalize();
        drop(universe);
    } check |outcome| { silent(&outcome) }

    /// Programs of two layers do this: each ends what it knows of.
    fn we_start_mpi_and_the_program_ends_it {
        init();
        shmem_works();
        std::mem::forget(mpi_is_up());
        // SAFETY: MPI is up, and this is its last call.
        unsafe { mpi::ffi::MPI_Finalize() };
        shmem_works();
        finalize();
    } check |outcome| { silent(&outcome) }

    /// The level is the program's MPI's at most, and what is given is said.
    fn the_level_is_what_the_programs_mpi_gives {
        let (universe, got) = environment::initialize_with_threading(mpi::Threading::Funneled).unwrap();
        // SAFETY: one thread.
        let provided = unsafe { raw::init_thread(raw::THREAD_MULTIPLE) }.unwrap();
        let most = match got {
            _ if !by_mpi() => raw::THREAD_MULTIPLE,
            mpi::Threading::Single => raw::THREAD_SINGLE,
            mpi::Threading::Funneled => raw::THREAD_FUNNELED,
            mpi::Threading::Serialized => raw::THREAD_SERIALIZED,
            mpi::Threading::Multiple => raw::THREAD_MULTIPLE,
        };
        assert_eq!((provided, raw::query_thread()), (most, most));
        if most < raw::THREAD_MULTIPLE {
            let refused = World::<shmem_api::Multiple>::init_level().map(drop).unwrap_err();
            assert!(matches!(refused, Error::ThreadLevel { .. }), "{refused}");
        }
        shmem_works();
        finalize();
        drop(universe);
    } check |outcome| { silent(&outcome) }
}
