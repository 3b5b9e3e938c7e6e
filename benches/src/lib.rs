//! The allocators beside each other and beside their peers.
//!
//! ```text
//!   workload   what is asked for, drawn beforehand        contender  what is measured: ours ...
//!        └──────────────► stage ◄───────────────────────────┘  ├─ peers   ... the best crates
//!                         (the timed loops)                    └─ api     ... the library's own calls
//!   latency, occupancy, start      what else is measured
//!   field                          all contenders, by name
//!   beside                         programs that measure beside a peer, in rounds of jobs
//!   launch, launchers              one launch, timed, with a watchdog; under which MPI's launcher (`starts`: starting
//!                                  and ending a job)
//!   transfers, atomics             put and get beside bare copies, atomics beside bare instructions (a
//!                                  program of its own: `transfers`)
//!   results ──► goals, tables, plot
//! ```
//!
//! `cargo bench -p benches` runs the workloads under Criterion; `ratios` runs everything in rounds of
//! fresh processes, contenders alternating, and compares minima; `make bench-peers` adds Open MPI's
//! allocators to those rounds; `instructions.sh` counts instructions. `docs/BENCHMARKS.md` has results.

pub mod api;
pub mod atomics;
pub mod beside;
pub mod clock;
pub mod contender;
pub mod field;
pub mod goals;
pub mod latency;
pub mod launch;
pub mod launchers;
pub mod occupancy;
pub mod peers;
pub mod plot;
pub mod results;
pub mod rng;
pub mod stage;
pub mod start;
pub mod tables;
pub mod transfers;
pub mod workload;
