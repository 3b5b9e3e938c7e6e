//! The memory behind a heap. Everything here is local: it never decides an offset.
//!
//! ```text
//!   create ──► a file of memory, sized and sealed ──map at an agreed base──► this PE's segment
//!                    └── opened by the PEs of this host ──map at a multiple of 2 MiB──► their view of it
//! ```
//!
//! * [`memfd`]: a sealed, sparse, nameless file of memory, shared with the PEs of the host; its invariants are those of
//!   [`Region`].
//! * [`kept`]: descriptors that stay usable whatever the program does with its own.

mod aligned;
pub mod kept;
mod mapping;
pub mod memfd;

pub use mapping::Region;
pub use memfd::BASE_CANDIDATES;

/// Bytes of memory of this process's host: those of the machine, or the limit of the control group if that is lower;
/// 0 if neither can be read.
pub fn host_memory() -> u64 {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").and_then(|text| {
        let line = text.lines().find(|l| l.starts_with("MemTotal:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()?.checked_mul(1024)
    });
    let machine = machine.or_else(|| {
        let info = rustix::system::sysinfo();
        info.totalram.checked_mul(info.mem_unit.into())
    });
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let group = limits.iter().filter_map(|p| read(p)?.trim().parse::<u64>().ok()).min();
    [machine, group].into_iter().flatten().min().unwrap_or(0)
}
