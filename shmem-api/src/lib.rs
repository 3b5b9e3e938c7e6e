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
//! | room | what |
//! |---|---|
//! | `world`, `holders` | init, finalize, symmetric objects are made here; who holds the library up |
//! | `sym`, `share` | symmetric objects, and the phases in which they are local or shared |
//! | `team`, `collectives` | sets of PEs; collectives on objects and values |
//! | `signal`, `lock`, `ctx` | signals and locks as objects; contexts as values |
//! | `boot` | joining the job: by MPI, or by a supervisor of our own |
//! | `segment`, `internals` | the memory: agreed base, peers' mappings, the runtime's own part |
//! | `coll` | rendezvous and agreement |
//! | `heap` | collective heap calls: agree first, then mutate |
//! | `alone` | one engine in a process |
//! | `conditions` | waiting for all, any or some of several things |
//! | `what` | what an object is, as PEs compare it |
//! | `wait`, `exit`, `warden` | waiting without spinning, and ending without hanging |

mod alone;
mod boot;
mod coll;
mod collectives;
mod components;
mod conditions;
mod copy;
mod ctx;
mod dump;
mod elem;
mod engine;
mod error;
mod exit;
mod global;
mod heap;
mod holders;
mod info;
mod internals;
mod layout;
mod level;
mod limits;
mod lock;
mod members;
mod numa;
mod order;
mod own;
mod picture;
mod pin;
pub mod raw;
mod run;
mod segment;
mod serial;
mod share;
mod signal;
mod signals;
mod site;
mod start;
mod static_data;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod statics;
#[cfg(not(feature = "testing"))]
mod statics;
mod sym;
mod sym_static;
mod sync;
mod team;
#[cfg(feature = "testing")]
pub mod testing;
mod trim;
mod types;
mod wait;
mod warden;
mod what;
mod world;

#[cfg(feature = "mpi")]
pub use boot::mpi::mpi_version;
pub use coll::ops::{And, Arith, Bitwise, Max, Min, Operator, Or, Ordered, Prod, Sum, Xor};
pub use collectives::Symmetric;
pub use components::built_in;
pub use ctx::{Ctx, CtxOptions, Private, Serialized};
pub use elem::{AmoBit, AmoInt, AmoSwap, Elem, Waitable};
pub use error::{Diverged, Error, SplitError};
pub use global::{GlobalPtr, Readable};
pub use heap::Leaks;
pub use level::{Level, Multiple, Single, ThreadLevel};
pub use lock::{LockGuard, StaticLock, SymLock};
pub use memheap::place::{Near, Reach};
pub use own::OwnSlice;
pub use run::run;
pub use share::{Batch, Cmp, Phase, Remote, RemoteRead, Shareable, Watch};
pub use signal::{Signal, SignalOp, Signals, StaticSignal, SymSignal, SymSignals};
pub use sym::{SymBox, SymPart, SymSlice};
#[doc(hidden)]
pub use sym_static::Declared;
pub use sym_static::SymStatic;
pub use team::Team;
pub use types::{Complex, LongDouble};
pub use world::{Builder, HeapStats, World};

/// The heap framework: components, modules, settings.
pub use memheap;
