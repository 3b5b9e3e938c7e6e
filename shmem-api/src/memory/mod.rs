//! How bytes move to and from memory that other PEs read and write at the same time.
//!
//! ```text
//!   put, get, load, store, blocks ──► copy ──┬─ a word: one relaxed atomic
//!                                            ├─ many: the C library's memcpy, opaque to the compiler
//!                                            └─ copy/long: a loop of our own, where that function is slow
//! ```
//!
//! Nothing here knows whose memory it is, or that there are PEs: it is given two addresses that are mapped. Invariants: no
//! Rust reference points at shared memory, and no access to it is an ordinary load or store; the labels are in [`copy`] and
//! `copy::long`.
#![allow(clippy::disallowed_types)]

pub(crate) mod copy;
