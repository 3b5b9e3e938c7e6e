//! The tests of libshmem, one program: each file is about one thing, and its tests are told by `file::test`. What they share is
//! in `common`; the C programs are beside this directory.

mod common;

mod beside;
mod cores;
mod endings;
mod headers;
mod launchers;
mod misuse;
mod programs;
mod sections;
mod tools;
mod two_engines;
