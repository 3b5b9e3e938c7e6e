//! What a host has: its memory, the limit of its cgroup, its NUMA nodes.
//!
//! ```text
//!   /proc/meminfo                       total, available
//!   /proc/self/cgroup                   where this process is in the tree
//!     /sys/fs/cgroup/a/b, .../a, ...    version 2: memory.max, memory.high, memory.current
//!     /sys/fs/cgroup/memory/a/b, ...    version 1: memory.limit_in_bytes, memory.usage_in_bytes
//!   /sys/devices/system/node            nodes, their total and free memory
//! ```
//!
//! Every level of the tree has limits, and the least of them counts. Page cache that was not used lately is given up
//! when memory is short, so it does not count as used.

use super::plan::Domain;
use super::proc::*;
use crate::units::Bytes;

/// The kernel's number of a NUMA node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NumaId(pub u32);

/// What is known about a host's memory. These are local facts: they differ between hosts and change with time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostFacts {
    /// Memory of the machine.
    pub total: Bytes,
    /// What can be taken without swapping, as the kernel estimates it.
    pub available: Bytes,
    /// The tightest limits of this process' cgroups, if any is below the memory of the machine.
    pub cgroup: Option<CgroupLimit>,
    /// The NUMA nodes with memory, in the kernel's order; empty where they are not known.
    pub nodes: Vec<NodeFacts>,
}

/// What its cgroup, and those above it, leave to this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CgroupLimit {
    /// The least limit of all levels.
    pub limit: Bytes,
    /// The least of what the levels have left below their limits.
    pub room: Bytes,
}

/// Memory of one NUMA node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NodeFacts {
    /// The kernel's number for it.
    pub node: NumaId,
    /// All its memory.
    pub total: Bytes,
    /// What is free, and page cache that was not used lately.
    pub free: Bytes,
}

/// The host does not say how much memory it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("/proc/meminfo does not say how much memory there is")]
pub struct HostFactsError;

/// Reads the facts of this host.
pub fn host_facts() -> Result<HostFacts, HostFactsError> {
    HostFacts::gather(&|path| match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(_) if path == "/proc/meminfo" => Some(meminfo()),
        Err(_) => None,
    })
}

/// The most important lines of `/proc/meminfo`, where there is no `/proc`. Page cache counts as used then.
fn meminfo() -> String {
    let info = rustix::system::sysinfo();
    let kib = |units| u128::from(units) * u128::from(info.mem_unit) / 1024;
    let (total, free) = (kib(info.totalram), kib(info.freeram + info.bufferram));
    format!("MemTotal: {total} kB\nMemAvailable: {free} kB\n")
}

impl HostFacts {
    /// Puts the facts together from files. `read` returns the text of one, `None` if it is not there.
    pub fn gather(read: &dyn Fn(&str) -> Option<String>) -> Result<HostFacts, HostFactsError> {
        let meminfo = read("/proc/meminfo").ok_or(HostFactsError)?;
        let total = kib_field(&meminfo, "MemTotal").ok_or(HostFactsError)?;
        let available = available(&meminfo).ok_or(HostFactsError)?.min(total);
        Ok(HostFacts { total, available, cgroup: cgroup(read, total), nodes: nodes(read) })
    }

    /// The host's memory as far as this process may use it. A size in percent is relative to this.
    pub fn memory(&self) -> Bytes {
        self.cgroup.map_or(self.total, |c| c.limit.min(self.total))
    }

    /// What is free for this process now.
    pub fn free(&self) -> Bytes {
        self.cgroup.map_or(self.available, |c| c.room.min(self.available))
    }

    /// One domain per NUMA node, or a single one where the nodes are not known. Each has what its free memory comes
    /// to for one of `pes_on_host` PEs. Where the cgroup allows less than the nodes have, all are scaled down alike.
    pub fn domains(&self, pes_on_host: u32) -> Vec<Domain> {
        let pes = u64::from(pes_on_host.max(1));
        let all: u128 = self.nodes.iter().map(|n| u128::from(n.free.0)).sum();
        let free = u128::from(self.free().0);
        if all == 0 {
            return vec![Domain::new(Bytes(self.free().0 / pes))];
        }
        let scaled = |n: u64| if all > free { (u128::from(n) * free / all) as u64 } else { n };
        self.nodes.iter().map(|n| Domain::new(Bytes(scaled(n.free.0) / pes))).collect()
    }
}

/// The names one version of cgroups gives its files.
struct Files {
    limits: &'static [&'static str],
    usage: &'static str,
    idle_cache: &'static str,
}

const VERSION_1: Files = Files {
    limits: &["memory.limit_in_bytes"],
    usage: "memory.usage_in_bytes",
    idle_cache: "total_inactive_file",
};
// Above `memory.high` the kernel slows processes down until they hardly get on, so it counts as a limit.
const VERSION_2: Files =
    Files { limits: &["memory.max", "memory.high"], usage: "memory.current", idle_cache: "inactive_file" };

fn cgroup(read: &dyn Fn(&str) -> Option<String>, total: Bytes) -> Option<CgroupLimit> {
    let paths = cgroup_paths(&read("/proc/self/cgroup")?);
    let v2 = paths.unified.iter().flat_map(|p| levels("/sys/fs/cgroup", p)).map(|l| (l, &VERSION_2));
    let v1 = paths.memory.iter().flat_map(|p| levels("/sys/fs/cgroup/memory", p)).map(|l| (l, &VERSION_1));
    v2.chain(v1)
        .filter_map(|(folder, files)| level(read, &folder, files, total))
        .reduce(|a, b| CgroupLimit { limit: a.limit.min(b.limit), room: a.room.min(b.room) })
}

/// One level of the tree, `None` where it has no limit. Version 1 writes "none" as a huge number.
fn level(
    read: &dyn Fn(&str) -> Option<String>,
    folder: &str,
    files: &Files,
    total: Bytes,
) -> Option<CgroupLimit> {
    let file = |name: &str| read(&format!("{folder}/{name}"));
    let limits = files.limits.iter().filter_map(|name| amount(&file(name)?));
    let limit = limits.min().filter(|&l| l < total)?;
    let usage = file(files.usage).and_then(|t| amount(&t)).unwrap_or_default();
    let idle = file("memory.stat").and_then(|t| stat_field(&t, files.idle_cache)).unwrap_or_default();
    let used = usage.0.saturating_sub(idle.0);
    Some(CgroupLimit { limit, room: Bytes(limit.0.saturating_sub(used)) })
}

fn nodes(read: &dyn Fn(&str) -> Option<String>) -> Vec<NodeFacts> {
    let online = read("/sys/devices/system/node/online").unwrap_or_default();
    number_list(&online)
        .into_iter()
        .filter_map(|n| {
            let text = read(&format!("/sys/devices/system/node/node{n}/meminfo"))?;
            let total = kib_field(&text, "MemTotal").filter(|t| t.0 > 0)?;
            let idle = kib_field(&text, "Inactive(file)").unwrap_or_default();
            let free = kib_field(&text, "MemFree")?.0.saturating_add(idle.0);
            Some(NodeFacts { node: NumaId(n), total, free: Bytes(free).min(total) })
        })
        .collect()
}
