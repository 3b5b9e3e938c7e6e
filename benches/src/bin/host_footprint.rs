//! What a PE holds once every PE has put to every other, on more and more hosts: sockets, and private memory. Both are to grow with hosts, not
//! with PEs.
//!
//! ```text
//!   host_footprint          16 PEs of this machine as 1, 2, 4, 8 and 16 hosts, and 4 and 8 PEs as 2: one job each
//!      └── host_footprint child
//! ```
#![allow(clippy::print_stdout, reason = "it is what the program is for")]
#![allow(unsafe_code, reason = "it puts by pointer")]

use std::process::{Command, ExitCode};
use std::time::Duration;

use benches::beside::Failure;
use benches::launch;
use shmem_api::{Max, World, raw};

const CASES: [(u32, u32); 7] = [(1, 16), (2, 4), (2, 8), (2, 16), (4, 16), (8, 16), (16, 16)];

fn main() -> ExitCode {
    let done = if std::env::args().nth(1).is_some_and(|arg| arg == "child") { child() } else { cases() };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("host_footprint: {e}");
            ExitCode::FAILURE
        }
    }
}

fn cases() -> Result<(), Failure> {
    println!("| hosts | PEs | sockets of a PE, most | private memory of a PE, most, MiB |");
    println!("|---|---|---|---|");
    for (hosts, pes) in CASES {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("child").env("SHMEM_LOCAL_PES", pes.to_string()).env("UCX_TLS", "tcp,self");
        if hosts > 1 {
            command.env("SHMEM_FAKE_HOSTS", hosts.to_string());
        }
        print!("| {hosts} | {pes} {}", launch::run(command, Duration::from_secs(120))?.stdout);
    }
    Ok(())
}

fn child() -> Result<(), Failure> {
    let world: World = World::init()?;
    let n = world.n_pes();
    // SAFETY: the World is up, and all PEs ask for the same.
    let words = unsafe { raw::malloc(8 * n) }.cast::<u64>();
    assert!(!words.is_null(), "no room for {n} words");
    for pe in 0..n {
        // SAFETY: a word of this PE's own in that block; the atomic asks the other for an answer.
        unsafe { raw::atomic_fetch_add(words.wrapping_add(world.pe()), 1, pe as i32) };
    }
    world.barrier();
    let sockets = world.reduce_one(Max, sockets()?);
    let memory = world.reduce_one(Max, private_kib()?);
    if world.pe() == 0 {
        println!("| {sockets} | {:.1} |", memory as f64 / 1024.0);
    }
    world.barrier();
    Ok(())
}

/// Descriptors of this process that are sockets.
fn sockets() -> Result<u64, Failure> {
    let links =
        std::fs::read_dir("/proc/self/fd")?.flatten().filter_map(|fd| std::fs::read_link(fd.path()).ok());
    Ok(links.filter(|to| to.to_string_lossy().starts_with("socket:")).count() as u64)
}

/// Memory of this process alone.
fn private_kib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).ok_or("no RssAnon")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
