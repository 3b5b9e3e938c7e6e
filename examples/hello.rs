//! Every PE says who it is and where its heap is: with address space randomisation on, at the same
//! address on all of them.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::process::ExitCode;

fn main() -> ExitCode {
    shmem_api::run(|world| -> Result<(), shmem_api::Error> {
        let (heap, by) = (world.heap().total, world.memheap());
        println!(
            "PE {} of {}: heap of {heap} at {:#x}, by {by}",
            world.pe(),
            world.n_pes(),
            world.heap_base()
        );
        Ok(())
    })
}
