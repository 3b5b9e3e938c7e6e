//! The front door of a program: a World, the program's work, and its error printed with the PE.

use std::fmt::Display;
use std::process::ExitCode;

use crate::api::world::World;
use crate::exit::end::end_job;
use crate::process::say::say;

/// Brings the library up, runs `body`, and finalizes. An error of `body` is printed with the PE's
/// number and ends the job with status 1.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     shmem_api::run(|world| -> Result<(), shmem_api::Error> {
///         println!("PE {} of {}", world.pe(), world.n_pes());
///         Ok(())
///     })
/// }
/// ```
pub fn run<E: Display>(body: impl FnOnce(&World) -> Result<(), E>) -> ExitCode {
    let world = match World::init() {
        Ok(world) => world,
        Err(e) => {
            say(&format!("shmem: {e}"));
            return ExitCode::FAILURE;
        }
    };
    match body(&world) {
        Ok(()) => match world.finalize() {
            Ok(_) => ExitCode::SUCCESS,
            Err(e) => {
                say(&e.to_string());
                ExitCode::FAILURE
            }
        },
        Err(e) => {
            let line = format!("PE {}: {e}", world.pe());
            end_job(&world.engine, 1, &line)
        }
    }
}
