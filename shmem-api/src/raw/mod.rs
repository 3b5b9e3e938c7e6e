//! The standard's calls as functions on pointers, for experts and for the C library.
//!
//! Names are the standard's without `shmem_` and without the type: `shmem_int_put` is `put::<i32>`,
//! `shmem_ctx_put64_nbi` is `ctx_put_nbi::<u64>`. Every call checks what it is given before it touches memory; a
//! bad argument ends the job with one line that names PE, call and argument. The check costs a compare and a
//! branch: the engine's hot words are zero while the library is down, so the PE check is the
//! "initialised?" check as well.
//!
//! ```text
//!   routines! { fn put / ctx_put (call, ..) }  ──►  put, ctx_put, ops::put (over a Call, for the C library)
//!                      └─ call.target(dest, bytes, pe) ──► the bytes; the end of the job, if there are none
//! ```
//!
//! | file | what |
//! |---|---|
//! | `routines` | the macro that writes a routine's forms |
//! | `setup` | init and finalize, who am I |
//! | `access` | what is reachable, and by which address |
//! | `memory` | the symmetric heap |
//! | `introspect` | how full the heap is, and names for its bytes |
//! | `rma` | put and get: elements in a row, one, bytes; non-blocking |
//! | `strided` | put and get of elements and blocks a stride apart |
//! | `amo`, `signal` | atomics; put with signal |
//! | `wait` | waits and tests |
//! | `lock` | locks: a queue of PEs in the lock's own word |
//! | `order` | fence and quiet |
//! | `ctx` | contexts |
//! | `team` | handles of teams; barrier and sync |
//! | `coll` | collectives on teams |
//! | `active_set` | the older collectives, on active sets |
//!
//! Invariant **RAW-R1**: no routine reaches a PE's memory but through its [`Call`], which checks the address (see `call`).
//!
//! What it cannot check, the caller of a routine promises; its `# Safety` says which of these, and for what. **RAW-R2** Private
//! memory is readable, or writable, for as many elements as the call says, until it is over (of a non-blocking one: until the
//! quiet), and overlaps nothing else that the call touches. **RAW-R3** Symmetric memory lies in an object that is alive on every PE
//! concerned; no Rust reference anywhere races with the call; what is changed atomically, or waited for, is changed atomically only,
//! by its type. **RAW-R4** A context or team is alive, or one of the constants, and used by threads as its options say. **RAW-R5**
//! The World stays up during the call. **RAW-R6** Of a collective: all members call it, on arrays as long as the call says; every
//! member's `dest` is ready before any member calls, and nobody else uses `dest`, or changes `src`, before the call is over. A routine that is another one under a second name promises that one the same.
#![allow(unsafe_code)]

pub(crate) mod access;
pub mod active_set;
pub(crate) mod amo;
pub(crate) mod coll;
pub(crate) mod ctx;
pub(crate) mod introspect;
pub(crate) mod lock;
pub(crate) mod memory;
pub(crate) mod order;
pub(crate) mod rma;
pub(crate) mod routines;
pub(crate) mod setup;
pub(crate) mod signal;
pub(crate) mod strided;
pub(crate) mod team;
pub(crate) mod wait;

pub use crate::call::Call;
pub use crate::raw::access::{addr_accessible, pe_accessible, ptr, team_ptr};
pub use crate::raw::amo::*;
pub use crate::raw::coll::reduce::{
    and_reduce, max_reduce, min_reduce, or_reduce, prod_reduce, sum_exscan, sum_inscan, sum_reduce,
    xor_reduce,
};
pub use crate::raw::coll::{
    alltoall, alltoallmem, alltoalls, alltoallsmem, broadcast, broadcastmem, collect, collectmem, fcollect,
    fcollectmem,
};
pub use crate::raw::ctx::{
    CTX_NOSTORE, CTX_PRIVATE, CTX_SERIALIZED, CTX_SESSION_BATCH, CTX_SESSION_TOTAL_OPS, Ctx,
    CtxSessionConfig, ctx_create, ctx_destroy, ctx_get_team, ctx_session_start, ctx_session_stop,
    team_create_ctx,
};
pub use crate::raw::introspect::{global, global_parts, heap_base, heap_component, heap_row, heap_stats};
pub use crate::raw::lock::{clear_lock, set_lock, test_lock};
pub use crate::raw::memory::{
    MALLOC_ATOMICS_REMOTE, MALLOC_SIGNAL_REMOTE, align, alloc, calloc, free, malloc, malloc_with_hints,
    realloc,
};
pub use crate::raw::order::*;
pub use crate::raw::rma::{
    ctx_g, ctx_get, ctx_get_nbi, ctx_getmem, ctx_getmem_nbi, ctx_p, ctx_put, ctx_put_nbi, ctx_putmem,
    ctx_putmem_nbi, g, get, get_nbi, getmem, getmem_nbi, p, put, put_nbi, putmem, putmem_nbi,
};
pub use crate::raw::setup::{
    THREAD_FUNNELED, THREAD_MULTIPLE, THREAD_SERIALIZED, THREAD_SINGLE, finalize, global_exit, info_get_name,
    info_get_version, init, init_thread, my_pe, n_pes, pcontrol, query_initialized, query_thread, start_pes,
};
pub use crate::raw::signal::*;
pub use crate::raw::strided::{ctx_ibget, ctx_ibput, ctx_iget, ctx_iput, ibget, ibput, iget, iput};
pub use crate::raw::team::{
    TEAM_NUM_CONTEXTS, TeamConfig, TeamHandle, barrier_all, sync_all, team_destroy, team_get_config,
    team_my_pe, team_n_pes, team_split_2d, team_split_strided, team_sync, team_translate_pe,
};
pub use crate::raw::wait::{CMP_EQ, CMP_GE, CMP_GT, CMP_LE, CMP_LT, CMP_NE, NONE};
pub use crate::raw::wait::{
    signal_wait_until, test, test_all, test_all_vector, test_any, test_any_vector, test_some,
    test_some_vector, wait, wait_until, wait_until_all, wait_until_all_vector, wait_until_any,
    wait_until_any_vector, wait_until_some, wait_until_some_vector,
};
pub use crate::types::call_site::CallSite;
pub use crate::types::version::{MAJOR_VERSION, MAX_NAME_LEN, MINOR_VERSION, VENDOR_STRING};

/// The routines over a [`Call`], for skins that have names of their own, such as the C library.
pub mod ops {
    pub use super::amo::ops::*;
    pub use super::coll::calls::*;
    pub use super::coll::reduce::calls::*;
    pub use super::lock::ops::*;
    pub use super::memory::ops::*;
    pub use super::order::ops::*;
    pub use super::rma::ops::*;
    pub use super::signal::ops::*;
    pub use super::strided::ops::*;
    pub use super::wait::ops::*;
}
