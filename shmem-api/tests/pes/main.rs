//! The tests on several PEs, one program: each file is about one room, and its tests are told by `file::test`.
//!
//! A test program is linked in seconds, and runs as many of its tests at a time as there are cores; so few programs, each
//! with much in it. Programs of their own are `statics`, which is no test harness, and `mpi_owner`, which needs an MPI to be
//! built.

/// The full name of a test of the file in which this stands.
macro_rules! here {
    ($test:expr) => {
        &shmem_api::testing::name_of(module_path!(), $test)
    };
}

#[macro_use]
mod arena;
mod bed;
mod first_fit;
mod longs;

mod accessible;
mod active_sets;
mod ahead;
mod amo;
mod bad_input;
mod check;
mod collectives;
mod component;
mod cores;
mod ctx;
mod differences;
mod engines;
mod exit;
mod global;
mod heap;
mod init;
mod launchers;
mod lock;
mod memory;
mod memory_calls;
mod rma;
mod safe_atomics;
mod safe_coll;
mod safe_lock;
mod safe_rma;
mod safe_signal;
mod safe_teams;
mod safe_threads;
mod safe_wait;
mod shared;
mod signal;
mod sym_static;
mod teams;
mod traffic;
mod wait;
