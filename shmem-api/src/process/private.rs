//! Atomic words of this process alone: flags, counters, and pointers to what was set up once.
//!
//! ```text
//!   who else touches the word                           where its type comes from
//!   other PEs, or a model of a protocol                 sync::primitives   (the system's, or loom's)
//!   nobody but this process, its children, the kernel   here (also the word by which the kernel tells of a PE's death)
//!   it is an object of the program                      types::elem, memory
//! ```
//!
//! Names of the standard library's types, which the rest of the crate cannot write (`clippy.toml`): so a word of a segment is never
//! by accident one that the models do not see.
#![allow(clippy::disallowed_types)]

use std::sync::atomic;

pub(crate) use std::sync::atomic::Ordering;

pub(crate) type AtomicBool = atomic::AtomicBool;
pub(crate) type AtomicI32 = atomic::AtomicI32;
pub(crate) type AtomicU32 = atomic::AtomicU32;
pub(crate) type AtomicU64 = atomic::AtomicU64;
pub(crate) type AtomicUsize = atomic::AtomicUsize;
pub(crate) type AtomicPtr<T> = atomic::AtomicPtr<T>;
