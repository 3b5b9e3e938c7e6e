//! How a process ends: in good order, or with the whole job.
//!
//! One failing PE never leaves the others hanging. Whoever notices first prints one line that names the
//! PE, marks the job as ended on every PE's control block, wakes all sleepers, and exits with a status that is
//! not zero; the launcher does the rest, and a PE that is not reached by the launcher sees the mark, or its watchdog does.
//!
//! | what happens | who notices |
//! |---|---|
//! | panic with a World alive | the World's drop |
//! | `exit` or return from `main` with a World alive | the exit handler (`startup::process_exit`; raw inits are finalized there) |
//! | `exit` while the others wait for this PE for ever | the exit handler (`deadlock`) |
//! | `exit` without finalize while the others compute | the exit handler, after a second (`leaving`) |
//! | `global_exit` | nobody needs to: it ends the job itself |
//! | a child of `fork` | nobody needs to: it is no PE (`fork`) |
//! | killed, `abort`, `_exit`, `exec` | the watchdog of the PE before it, and the launcher |
//! | PEs at different collective calls | both sides, at the rendezvous |

pub(crate) mod deadlock;
pub(crate) mod end;
pub(crate) mod fork;
pub(crate) mod fork_hooks;
pub(crate) mod leaving;
pub(crate) mod serial;
pub(crate) mod watchdog;
