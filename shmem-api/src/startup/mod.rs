//! Bringing the library up and taking it down.
//!
//! ```text
//!   World, raw init ──► init ──first──► start: settings, boot, hello, heap_size, segment, heap ──► Engine
//!                        │                └─ process_exit: asks to be called at the end
//!                        ▼
//!                    init_count ◄── who is left? ── process_exit ──► finalize here, or the end of the job
//! ```
//!
//! | file | what |
//! |---|---|
//! | `init`, `init_count` | the first to come brings it up, the last to go takes it down; the count of them |
//! | `start` | one start, in its order |
//! | `hello`, `heap_size` | what must be equal on all PEs; how large the heap is |
//! | `hosts` | several hosts: the engine between them, and the thread that serves the others |
//! | `lost_host` | one of them is lost |
//! | `info` | what PE 0 says of it |
//! | `single_instance` | one engine in a process, however often this library is in it |
//! | `process_exit` | what is left at the end is finalized, or ends the job |
//!
//! Invariants: every step of a start in which a PE can fail is an exchange in which it says so, so nobody waits for a PE that
//! has given up; whatever decides an offset is compared or agreed on before the first object.

pub(crate) mod heap_size;
pub(crate) mod hello;
pub(crate) mod hosts;
pub(crate) mod info;
pub(crate) mod init;
pub(crate) mod init_count;
mod lost_host;
pub(crate) mod process_exit;
pub(crate) mod single_instance;
pub(crate) mod start;
