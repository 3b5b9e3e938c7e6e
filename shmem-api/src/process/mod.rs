//! This process as the system sees it, whatever it is in a job.
//!
//! | file | what |
//! |---|---|
//! | `say`, `status` | its lines on standard error, and the status with which it ends |
//! | `child` | whether it is a PE, or a child of one |
//! | `system` | calls of the kernel and of the C library that need nothing of ours |
//! | `turn` | one thread at a time forks, or does what no fork may come into the middle of |
//! | `signals` | holding them off, which of them the program catches, handlers of ours |
//! | `crashes` | who looks before a signal ends the process with a core dump |
//! | `others` | which threads, beside one that waits, could store into symmetric memory |
//! | `private` | atomic words that no other process sees |
//! | `limits` | what `ulimit` leaves |
//! | `interfaces` | the networks of this host |
//!
//! Nothing here knows a job, or any PE's memory. Invariant: what a child of `fork` runs of this (`child`, `turn`, and of `signals` and
//! `system` what its handlers need) is system calls and atomics: its parent's threads are gone, and the locks they held are held for ever.

pub(crate) mod child;
pub(crate) mod crashes;
pub(crate) mod interfaces;
pub(crate) mod library;
pub(crate) mod limits;
pub(crate) mod others;
pub(crate) mod private;
pub(crate) mod say;
pub(crate) mod signals;
pub(crate) mod status;
pub(crate) mod system;
pub(crate) mod turn;
