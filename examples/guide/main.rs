//! The programs of `docs/guide.md`, each a whole file that stands there word for word: `guide phases`.
//!
//! One executable for all of them, so that testing them costs one link.
#![allow(clippy::print_stdout, reason = "a guide may say hello")]

use std::process::ExitCode;

macro_rules! programs {
    ($($name:ident),*) => {
        $(mod $name {
            include!(concat!(stringify!($name), ".rs"));
            pub(super) fn run() -> std::process::ExitCode {
                main()
            }
        })*
        const PROGRAMS: &[(&str, fn() -> ExitCode)] = &[$((stringify!($name), $name::run)),*];
    };
}

programs!(
    hello,
    phases,
    differ,
    room,
    atomics,
    signals,
    waits,
    columns,
    statics,
    threads,
    locks,
    collectives,
    teams,
    reach,
    pointers
);

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    match PROGRAMS.iter().find(|(known, _)| *known == name) {
        Some((_, run)) => run(),
        None => {
            let known: Vec<&str> = PROGRAMS.iter().map(|(known, _)| *known).collect();
            eprintln!("usage: guide NAME, one of {}", known.join(", "));
            ExitCode::FAILURE
        }
    }
}
