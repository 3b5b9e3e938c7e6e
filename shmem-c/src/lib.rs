//! libshmem: the OpenSHMEM library for C and C++ programs, over [`shmem_api::raw`].
//!
//! ```text
//!   type_table! (shmem-api) ──► families (this crate) ──► pshmem_int_put, ... and, as a weak alias
//!                                                        of each, shmem_int_put
//!   cargo: libshmem_c.a ──► link.sh: one object, everything else local ──► libshmem.so.1, libshmem.a
//! ```
//!
//! A function here does nothing but call the raw routine of its name with its own name, which the
//! routine's messages carry. One file per section of the standard (OpenSHMEM 1.6, chapter 9).
//!
//! Invariants: **CSKIN-C1** every function of the standard exists as `pshmem_NAME`, and `shmem_NAME` is a weak
//! alias in the same object, so that a profiler replaces it by link order or by `LD_PRELOAD`. **CSKIN-C2** the
//! library calls no `shmem_` function itself. **CSKIN-C3** a panic never unwinds into C: an `extern "C"`
//! function aborts. **CSKIN-C4** what the routines of `shmem_api::raw` ask of their callers (RAW-R2 to RAW-R5)
//! is what the standard asks of a program: a function here hands its arguments on as they are, and with them the program's
//! promise. So do the functions of MPI that this library answers. **CSKIN-C5** the fields of `mpi::Mpi` have the types that
//! the MPI standard gives to the names that they are found by.
#![allow(unsafe_code)]

#[macro_use]
mod export;
mod active_set;
mod amo;
mod coll;
mod ctx;
mod extras;
mod lock;
mod longdouble;
mod memory;
mod mpi;
mod order;
mod rma;
mod setup;
mod signal;
mod sync;
mod team;
