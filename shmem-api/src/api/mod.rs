//! The safe API: what a Rust program has of OpenSHMEM, without `unsafe`.
//!
//! ```text
//!   run ──► World ──is a──► Team ──► collectives on objects and values
//!             │               └──► share(objects, closure): a phase
//!             │ alloc                    │
//!             ▼        local             ▼       shared
//!   SymSlice SymBox SymPart  ◄────►  Remote, RemoteRead ── put, get, atomics, waits, GlobalPtr
//!   SymSignal SymSignals     ◄────►  Signal, Signals
//!   SymLock, SymStatic, ...          there all the time, and never behind a reference
//! ```
//!
//! | file | what |
//! |---|---|
//! | `run`, `world` | the front door; init, finalize, and where objects are made |
//! | `team`, `collectives` | which PEs a call concerns; the collectives on objects and values |
//! | `sym`, `elements`, `phase` | symmetric objects; this PE's elements as a slice; the phases in which objects are local or shared |
//! | `signal`, `lock` | words that are changed by signals only; one holder among all PEs |
//! | `ctx` | streams of operations, as values |
//! | `sym_static` | statics of the executable as symmetric objects |
//! | `global_ptr` | a word that names an element on any PE |
//! | `local_slice`, `heap_map` | memory of this PE only; what a heap holds, for pictures |
//!
//! Invariants: a reference and a remote access never meet, since an object is borrowed while it is shared and its handles
//! cannot leave the phase. Whatever is symmetric borrows its World, so nothing outlives the library. Which threads may call
//! is a matter of types: below level `Multiple`, a World and all that borrows it stay on their thread.

pub(crate) mod collectives;
pub(crate) mod ctx;
mod elements;
pub(crate) mod global_ptr;
pub(crate) mod heap_map;
pub(crate) mod local_slice;
pub(crate) mod lock;
pub(crate) mod phase;
pub(crate) mod run;
pub(crate) mod signal;
pub(crate) mod sym;
pub(crate) mod sym_static;
pub(crate) mod team;
pub(crate) mod world;
