//! The protocol over a network that is as bad as its seed: no engine, no segments, no launcher.
//!
//! ```text
//!   world     PEs on hosts, their memory, one `Far` each, over `sim`; the driver that runs them on one thread
//!   model     random calls of all PEs against what must be there; and the same with faults built in, which it must find
//!   calls     single promises: what goes in one message, what is held back, who waits for whom, how much may be under way
//!   cuts      a host that dies in the middle of each kind of call
//!   links     a link that goes dead, a slow one, a silent one
//!   fuzz      messages that are wrong in every way, at memory with guards around it (`guarded`)
//!   threads   real threads: many callers in one process, and the serving loop
//! ```
#![allow(unsafe_code)]

mod calls;
mod channel;
mod cuts;
mod fuzz;
mod guarded;
mod links;
mod model;
mod slices;
mod threads;
mod words;
mod world;
