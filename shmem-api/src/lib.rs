//! OpenSHMEM in Rust: processing elements (PEs) that share a symmetric heap.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     shmem_api::run(|world| -> Result<(), shmem_api::Error> {
//!         let mut inbox = world.alloc::<u64>(1)?;                  // collective: one on every PE
//!         let next = (world.pe() + 1) % world.n_pes();
//!         world.share(&mut inbox, |_, inbox| {                     // open to all PEs ...
//!             inbox.put_one(next, 0, world.pe() as u64);
//!         });                                                      // ... and local again
//!         println!("PE {} heard from PE {}", world.pe(), inbox[0]);
//!         Ok(())
//!     })
//! }
//! ```
//!
//! Start it with `mpirun -n 4 ./program`, or without any MPI with `SHMEM_LOCAL_PES=4 ./program`.
//!
//! The rooms, top floor first; each imports what stands below it, which `tests/house.rs` sees to:
//!
//! | room | what |
//! |---|---|
//! | `testing` | tests on several PEs |
//! | `api` | the safe API: worlds, teams, symmetric objects, phases, signals, locks, contexts |
//! | [`raw`] | the standard's calls on pointers, by section |
//! | `coll` | the collectives, one per file |
//! | `call` | one call: from address and PE to the bytes that are meant |
//! | `startup` | bringing the library up, who holds it up, process exit |
//! | `engine` | what one start brought up; the collective heap calls |
//! | `heap` | the heap's books |
//! | `team` | who the members are, and the rendezvous: agree first, then mutate |
//! | `progress` | the waits for other PEs |
//! | `exit` | ending without hanging; forks; proof of deadlock |
//! | `node` | what the PEs share: segments, control blocks, mailboxes, static data |
//! | `transport` | how bytes reach a PE, mapped here or not |
//! | `boot` | joining the job: by the launcher, by MPI, or by a supervisor of our own |
//! | `statics` | the executable's variables as shared memory |
//! | `sync` | atomics, fences, sleeping |
//! | `memory` | the only way bytes move to and from shared memory |
//! | `process` | this process as the system sees it |
//! | `error` | what can go wrong |
//! | `types` | what goes by value |

#![warn(clippy::disallowed_types)]

pub(crate) mod api;
pub(crate) mod boot;
pub(crate) mod call;
pub(crate) mod coll;
pub(crate) mod engine;
pub(crate) mod error;
pub(crate) mod exit;
pub(crate) mod heap;
pub(crate) mod memory;
pub(crate) mod node;
pub(crate) mod process;
pub(crate) mod progress;
pub mod raw;
pub(crate) mod startup;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod statics;
#[cfg(not(feature = "testing"))]
mod statics;
pub(crate) mod sync;
pub(crate) mod team;
#[cfg(feature = "testing")]
pub mod testing;
pub(crate) mod transport;
pub(crate) mod types;

pub use crate::api::collectives::Symmetric;
pub use crate::api::ctx::{Ctx, CtxOptions, Private, Serialized};
pub use crate::api::global_ptr::{GlobalPtr, Readable};
pub use crate::api::local_slice::OwnSlice;
pub use crate::api::lock::{LockGuard, StaticLock, SymLock};
pub use crate::api::phase::{Batch, Phase, Remote, RemoteRead, Shareable, Watch};
pub use crate::api::run::run;
pub use crate::api::signal::{Signal, SignalOp, Signals, StaticSignal, SymSignal, SymSignals};
pub use crate::api::sym::{SymBox, SymPart, SymSlice};
#[doc(hidden)]
pub use crate::api::sym_static::Declared;
pub use crate::api::sym_static::SymStatic;
pub use crate::api::team::Team;
pub use crate::api::world::{Builder, World};
pub use crate::boot::choice::{BootWay, boot_ways};
pub use crate::boot::mpi::owned::put_off_mpi_finalize;
pub use crate::boot::mpi::{mpi_function, mpi_version};
pub use crate::coll::ops::{And, Arith, Bitwise, Max, Min, Operator, Or, Ordered, Prod, Sum, Xor};
pub use crate::error::{Diverged, Error, SplitError};
pub use crate::heap::Leaks;
pub use crate::heap::components::built_in;
pub use crate::heap::stats::HeapStats;
pub use crate::transport::engines::{EngineChoice, engine_choices};
pub use crate::types::c_types::{Complex, LongDouble};
pub use crate::types::cmp::Cmp;
pub use crate::types::elem::{AmoBit, AmoInt, AmoSwap, Elem, Waitable};
pub use crate::types::thread_level::{Level, Multiple, Single, ThreadLevel};
pub use memheap::place::{Near, Reach};

/// The heap framework: components, modules, settings.
pub use memheap;
